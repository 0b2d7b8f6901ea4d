/** Keeping chat completions. */
import type { ChatCompletionChunk, ChatCompletionResponse, ChatMessage, ChatRequest } from "../types/mod.ts";
import { Accumulator } from "../streaming/accumulate.ts";
import type { FrameWriter } from "../streaming/encode_sse.ts";
import { checkMetadata } from "./_metadata.ts";
import type { ResponseStore, StoredObject } from "./response_store.ts";

/** Keeps an answer that has ended. */
export type Keep = (response: ChatCompletionResponse) => void | Promise<void>;

/**
 * How an answer is to be kept, if at all.
 *
 * @param request What is asked.
 * @param store Where to keep it.
 * @returns Keeps the answer; `undefined` if it is not to be kept.
 * @throws {ValidationError} If the labels are not as they must be, kept or not.
 */
export function keeperOf({ messages, params }: ChatRequest, store: ResponseStore): Keep | undefined {
  const { metadata: given, store: wanted } = params;
  if (given === undefined && wanted !== true) return undefined;
  const metadata = checkMetadata(given, "Cannot parse chat request");
  if (wanted !== true) return undefined;
  return (body) => {
    const { id, created, model } = body;
    const input = messages.map(toStored);
    return store.set({ id, object: "chat.completion", created, model, metadata, body: { ...body }, input });
  };
}

function toStored(message: ChatMessage): StoredObject {
  return { ...message };
}

/** Writes a stream's frames as another writer does, and keeps what they say before the stream's end is told. */
export class KeepingWriter implements FrameWriter {
  readonly #writer: FrameWriter;
  readonly #keep: Keep;
  readonly #accumulator = new Accumulator();

  constructor(writer: FrameWriter, keep: Keep) {
    this.#writer = writer;
    this.#keep = keep;
  }

  begin(): string {
    return this.#writer.begin();
  }

  encode(chunk: ChatCompletionChunk): string {
    this.#accumulator.add(chunk);
    return this.#writer.encode(chunk);
  }

  end(): string | Promise<string> {
    const kept = this.#keep(this.#accumulator.response());
    return kept === undefined ? this.#writer.end() : kept.then(() => this.#writer.end());
  }

  fail(error: unknown): string {
    return this.#writer.fail(error);
  }
}
