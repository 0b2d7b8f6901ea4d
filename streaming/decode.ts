import { UpstreamError } from "../types/mod.ts";
import { ByteBuffer } from "./_byte_buffer.ts";
import { LineBatches } from "./_line_batches.ts";
import { NdjsonParser } from "./_ndjson_parser.ts";
import { SseParser } from "./_sse_parser.ts";
import type { SseEvent } from "./sse_event.ts";

const decoder = new TextDecoder();

/** Options for {@linkcode decodeNdjson} and {@linkcode decodeSse}. */
export interface DecodeOptions {
  /** Ends the reading and cancels the stream at once, also while a read waits. */
  readonly signal?: AbortSignal;
  /**
   * Longest line in bytes, its line feed not counted; in an event stream also the most that one event's data may have.
   * The default is what Ollama itself allows.
   *
   * @default {8_388_608}
   */
  readonly maxLineLength?: number;
}

/** Options for {@linkcode readText}. */
export interface ReadTextOptions {
  /** Ends the reading and cancels the stream at once, also while a read waits. */
  readonly signal?: AbortSignal;
  /**
   * Longest body in bytes.
   *
   * @default {67_108_864}
   */
  readonly maxLength?: number;
}

/**
 * Reads newline-delimited JSON: batches of lines as text, not parsed. A batch holds all lines that one packet
 * completed, and is never empty.
 *
 * Lines end with LF or CRLF, the last one may lack its end. Blank lines and a byte order mark at the start are left
 * out. The stream is locked from now on, and cancelled at once by `return()` (which `break` calls) and by the signal.
 *
 * @param stream Bytes, cut anywhere.
 * @param options Limits and a signal.
 * @returns The batches. They end with `signal.reason` on abort, with what the stream itself failed with, and after the
 * good lines with an {@linkcode UpstreamError} of code `upstream_bad_record` where a line is too long or not UTF-8.
 * @throws {TypeError} If the stream is locked.
 */
export function decodeNdjson(
  stream: ReadableStream<Uint8Array>,
  options: DecodeOptions = {},
): AsyncIterableIterator<string[], undefined, void> {
  const { signal, maxLineLength = 8_388_608 } = options;
  return new LineBatches(new ByteBuffer(stream, signal), new NdjsonParser(), maxLineLength);
}

/**
 * Reads server-sent events as the HTML standard tells, in batches: all events that one packet completed, never an
 * empty batch.
 *
 * It differs from the standard in one point: an event with data that is not closed by a blank line when the stream
 * ends counts, since some servers leave out the blank line after their last event, such as `data: [DONE]`.
 *
 * @param stream Bytes, cut anywhere.
 * @param options Limits and a signal.
 * @returns The batches. They end as those of {@linkcode decodeNdjson} do.
 * @throws {TypeError} If the stream is locked.
 */
export function decodeSse(
  stream: ReadableStream<Uint8Array>,
  options: DecodeOptions = {},
): AsyncIterableIterator<SseEvent[], undefined, void> {
  const { signal, maxLineLength = 8_388_608 } = options;
  return new LineBatches(new ByteBuffer(stream, signal), new SseParser(maxLineLength), maxLineLength);
}

/**
 * Reads a whole body as text, like `Response.text()`: a byte order mark is left out, bytes that are not UTF-8 become
 * U+FFFD. Unlike that one it can be aborted at any time.
 *
 * @param stream Bytes; `null` (no body) is read as an empty text.
 * @param options Limits and a signal.
 * @returns The text.
 * @throws {UpstreamError} If the body is longer than `maxLength`.
 * @throws {TypeError} If the stream is locked.
 */
export async function readText(
  stream: ReadableStream<Uint8Array> | null,
  options: ReadTextOptions = {},
): Promise<string> {
  const { signal, maxLength = 67_108_864 } = options;
  if (stream === null) {
    signal?.throwIfAborted();
    return "";
  }
  const buffer = new ByteBuffer(stream, signal);
  try {
    while (await buffer.fill()) {
      if (buffer.end <= maxLength) continue;
      buffer.cancel();
      throw new UpstreamError(
        `Cannot read body: it is longer than ${maxLength} bytes. Raise 'maxLength' if it may be`,
        { code: "upstream_bad_record" },
      );
    }
    return decoder.decode(buffer.bytes.subarray(0, buffer.end));
  } finally {
    buffer.release();
  }
}
