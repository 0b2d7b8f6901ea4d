import { type ChatCompletionChunk, ChatModelError, type ErrorObject } from "../types/mod.ts";
import { isTooLong, MAX_LINE, severalLines } from "./sse_data.ts";

/** Writes canonical chunks as frames of an event stream. */
export class ChunkEncoder {
  readonly #includeUsage: boolean;
  #id: string | undefined;
  #beforeText = "";
  readonly #afterText: string;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
    this.#afterText = `},"logprobs":null,"finish_reason":null}]${includeUsage ? ',"usage":null' : ""}}\n\n`;
  }

  /**
   * The frames of a chunk; empty for a chunk that the caller did not ask for.
   *
   * @throws {ChatModelError} If a single string in it is longer than a line may be.
   */
  encode(chunk: ChatCompletionChunk): string {
    const text = this.#plainText(chunk);
    if (text !== undefined) {
      // Nearly all frames: all but the text is the same, so it is written once.
      if (chunk.id !== this.#id) this.#setEnvelope(chunk);
      return this.#beforeText + JSON.stringify(text) + this.#afterText;
    }
    if (chunk.choices.length === 0 && !this.#includeUsage) return "";
    const whole = this.#includeUsage && chunk.usage === undefined ? { ...chunk, usage: null } : chunk;
    const line = `data: ${JSON.stringify(whole)}`;
    return isTooLong(line) ? longFrame(whole) : `${line}\n\n`;
  }

  #plainText(chunk: ChatCompletionChunk): string | undefined {
    const [choice, second] = chunk.choices;
    if (
      choice === undefined || second !== undefined || choice.index !== 0 || choice.finish_reason !== null ||
      choice.logprobs !== null || chunk.usage !== undefined || chunk.custom_outputs !== undefined ||
      chunk.system_fingerprint !== undefined || chunk.service_tier !== undefined
    ) return undefined;
    for (const key in choice.delta) if (key !== "content") return undefined;
    const { content } = choice.delta;
    // Text that may be too long for a line takes the way that checks it.
    return typeof content === "string" && content.length <= 8192 ? content : undefined;
  }

  #setEnvelope({ id, object, created, model }: ChatCompletionChunk): void {
    this.#id = id;
    const envelope = JSON.stringify({ id, object, created, model });
    this.#beforeText = `data: ${envelope.slice(0, -1)},"choices":[{"index":0,"delta":{"content":`;
  }
}

/** The frame that ends a failed stream. */
export function errorFrame(error: ErrorObject): string {
  return `data: ${JSON.stringify({ error })}\n\n`;
}

/** A chunk that does not fit one line (large `custom_outputs`, say). */
function longFrame(chunk: ChatCompletionChunk): string {
  const lines = severalLines(chunk);
  if (lines.some(isTooLong)) {
    throw new ChatModelError(
      `Cannot stream the answer: a single value in it is longer than ${MAX_LINE} bytes. Ask without "stream", or let the model give it in pieces`,
      { code: "chunk_too_long" },
    );
  }
  return `${lines.join("\n")}\n\n`;
}
