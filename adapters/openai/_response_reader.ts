import type { SseEvent } from "../../streaming/mod.ts";
import { isJsonObject } from "../../types/_schema.ts";
import { readErrorValue } from "./_error_value.ts";
import { badRecord, type Call, errorOfValue, incomplete, parseJson } from "./_errors.ts";
import { asError } from "./_stream_reader.ts";
import type { EventReader } from "./_transport.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** Events that end a response. */
const LAST: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
  "response.cancelled",
]);

/** Reads the events of one response, and knows whether it is complete. */
export class ResponseReader implements EventReader {
  readonly #call: Call;
  #count = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  read({ data, event }: SseEvent, batch: OpenAIAnswer[]): boolean {
    const text = data.trim();
    // OpenAI has none here, some others do; those that have ended well are not read that far.
    if (text === "[DONE]") this.checkEnd();
    if (text === "") return false;
    this.#count++;
    const value = parseJson(text);
    const isError = event === "error" || (isJsonObject(value) && value.type === "error");
    const error = readErrorValue(value) ?? (isError ? asError(value, text) : undefined);
    if (error !== undefined) throw errorOfValue(this.#call, error);
    if (value === undefined) throw badRecord(this.#call, `has an event (number ${this.#count}) that is no JSON`);
    if (!isJsonObject(value)) throw badRecord(this.#call, `has an event (number ${this.#count}) that is no object`);
    const { type, response } = value;
    if (typeof type !== "string") {
      throw badRecord(this.#call, `has an event (number ${this.#count}) without a type`);
    }
    const isLast = LAST.has(type);
    if (isLast) {
      if (!isJsonObject(response)) throw badRecord(this.#call, `has an event "${type}" without a response`);
      checkResponse({ ...response, status: response.status ?? type.slice("response.".length) }, this.#call);
    }
    batch.push(value);
    return isLast;
  }

  checkEnd(): never {
    throw incomplete(this.#call, this.#count === 0 ? "an answer in it" : "the event 'response.completed'");
  }

  failEmpty(): never {
    throw incomplete(this.#call, "an answer in it");
  }
}

/**
 * Checks that a response is one, and has come to a good end.
 *
 * @throws {ChatModelError} If not.
 */
export function checkResponse(response: OpenAIAnswer, call: Call): void {
  const { status, output, error } = response;
  if (status === "failed") throw errorOfValue(call, readErrorValue({ error }) ?? { message: "" });
  if (status !== undefined && status !== "completed" && status !== "incomplete") {
    throw incomplete(call, `an end: its status is "${String(status).slice(0, 40)}"`);
  }
  if (!Array.isArray(output)) throw badRecord(call, 'has no "output"');
}

/** Whether an event has something of the answer in it. */
export function isAnswerEvent({ type }: OpenAIAnswer): boolean {
  return typeof type !== "string" || /\.(?:delta|done)$/.test(type) || LAST.has(type);
}
