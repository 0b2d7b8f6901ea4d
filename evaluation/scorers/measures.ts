import { ValidationError } from "../../types/mod.ts";
import type { JsonValue } from "../../model_config.ts";
import { isRecord } from "../_canonical_json.ts";
import { countGraphemes, words } from "./_segments.ts";
import type { Score, Scorer } from "./scorer.ts";

/** Options for scorers that measure, and may have limits. */
export interface MeasureOptions {
  /** Name of the scores. Default: the scorer's own. */
  readonly name?: string;
  /** The greatest value with which a row passes. Default: rows neither pass nor fail. */
  readonly maximum?: number;
}

/** Options for {@linkcode answerLength}. */
export interface AnswerLengthOptions extends MeasureOptions {
  /** What is counted: characters as people see them (grapheme clusters), or words, as Unicode divides text. @default {"characters"} */
  readonly unit?: "characters" | "words";
  /** The least value with which a row passes. Default: none. */
  readonly minimum?: number;
}

/**
 * How long the answer is, in characters or words.
 *
 * @param options What is counted, and the limits.
 * @returns The scorer `length`. Its values are numbers; less is better.
 * @throws {ValidationError} If a limit is no number.
 */
export function answerLength(options: AnswerLengthOptions = {}): Scorer {
  const { unit = "characters", minimum, name = "length" } = options;
  const { maximum } = options;
  checkLimits(name, { minimum, maximum });
  return {
    name,
    better: "lower",
    config: { scorer: "length", unit, ...limits({ minimum, maximum }) },
    score: ({ text }) => within(unit === "words" ? words(text).length : countGraphemes(text), { minimum, maximum }),
  };
}

/**
 * How long the answer took, in milliseconds: of a conversation, all answers together. Rows whose answers were given have
 * none. (MLflow's metric of the same name is in seconds.)
 *
 * @param options The limit.
 * @returns The scorer `latency`. Its values are numbers; less is better.
 * @throws {ValidationError} If the limit is no number.
 */
export function latency(options: MeasureOptions = {}): Scorer {
  const { maximum, name = "latency" } = options;
  checkLimits(name, { maximum });
  return {
    name,
    better: "lower",
    config: { scorer: "latency", ...limits({ maximum }) },
    score: ({ latency }) => latency === undefined ? null : within(latency, { maximum }),
  };
}

/**
 * How long it took until the answer began, in milliseconds: text, thinking, a refusal or a tool call. It has the model
 * answer piece by piece, and of a conversation is that of the first answer.
 *
 * @param options The limit.
 * @returns The scorer `time_to_first_token`. Its values are numbers; less is better.
 * @throws {ValidationError} If the limit is no number.
 */
export function timeToFirstToken(options: MeasureOptions = {}): Scorer {
  const { maximum, name = "time_to_first_token" } = options;
  checkLimits(name, { maximum });
  return {
    name,
    better: "lower",
    streams: true,
    config: { scorer: "time_to_first_token", ...limits({ maximum }) },
    score: ({ timeToFirstToken }) => timeToFirstToken === undefined ? null : within(timeToFirstToken, { maximum }),
  };
}

/** Options for {@linkcode tokenCount}. */
export interface TokenCountOptions extends MeasureOptions {
  /** Which tokens are counted. @default {"total"} */
  readonly count?: "prompt" | "completion" | "total";
}

/**
 * How many tokens the answer took, as the model counts them: of a conversation, all answers together. Rows of models that
 * do not tell have none.
 *
 * @param options Which tokens, and the limit.
 * @returns The scorer `token_count`, or `prompt_token_count`, `completion_token_count`. Its values are numbers; less is
 * better.
 * @throws {ValidationError} If the limit is no number.
 */
export function tokenCount(options: TokenCountOptions = {}): Scorer {
  const { count = "total", maximum } = options;
  const { name = count === "total" ? "token_count" : `${count}_token_count` } = options;
  checkLimits(name, { maximum });
  return {
    name,
    better: "lower",
    config: { scorer: "token_count", count, ...limits({ maximum }) },
    score: ({ usage }) => usage === undefined ? null : within(usage[`${count}_tokens`], { maximum }),
  };
}

/** What tokens of a model cost, in any currency: for a million of them. */
export interface TokenPrice {
  /** Of the prompt. */
  readonly input: number;
  /** Of the answer. */
  readonly output: number;
  /** Of the prompt, where they were found in the cache. Default: as `input`. */
  readonly cachedInput?: number;
}

/** Options for {@linkcode cost}. */
export interface CostOptions extends MeasureOptions {
  /** Prices by the models' names, as answers carry them; `*` is for all others. */
  readonly prices: { readonly [model: string]: TokenPrice };
}

