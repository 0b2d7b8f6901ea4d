/** Rows and judges for the tests. */
import { ChatModel, type ChatParams, type ModelContext, type PredictResult } from "../../../mod.ts";
import type { ChatMessage, ResponseMessage } from "../../../types/mod.ts";
import type { ScoredRow } from "../../../evaluation/scorers/scorer.ts";

/** A row that a model answered. */
export function rowOf(text: string, changes: Partial<ScoredRow> = {}): ScoredRow {
  const messages: readonly ChatMessage[] = [{ role: "user", content: "Where is the Louvre?" }];
  return {
    index: 0,
    id: "row-0",
    inputs: { messages },
    messages,
    expectations: {},
    tags: {},
    output: text,
    response: undefined,
    text,
    toolCalls: [],
    turns: [],
    latency: 1,
    timeToFirstToken: undefined,
    usage: undefined,
    seed: undefined,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** What a scripted judge does: says a text or a message, fails, or makes either of what it is asked. */
export type Step =
  | string
  | Partial<ResponseMessage>
  | Error
  | ((request: Asked) => string | Partial<ResponseMessage> | Error);

/** What a judge was asked. */
export interface Asked {
  readonly messages: readonly ChatMessage[];
  readonly params: ChatParams;
  /** The text of the last message. */
  readonly last: string;
}

/** A judge that follows a script; its last step again and again. */
export class ScriptedJudge extends ChatModel {
  override readonly name = "scripted";
  readonly asked: Asked[] = [];
  readonly #steps: readonly Step[];

  constructor(...steps: readonly Step[]) {
    super();
    this.#steps = steps;
  }

  override predict(_context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): PredictResult {
    const content = messages.at(-1)?.content;
    const request = { messages, params, last: typeof content === "string" ? content : "" };
    const step = this.#steps[Math.min(this.asked.length, this.#steps.length - 1)] ?? "";
    this.asked.push(request);
    const said = typeof step === "function" ? step(request) : step;
    if (said instanceof Error) throw said;
    return typeof said === "string" ? said : { role: "assistant" as const, content: null, refusal: null, ...said };
  }
}

/** A verdict as a judge gives it. */
export function verdict(value: unknown, rationale = "For a reason"): string {
  return JSON.stringify({ rationale, value });
}

/** The score, if there is one alone, and it is an object. */
export async function scoreOf(result: unknown): Promise<{ readonly [name: string]: unknown }> {
  const score: unknown = await result;
  if (typeof score !== "object" || score === null) throw new Error(`Not a score: ${score}`);
  return { ...score };
}
