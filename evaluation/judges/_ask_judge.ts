import { sleep } from "../../_sleep.ts";
import type { JsonValue } from "../../model_config.ts";
import {
  type ChatCompletionRequest,
  type ChatCompletionResponse,
  type ChatMessage,
  ChatModelError,
  type ChatParams,
} from "../../types/mod.ts";
import { isRecord } from "../_canonical_json.ts";
import type { ScoreValue } from "../scorers/scorer.ts";
import type { LazyModel } from "./judge_model.ts";
import type { ReadyScale } from "./scale.ts";

/** Longest wait before a judge that could not answer is asked again, in ms. */
const LONGEST_DELAY = 30_000;

/** Most of an answer that cannot be used that is shown to the judge again, in UTF-16 units. */
const LONGEST_REMINDER = 2_000;

/** Parameters that some models refuse; a judge does without them. */
const OPTIONAL = ["temperature", "seed", "response_format"] as const;

/** A judge, ready to be asked. */
export interface Asking {
  /** Name of the scores, for errors. */
  readonly name: string;
  /** The model. */
  readonly model: LazyModel;
  /** What it may say. */
  readonly scale: ReadyScale;
  /** Most tries after the first. */
  readonly retries: number;
  /** Milliseconds before the first retry of a model that could not answer. */
  readonly retryDelay: number;
  /** Sampling temperature; `null` for none. */
  readonly temperature: number | null;
  /** Further parameters. */
  readonly params: ChatParams;
  /** Parameters that the model turned out not to take. */
  readonly refused: Set<string>;
}

/** What a judge said. */
export interface Verdict {
  /** The value, on the scale. */
  readonly value: ScoreValue;
  /** Why. */
  readonly rationale: string;
  /** What is kept with the score. */
  readonly metadata: { readonly [name: string]: JsonValue };
}

/**
 * Asks a judge until it says something on the scale.
 *
 * @param asking The judge.
 * @param question What it is told and shown; the seed, `null` for none; what gives up.
 * @returns What it said.
 * @throws {ChatModelError} With code `invalid_model_output` if it says nothing that can be used, and at once if it
 * refuses. What the model throws is handed on; so is the signal's reason.
 */
