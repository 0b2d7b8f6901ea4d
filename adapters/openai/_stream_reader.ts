import type { SseEvent } from "../../streaming/mod.ts";
import { isJsonObject } from "../../types/_schema.ts";
import { readErrorValue } from "./_error_value.ts";
import { badRecord, type Call, errorOfValue, incomplete, parseJson } from "./_errors.ts";
import type { EventReader } from "./_transport.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** Reads the events of one answer, and knows whether it is complete. */
export class StreamReader implements EventReader {
  readonly #call: Call;
  /** The answers that were begun, and whether each has its finish reason. */
  readonly #finished = new Map<number, boolean>();
  #count = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  /**
   * Reads an event.
   *
   * @param event The event.
   * @param batch Where to append the chunk that it holds.
   * @returns Whether it is the last one.
   * @throws {ChatModelError} If it is an error, or cannot be read.
   */
  read({ data, event }: SseEvent, batch: OpenAIAnswer[]): boolean {
    const text = data.trim();
    if (text === "[DONE]") {
      if (this.#finished.size === 0) this.failEmpty();
      return true;
    }
    // Some keep the connection alive by empty events rather than comments.
    if (text === "") return false;
    this.#count++;
    const value = parseJson(text);
    const error = readErrorValue(value) ?? (event === "error" ? asError(value, text) : undefined);
    if (error !== undefined) throw errorOfValue(this.#call, error);
    if (value === undefined) throw badRecord(this.#call, `has a chunk (number ${this.#count}) that is no JSON`);
    if (!isJsonObject(value)) throw badRecord(this.#call, `has a chunk (number ${this.#count}) that is no object`);
    this.#note(value);
    batch.push(value);
    return false;
  }

  /**
   * The stream ended without `[DONE]`, which some servers leave out.
   *
   * @throws {UpstreamError} If an answer has no finish reason, or if there is none.
   */
  checkEnd(): void {
    if (this.#finished.size === 0) this.failEmpty();
    for (const isFinished of this.#finished.values()) {
      if (!isFinished) throw incomplete(this.#call, "a finish reason and without '[DONE]'");
    }
  }

  /** @throws {UpstreamError} Always: the stream had no answer in it. */
  failEmpty(): never {
    throw incomplete(this.#call, "an answer in it");
  }

  #note({ choices }: OpenAIAnswer): void {
    if (!Array.isArray(choices)) return;
    choices.forEach((choice: unknown, position) => {
      if (!isJsonObject(choice)) return;
      const index = typeof choice.index === "number" ? choice.index : position;
      const isFinished = typeof choice.finish_reason === "string" && choice.finish_reason !== "";
      this.#finished.set(index, isFinished || this.#finished.get(index) === true);
      const error = readErrorValue({ error: choice.error });
      if (error !== undefined) throw errorOfValue(this.#call, error);
    });
  }
}

/** What an event of type `error` says that has the error itself as its data. */
export function asError(value: unknown, text: string): ReturnType<typeof readErrorValue> {
  return readErrorValue({ error: isJsonObject(value) ? value : text });
}
