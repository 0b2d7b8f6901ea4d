import type { JsonValue } from "../../model_config.ts";
import { ChatModelError, ValidationError } from "../../types/mod.ts";
import { sha256 } from "../_canonical_json.ts";
import type { Score, ScoredRow, Scorer } from "../scorers/scorer.ts";
import { askJudge } from "./_ask_judge.ts";
import { type Part, showInputs, showOutputs } from "./_parts.ts";
import { type JudgeSettings, knownSettings, readyJudge, toMessages } from "./judge.ts";

/** Options for {@linkcode pairwiseJudge}. */
export interface PairwiseJudgeOptions extends JudgeSettings {
  /** Name of the scores. @default {"pairwise"} */
  readonly name?: string;
  /** What makes one answer better than another. Default: that it serves the user better. */
  readonly instructions?: string;
  /**
   * What the answer is compared with.
   *
   * @param row The row with its answer.
   * @returns The other answer; `undefined` if there is none for this row: then it has no score.
   *
   * Default: the expected response, the first if there are several.
   */
  readonly against?: (row: ScoredRow) => string | undefined | Promise<string | undefined>;
}

/** How a pair was decided. */
export type PairVerdict = "A" | "B" | "tie";

const RULES =
  `Say which of two answers to what is asked in <inputs> serves the user better: that in <answer_a> or that in <answer_b>.

Being right comes first, then whether all that was asked for is dealt with, then whether it is clear. Length is no merit in itself, nor is the order in which the answers stand here.

- "A": <answer_a> is better
- "B": <answer_b> is better
- "tie": neither is better`;

/**
 * Makes a scorer of a chat model that compares two answers: the one under test with another.
 *
 * Judges tend to prefer the answer that they read first, or the last: so each pair is judged twice, with the order
 * swapped, and an answer wins only if it wins both times. The value is 1 if the answer under test is better, 0 if it is
 * worse, and 0.5 if neither is, or if the judge changed its mind with the order; so the mean is the share of wins, a tie
 * counting as half. A row passes if the answer is not worse. `metadata.verdicts` has both verdicts, by the positions of
 * the answers, `metadata.consistent` whether they agree: see {@linkcode positionBias}.
 *
 * @example Usage
 * ```ts
 * import { ChatModel } from "@chatmodel/chat-model";
 * import { evaluate, pairwiseJudge } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * class FirstIsBest extends ChatModel {
 *   override predict() {
 *     return JSON.stringify({ rationale: "It stands first", value: "A" });
 *   }
 * }
 *
 * const { metrics } = await evaluate({
 *   data: [{ outputs: "Paris", expectations: { expected_response: "Rome" } }],
 *   scorers: [pairwiseJudge({ model: FirstIsBest })],
 * });
 * // A judge that goes by the order decides nothing.
 * assertEquals(metrics["pairwise/mean"], 0.5);
 * ```
 *
 * @param options The model and what it compares.
 * @returns The scorer.
 * @throws {ValidationError} If an option is not valid.
 */
export function pairwiseJudge(options: PairwiseJudgeOptions): Scorer {
  const { name = "pairwise", instructions, against = expectedResponse } = options;
  if (instructions !== undefined && instructions.trim() === "") {
    throw new ValidationError(`Cannot make judge "${name}"`, [{
      path: "instructions",
      message: "must be a text that is not empty",
    }]);
  }
  const asking = readyJudge(options, { name, scale: { categories: ["A", "B", "tie"] } });
  const rules = instructions === undefined
    ? RULES
    : `${instructions.trim()}\n\nCompare the answer in <answer_a> with that in <answer_b>: "A" if the first is better, ` +
      '"B" if the second is, "tie" if neither is. The order in which they stand here is no merit.';
  return {
    name,
    config: { scorer: "pairwise", model: asking.model.name, rules: sha256(rules), ...knownSettings(options) },
    whenFailed: { value: 0, passed: false },
    async score(row) {
      const other = await against(row);
      if (other === undefined) return null;
      const mine = showOutputs(row);
      if (mine.trim() === other.trim()) {
        return { value: 0.5, passed: true, rationale: "The answers are the same", metadata: { consistent: true } };
      }
      const ask = (a: string, b: string) => {
        const parts: readonly Part[] = [
          { name: "inputs", text: showInputs(row) },
          { name: "answer_a", text: a },
          { name: "answer_b", text: b },
        ];
        return askJudge(asking, {
          messages: toMessages({ rules, parts }, asking),
          seed: options.seed === undefined ? row.seed ?? 0 : options.seed,
          signal: row.signal,
        });
      };
      const first = await ask(mine, other);
      const second = await ask(other, mine);
      return decide({ ...first, value: toVerdict(first.value, name) }, {
        ...second,
        value: toVerdict(second.value, name),
      });
    },
  };
}