export async function askJudge(
  asking: Asking,
  { messages, seed, signal }: {
    readonly messages: readonly ChatMessage[];
    readonly seed: number | null;
    readonly signal: AbortSignal;
  },
): Promise<Verdict> {
  const { name, model, retries, retryDelay } = asking;
  signal.throwIfAborted();
  const loaded = await model.get();
  let said = messages;
  let tokens: number | undefined = 0;
  let problem = "";
  for (let tries = 1; tries <= retries + 1; tries++) {
    let response: ChatCompletionResponse;
    try {
      response = await askOnce(asking, {
        ask: (params) => loaded.predict({ ...params, messages: said }, { signal }),
        seed,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (tries > retries || !ChatModelError.isInstance(error) || !error.retryable) throw error;
      await sleep(Math.max(Math.min(retryDelay * 2 ** (tries - 1), LONGEST_DELAY), error.retryAfter ?? 0), signal);
      problem = "it could not answer";
      continue;
    }
    tokens = tokens === undefined || response.usage === undefined ? undefined : tokens + response.usage.total_tokens;
    const read = readVerdict(response, asking);
    if ("problem" in read) {
      problem = read.problem;
      said = [...messages, ...remind(response, read.problem, asking.scale)];
      continue;
    }
    const refused = [...asking.refused].sort();
    return {
      ...read,
      metadata: {
        judge: model.name,
        tries,
        ...(tokens !== undefined && { tokens }),
        ...(refused.length > 0 && { params_not_taken: refused }),
      },
    };
  }
  throw new ChatModelError(
    `Cannot score by "${name}": the judge "${model.name}" gave no verdict in ${retries + 1} ` +
      `${retries === 0 ? "try" : "tries"}; the last time ${problem}. Raise "retries", or take a model that follows a ` +
      "JSON schema",
    { code: "invalid_model_output" },
  );
}

/** Asks, and asks again without those parameters that the model does not take. */
async function askOnce(
  { scale, temperature, params, refused }: Asking,
  { ask, seed }: {
    readonly ask: (params: Omit<ChatCompletionRequest, "messages">) => Promise<ChatCompletionResponse>;
    readonly seed: number | null;
  },
): Promise<ChatCompletionResponse> {
  for (;;) {
    const all: Omit<ChatCompletionRequest, "messages"> = {
      ...(temperature !== null && { temperature }),
      ...(seed !== null && { seed }),
      response_format: { type: "json_schema", json_schema: verdictSchema(scale) },
      ...params,
    };
    const taken = Object.fromEntries(Object.entries(all).filter(([name]) => !refused.has(name)));
    try {
      return await ask(taken);
    } catch (error) {
      const culprit = OPTIONAL.find((name) => name in taken && isAbout(error, name));
      if (culprit === undefined) throw error;
      refused.add(culprit);
    }
  }
}

/** Whether a model refused a request for the sake of a parameter. */
function isAbout(error: unknown, param: string): boolean {
  if (!ChatModelError.isInstance(error) || error.retryable || error.status < 400 || error.status >= 500) return false;
  if (error.param !== null) return error.param === param || error.param.startsWith(`${param}.`);
  return new RegExp(`\\b${param}\\b`).test(error.message);
}

function verdictSchema(
  { schema }: ReadyScale,
): { name: string; strict: boolean; schema: { [keyword: string]: unknown } } {
  return {
    name: "verdict",
    strict: true,
    schema: {
      type: "object",
      // The reasons come first, so that the value follows from them.
      properties: { rationale: { type: "string" }, value: schema },
      required: ["rationale", "value"],
      additionalProperties: false,
    },
  };
}

function readVerdict(
  response: ChatCompletionResponse,
  { name, model, scale }: Asking,
): { readonly value: ScoreValue; readonly rationale: string } | { readonly problem: string } {
  const [choice] = response.choices;
  if (choice === undefined) return { problem: "it gave no answer" };
  if (choice.message.refusal !== null || choice.finish_reason === "content_filter") {
    // Asked the same again, it would refuse again.
    throw new ChatModelError(
      `Cannot score by "${name}": the judge "${model.name}" refused to judge. Take another judge for this row`,
      { code: "invalid_model_output" },
    );
  }
  const json = readJson(choice.message.content ?? "");
  if (json === undefined) {
    return {
      problem: choice.finish_reason === "length" ? "its answer broke off at the token limit" : "it was no JSON",
    };
  }
  if (!isRecord(json)) return { problem: "it was no JSON object" };
  const value = scale.read(json.value);
  if (value === undefined) return { problem: `"value" was not ${scale.words}` };
  if (typeof json.rationale !== "string") return { problem: '"rationale" was no text' };
  return { value, rationale: json.rationale };
}

/** Models without structured output often put JSON into a block of Markdown. */
const FENCE = /^```(?:json)?\s*\n([\s\S]*)\n```$/;

function readJson(text: string): unknown {
  const trimmed = text.trim();
  try {
    const value: unknown = JSON.parse(FENCE.exec(trimmed)?.[1] ?? trimmed);
    return value;
  } catch {
    return undefined;
  }
}

function remind(response: ChatCompletionResponse, problem: string, scale: ReadyScale): readonly ChatMessage[] {
  const content = (response.choices[0]?.message.content ?? "").slice(0, LONGEST_REMINDER);
  return [
    { role: "assistant", content },
    { role: "user", content: `That cannot be used: ${problem}. ${verdictForm(scale)}` },
  ];
}

/** In words what the schema says: not all models obey schemas. */
export function verdictForm({ words }: ReadyScale): string {
  return 'Answer with one JSON object and nothing else: {"rationale": "…", "value": …}. "rationale" gives your reasons ' +
    `in one to three sentences; "value" is ${words}.`;
}
