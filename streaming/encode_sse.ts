import { type ChatCompletionChunk, ChatModelError, type ErrorObject } from "../types/mod.ts";
import { ChunkEncoder, errorFrame } from "./_chunk_encoder.ts";
import { ChatCompletionStream } from "./chat_completion_stream.ts";

/** Options for {@linkcode encodeSse}. */
export interface EncodeSseOptions {
  /** Whether to send the chunk with the usage, and `usage: null` in those before it. @default {false} */
  readonly includeUsage?: boolean;
  /**
   * Milliseconds without a frame after which a comment is sent to keep the connection open; 0 sends none.
   * @default {15_000}
   */
  readonly keepAliveInterval?: number;
  /** Makes the error frame's content of what the stream failed with. Default: by {@linkcode ChatModelError.from}. */
  readonly toErrorObject?: (error: unknown) => ErrorObject;
  /** Called once, when all has been given to the reader, or the reader has left. */
  readonly onClose?: () => void;
}

/** Turns of the microtask queue for which a frame waits for others, so as to be sent together with them. */
const TURNS = 6;

/** The longest that a timer can run: a longer one fires at once. In milliseconds, about 25 days. */
const MAX_TIMER = 2 ** 31 - 1;

/** Text is sent when it is this long, without waiting for more. In UTF-16 units. */
const FLUSH_LENGTH = 16_384;

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(": keep-alive\n\n");

/**
 * Writes a canonical stream as OpenAI's event stream: a frame for each chunk, then `data: [DONE]`. A stream that fails
 * ends with a frame that has only `error`, and without `[DONE]`.
 *
 * One pull-based stream: nothing is asked of the model before the client reads, and frames that are ready together
 * leave together. No line is longer than 64 KiB.
 *
 * @example Usage
 * ```ts
 * import { encodeSse, normalise } from "@chatmodel/chat-model/streaming";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const text = await new Response(encodeSse(normalise(["Hi"]))).text();
 * assertStringIncludes(text, '"delta":{"content":"Hi"}');
 * assertStringIncludes(text, "data: [DONE]\n\n");
 * ```
 *
 * @param chunks A canonical stream. Cancelling the result calls its `return()` at once.
 * @param options Usage, comments and errors.
 * @returns The bytes.
 */
export function encodeSse(
  chunks: AsyncIterable<ChatCompletionChunk>,
  options: EncodeSseOptions = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const stream = chunks instanceof ChatCompletionStream ? chunks : new ChatCompletionStream(chunks);
  return encodeFrames(stream, chatFrames(options), options);
}

/** Makes the frames of chat completions. */
export function chatFrames(options: Pick<EncodeSseOptions, "includeUsage" | "toErrorObject"> = {}): FrameWriter {
  const { toErrorObject = (error) => ChatModelError.from(error).toErrorObject(), includeUsage = false } = options;
  const chunkEncoder = new ChunkEncoder(includeUsage);
  return {
    begin: () => "",
    encode: (chunk) => chunkEncoder.encode(chunk),
    end: () => "data: [DONE]\n\n",
    fail: (error) => errorFrame(toErrorObject(error)),
  };
}

/** Writes the frames of an answer: which events a stream consists of. */
export interface FrameWriter {
  /** The frames before all others; sent without waiting for the model. */
  begin(): string;
  /** The frames of a chunk; may be none. */
  encode(chunk: ChatCompletionChunk): string;
  /** The frames that end an answer. */
  end(): string | Promise<string>;
  /** The frames that end a stream that failed. */
  fail(error: unknown): string;
}

/**
 * Writes a canonical stream as an event stream, frames as the writer makes them.
 *
 * @param stream A canonical stream. Cancelling the result calls its `return()` at once.
 * @param writer Makes the frames. It is told of the end or of a failure, of neither when the reader leaves, and of both only
 * if ending fails.
 * @param options Comments.
 * @returns The bytes.
 */
export function encodeFrames(
  stream: ChatCompletionStream,
  writer: FrameWriter,
  options: Pick<EncodeSseOptions, "keepAliveInterval" | "onClose"> = {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(new SseSource(stream, writer, options));
}

class SseSource implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  readonly #stream: ChatCompletionStream;
  readonly #writer: FrameWriter;
  readonly #options: Pick<EncodeSseOptions, "keepAliveInterval" | "onClose">;
  #timer: ReturnType<typeof setInterval> | undefined;
  #silent = true;
  #begun = false;
  #cancelled = false;

  constructor(
    stream: ChatCompletionStream,
    writer: FrameWriter,
    options: Pick<EncodeSseOptions, "keepAliveInterval" | "onClose">,
  ) {
    this.#stream = stream;
    this.#writer = writer;
    this.#options = options;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    let text = "";
    try {
      if (!this.#begun) {
        this.#begun = true;
        text = this.#writer.begin();
      }
      while (text.length < FLUSH_LENGTH) {
        let batch = this.#stream.poll();
        for (let turn = 0; batch === undefined && turn < TURNS; turn++) {
          await undefined;
          batch = this.#stream.poll();
        }
        if (batch === undefined) {
          if (text !== "") break;
          this.#keepAlive(controller);
          batch = await this.#stream.nextBatch();
        }
        if (batch.length === 0) {
          if (this.#cancelled) return;
          const ending = this.#writer.end();
          this.#send(controller, text + (typeof ending === "string" ? ending : await ending));
          return this.#close(controller);
        }
        for (const chunk of batch) text += this.#writer.encode(chunk);
      }
    } catch (error) {
      void this.#stream.return();
      if (this.#cancelled) return;
      this.#send(controller, text + this.#writer.fail(error));
      return this.#close(controller);
    }
    this.#send(controller, text);
  }

  async cancel(): Promise<void> {
    this.#cancelled = true;
    clearInterval(this.#timer);
    const stopped = this.#stream.return();
    this.#options.onClose?.();
    await stopped;
  }

  #send(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>, text: string): void {
    if (this.#cancelled) return;
    this.#silent = false;
    controller.enqueue(encoder.encode(text));
  }

  #close(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    if (this.#cancelled) return;
    clearInterval(this.#timer);
    controller.close();
    this.#options.onClose?.();
  }

  /** Begins to send comments; from the first real wait on, since most short answers never need them. */
  #keepAlive(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    const { keepAliveInterval = 15_000 } = this.#options;
    if (this.#timer !== undefined || keepAliveInterval <= 0 || keepAliveInterval > MAX_TIMER) return;
    this.#timer = setInterval(() => {
      // Not into a full queue: a client that does not read needs no comments.
      if (this.#silent && (controller.desiredSize ?? 0) > 0) controller.enqueue(KEEP_ALIVE);
      this.#silent = true;
    }, keepAliveInterval);
  }
}