interface OneWay {
  readonly value: PairVerdict;
  readonly rationale: string;
  readonly metadata: { readonly [name: string]: JsonValue };
}

/** The answer under test stood first the first time, second the second time. */
function decide(first: OneWay, second: OneWay): Score {
  const value = (pointsOf(first.value, "A") + pointsOf(second.value, "B")) / 2;
  // Half a win, a tie once and a win once, is no win.
  const decided = value === 0 || value === 1 ? value : 0.5;
  const consistent = pointsOf(first.value, "A") === pointsOf(second.value, "B");
  return {
    value: decided,
    passed: decided > 0,
    rationale: consistent
      ? first.rationale
      : `The verdict changed with the order. First: ${first.rationale}\nSwapped: ${second.rationale}`,
    metadata: { ...first.metadata, ...sums(first, second), verdicts: [first.value, second.value], consistent },
  };
}

function sums(first: OneWay, second: OneWay): { readonly [name: string]: JsonValue } {
  const sum = (name: string): JsonValue | undefined => {
    const [a, b] = [first.metadata[name], second.metadata[name]];
    return typeof a === "number" && typeof b === "number" ? a + b : undefined;
  };
  const [tries, tokens] = [sum("tries"), sum("tokens")];
  return { ...(tries !== undefined && { tries }), ...(tokens !== undefined && { tokens }) };
}

function pointsOf(verdict: PairVerdict, mine: "A" | "B"): number {
  return verdict === "tie" ? 0.5 : verdict === mine ? 1 : 0;
}

function toVerdict(value: unknown, name: string): PairVerdict {
  if (value === "A" || value === "B" || value === "tie") return value;
  throw new ChatModelError(`Cannot score by "${name}": the verdict is none`, { code: "invalid_model_output" });
}

function expectedResponse({ expectations }: ScoredRow): string | undefined {
  const { expected_response: expected } = expectations;
  return typeof expected === "string" ? expected : expected?.[0];
}

/** How far a judge of pairs is led by the order of the answers. */
export interface PositionBias {
  /** Pairs that were judged both ways. */
  readonly pairs: number;
  /** Those on which both verdicts agree. */
  readonly consistent: number;
  /** Those where the answer that stood first won both times. */
  readonly firstPreferred: number;
  /** Those where the answer that stood second won both times. */
  readonly secondPreferred: number;
  /** Share of the pairs on which the verdicts agree; `null` without pairs. */
  readonly consistency: number | null;
}

/**
 * Sums up how far a judge of pairs is led by their order.
 *
 * @param scores The scores that {@linkcode pairwiseJudge} gave; others are passed over.
 * @returns The sums. A judge whose verdicts seldom agree is no judge to go by.
 */
export function positionBias(
  scores: Iterable<{ readonly metadata?: { readonly [name: string]: JsonValue } | undefined }>,
): PositionBias {
  const sum = { pairs: 0, consistent: 0, firstPreferred: 0, secondPreferred: 0 };
  for (const { metadata } of scores) {
    const verdicts: unknown = metadata?.verdicts;
    if (!Array.isArray(verdicts) || verdicts.length !== 2) continue;
    sum.pairs++;
    if (metadata?.consistent === true) sum.consistent++;
    if (verdicts[0] === "A" && verdicts[1] === "A") sum.firstPreferred++;
    if (verdicts[0] === "B" && verdicts[1] === "B") sum.secondPreferred++;
  }
  return { ...sum, consistency: sum.pairs === 0 ? null : sum.consistent / sum.pairs };
}