/**
 * What the answer cost, by a table of prices: of a conversation, all answers together. Rows of models that do not tell
 * their tokens have none; a model without a price is an error of the row.
 *
 * @param options The prices, and the limit.
 * @returns The scorer `cost`. Its values are numbers, in the currency of the prices; less is better.
 * @throws {ValidationError} If a price is none.
 */
export function cost(options: CostOptions): Scorer {
  const { prices, maximum, name = "cost" } = options;
  checkLimits(name, { maximum });
  checkPrices(name, prices);
  return {
    name,
    better: "lower",
    config: { scorer: "cost", prices: pricesJson(prices), ...limits({ maximum }) },
    score: ({ turns }) => {
      let sum = 0;
      for (const { response } of turns) {
        if (response?.usage === undefined) return null;
        const { model, usage } = response;
        const price = (Object.hasOwn(prices, model) ? prices[model] : undefined) ?? prices["*"];
        if (price === undefined) {
          throw new ValidationError(`Cannot score by "${name}"`, [{
            path: "prices",
            message: `has no model "${model}". Give its price, or one for "*"`,
          }]);
        }
        const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
        const { input, output, cachedInput = input } = price;
        sum += (usage.prompt_tokens - cached) * input + cached * cachedInput + usage.completion_tokens * output;
      }
      return within(sum / 1_000_000, { maximum });
    },
  };
}

/** Options for {@linkcode refusal}. */
export interface RefusalOptions {
  /** Name of the scores. @default {"refusal"} */
  readonly name?: string;
  /**
   * What models say that refuse in the middle of their text, in the languages that they are asked in, such as
   * `[/^I (?:can(?:no|')t|am unable to)\b/i]`. @default {[]}
   */
  readonly phrases?: readonly (RegExp | string)[];
}

/**
 * Whether the model refused to answer: it says so in the wire's own way (`refusal`, or the finish reason
 * `content_filter`), or by one of some phrases. A row passes if that is what it expects: `expectations.expected_refusal`,
 * `false` unless given.
 *
 * @param options The phrases.
 * @returns The scorer `refusal`. Its values are booleans: the mean is the share of refusals, the pass rate that of rows
 * that were refused or answered as they should be.
 */
export function refusal(options: RefusalOptions = {}): Scorer {
  const { phrases = [], name = "refusal" } = options;
  return {
    name,
    better: "lower",
    config: { scorer: "refusal", phrases: phrases.map(String) },
    score: ({ response, text, expectations: { expected_refusal: expected = false } }) => {
      if (typeof expected !== "boolean") {
        throw new ValidationError(`Cannot score by "${name}"`, [{
          path: "expectations.expected_refusal",
          message: "must be true or false",
        }]);
      }
      const [choice] = response?.choices ?? [];
      const refused = typeof choice?.message.refusal === "string" || choice?.finish_reason === "content_filter" ||
        phrases.some((phrase) => typeof phrase === "string" ? text.includes(phrase) : new RegExp(phrase).test(text));
      return { value: refused, passed: refused === expected };
    },
  };
}

interface Limits {
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

function within(value: number, { minimum, maximum }: Limits): Score {
  if (minimum === undefined && maximum === undefined) return { value };
  return { value, passed: value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity) };
}

function limits({ minimum, maximum }: Limits): { readonly [name: string]: number } {
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
}

function checkLimits(name: string, given: Limits): void {
  for (const [path, value] of Object.entries(given)) {
    if (value === undefined || typeof value === "number" && Number.isFinite(value)) continue;
    throw new ValidationError(`Cannot make scorer "${name}"`, [{ path, message: "must be a number" }]);
  }
}

function checkPrices(name: string, prices: unknown): void {
  const issues = [];
  if (!isRecord(prices)) issues.push({ path: "prices", message: "must be an object of prices by model" });
  for (const [model, price] of Object.entries(isRecord(prices) ? prices : {})) {
    const members = isRecord(price) ? [price.input, price.output, price.cachedInput ?? 0] : [undefined];
    if (members.every((member) => typeof member === "number" && member >= 0)) continue;
    issues.push({
      path: `prices.${model}`,
      message: 'must be { "input": …, "output": …, "cachedInput": … }: numbers of at least 0, for a million tokens',
    });
  }
  if (issues.length > 0) throw new ValidationError(`Cannot make scorer "${name}"`, issues);
}

function pricesJson(prices: CostOptions["prices"]): { [model: string]: JsonValue } {
  return Object.fromEntries(
    Object.entries(prices).map(([model, { input, output, cachedInput }]) => [
      model,
      { input, output, ...(cachedInput !== undefined && { cachedInput }) },
    ]),
  );
}
