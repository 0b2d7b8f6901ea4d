/** Bodies that come compressed. */
import type { Transform } from "node:stream";
import { ChatModelError } from "../types/mod.ts";

/** What bodies may be encoded with, as `Accept-Encoding` says it. */
export const ENCODINGS = "gzip, deflate, br, zstd";

/** Bytes that are decoded at once: a few can become a thousand times as many, before anyone can count them. */
const STEP = 4_096;

/**
 * What a body is encoded with: by RFC 9110 §8.4, with any case, and `identity` for nothing.
 *
 * @throws {ChatModelError} Status 415, if it is nothing that is known. Encodings upon each other are none either.
 */
export function encodingOf(header: string): Encoding | undefined {
  const encoding = header.trim().toLowerCase();
  switch (encoding) {
    case "":
    case "identity":
      return undefined;
    case "x-gzip":
      return "gzip";
    case "gzip":
    case "deflate":
    case "br":
    case "zstd":
      return encoding;
  }
  throw new ChatModelError(
    `Cannot read request body: content encoding "${header}" is not supported. Send it plain, or as one of ${ENCODINGS}`,
    { code: "unsupported_encoding" },
  );
}

/** An encoding that can be undone. */
export type Encoding = "gzip" | "deflate" | "br" | "zstd";

/** Undoes an encoding, as the result is read. */
export async function decodeBody(
  body: ReadableStream<Uint8Array>,
  encoding: Encoding,
): Promise<ReadableStream<Uint8Array>> {
  const steps = ReadableStream.from(inSteps(body));
  if (encoding === "gzip" || encoding === "deflate") return steps.pipeThrough(new DecompressionStream(encoding));
  // The web's streams know neither; and most servers are never sent any.
  const [{ createBrotliDecompress, createZstdDecompress }, { pipeline }] = await Promise.all([
    import("node:zlib"),
    import("node:stream/promises"),
  ]);
  const decoder = encoding === "br" ? createBrotliDecompress() : createZstdDecompress();
  const feeding = pipeline(steps, decoder);
  feeding.catch(() => {}); // Who reads is told.
  return ReadableStream.from(read(decoder));
}

async function* inSteps(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of body) {
    for (let start = 0; start < chunk.length; start += STEP) yield new Uint8Array(chunk.subarray(start, start + STEP));
  }
}

async function* read(decoder: Transform): AsyncGenerator<Uint8Array> {
  for await (const piece of decoder) yield piece;
}
