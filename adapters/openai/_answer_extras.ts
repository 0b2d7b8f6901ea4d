import { isJsonObject, type JsonObject } from "../../types/_schema.ts";
import { ChatModelError, UpstreamError } from "../../types/mod.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** Members that are read by name. */
const KNOWN: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created",
  "model",
  "choices",
  "usage",
  "system_fingerprint",
  "service_tier",
  "custom_outputs",
  "error",
  // Noise by intention, against those who measure packets.
  "obfuscation",
]);

const KNOWN_OF_CHOICE: ReadonlySet<string> = new Set([
  "index",
  "message",
  "delta",
  "finish_reason",
  "logprobs",
  "error",
]);

const KNOWN_OF_USAGE: ReadonlySet<string> = new Set([
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "prompt_tokens_details",
  "completion_tokens_details",
]);

const REASONS: ReadonlySet<string> = new Set(["stop", "length", "tool_calls", "content_filter", "function_call"]);

/** What other servers call the reasons that OpenAI has. */
const OTHER_REASONS: ReadonlyMap<string, string> = new Map([
  ["max_tokens", "length"],
  ["model_length", "length"],
  ["tool_use", "tool_calls"],
  ["tool_call", "tool_calls"],
  ["safety", "content_filter"],
  ["sensitive", "content_filter"],
]);

/** Reasons of which none is an end. */
const FAILURES = /^(?:error|abort(?:ed)?|cancel(?:l?ed)?|network_error|timeout)$/;

/** Keeps what servers say around an answer that OpenAI's API has no place for. */
export class AnswerExtras {
  readonly #members: Record<string, unknown> = {};
  readonly #choices: Record<string, Record<string, unknown>> = {};
  #usage: JsonObject | undefined;

  /**
   * Takes out of a chunk or an answer what is kept here, and mends what the normaliser would refuse.
   *
   * @param answer The chunk or the answer.
   * @returns It, for the normaliser.
   * @throws {UpstreamError} If the server broke the answer off.
   * @throws {ChatModelError} If it is neither a chunk nor an answer (code `invalid_model_output`).
   */
  take(answer: OpenAIAnswer): JsonObject {
    const { choices, usage, object } = answer;
    gather(answer, KNOWN, this.#members);
    if ((choices === undefined || choices === null) && !isJsonObject(usage) && object !== "chat.completion.chunk") {
      throw new ChatModelError('it has neither "choices" nor "usage"', { code: "invalid_model_output" });
    }
    return {
      ...answer,
      // Without choices the normaliser would take the members around them for those of a message.
      choices: Array.isArray(choices) ? choices.map((choice, i) => this.#takeChoice(choice, i)) : choices ?? [],
      usage: this.#takeUsage(usage),
    };
  }

  /** What was kept, of each member the last that was no `null`; `undefined` if nothing was. */
  outputs(): JsonObject | undefined {
    const outputs = {
      ...this.#members,
      ...(Object.keys(this.#choices).length > 0 && { choices: this.#choices }),
      ...(this.#usage !== undefined && { usage: this.#usage }),
    };
    return Object.keys(outputs).length === 0 ? undefined : outputs;
  }

  #takeChoice(choice: unknown, position: number): unknown {
    if (!isJsonObject(choice)) return choice;
    const index = typeof choice.index === "number" ? choice.index : position;
    const kept: Record<string, unknown> = {};
    gather(choice, KNOWN_OF_CHOICE, kept);
    const { finish_reason: reason } = choice;
    const mended = typeof reason === "string" ? mendReason(reason) : reason;
    if (mended !== reason) kept.finish_reason = reason;
    if (Object.keys(kept).length > 0) this.#choices[index] = { ...this.#choices[index], ...kept };
    return mended === reason ? choice : { ...choice, finish_reason: mended };
  }

  /** Usage that does not tell both counts is kept beside: none of them is made up. */
  #takeUsage(usage: unknown): unknown {
    if (!isJsonObject(usage)) return usage;
    const isWhole = isCount(usage.prompt_tokens) && isCount(usage.completion_tokens);
    const kept: Record<string, unknown> = {};
    gather(usage, isWhole ? KNOWN_OF_USAGE : new Set(), kept);
    if (Object.keys(kept).length > 0) this.#usage = kept;
    return isWhole ? usage : undefined;
  }
}

function gather(from: JsonObject, known: ReadonlySet<string>, to: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(from)) {
    if (known.has(name) || value === null || value === undefined) continue;
    Object.defineProperty(to, name, { value, enumerable: true, configurable: true, writable: true });
  }
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** One of OpenAI's reasons. One that no one knows is an end as good as any, and is told beside the answer. */
function mendReason(reason: string): string {
  if (reason === "" || REASONS.has(reason)) return reason;
  const name = reason.toLowerCase();
  if (FAILURES.test(name)) {
    throw new UpstreamError(`Cannot finish the answer: the server broke it off (finish reason "${name}")`, {
      code: "upstream_incomplete",
    });
  }
  return REASONS.has(name) ? name : OTHER_REASONS.get(name) ?? "stop";
}
