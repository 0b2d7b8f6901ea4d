/** Bodies that come compressed. */
import type { Transform } from "node:stream";
import type { Zlib } from "node:zlib";
import { ChatModelError } from "../types/mod.ts";

/** What bodies may be encoded with, as `Accept-Encoding` says it. */
export const ENCODINGS = "gzip, deflate, br, zstd";

/** Frames of zstd that one body may be made of: each of them costs, however small it is. */
const MAX_FRAMES = 100;

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

/**
 * Undoes an encoding: of several members, where it may have them (RFC 1952 §2.2, RFC 8878 §3), and of nothing else.
 *
 * @param body The whole body as it came.
 * @param encoding What it should be encoded with.
 * @param maxSize Bytes that may become of it: at more, decoding stops.
 * @returns What became of it; `undefined` if it is too much.
 * @throws {ChatModelError} Status 400, if the body is not so encoded, ends too early, or something follows it.
 */
export async function decodeBody(
  body: Uint8Array,
  encoding: Encoding,
  maxSize: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // Node takes what ends too early for whole, if it is br or zstd. What is whole leaves this byte unread.
  const bytes = new Uint8Array(body.length + 1);
  bytes.set(body);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let [start, size, frames] = [0, 0, 0];
  do {
    const decoder = await createDecoder(encoding);
    decoder.end(bytes.subarray(start));
    try {
      for await (const piece of decoder) {
        size += piece.length;
        if (size > maxSize) return undefined;
        pieces.push(new Uint8Array(piece));
      }
    } catch (error) {
      throw invalid(encoding, { cause: error });
    }
    start += decoder.bytesWritten;
    frames++;
    // All members of gzip are undone at once, of zstd one.
  } while (encoding === "zstd" && start < body.length && frames < MAX_FRAMES);
  if (start > body.length) throw invalid(encoding, { how: "whole " });
  if (start < body.length) throw invalid(encoding, { how: "only " });
  return await new Response(new Blob(pieces)).bytes();
}

/** Loaded when it is needed: most servers are never sent any. */
async function createDecoder(encoding: Encoding): Promise<Transform & Zlib> {
  const { createGunzip, createInflate, createBrotliDecompress, createZstdDecompress } = await import("node:zlib");
  switch (encoding) {
    case "gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    case "zstd":
      return createZstdDecompress();
  }
}

function invalid(
  encoding: Encoding,
  { how = "", cause }: { readonly how?: string; readonly cause?: unknown },
): ChatModelError {
  return new ChatModelError(
    `Cannot read request body: it is not ${how}"${encoding}", as its Content-Encoding header says`,
    { code: "invalid_encoding", cause },
  );
}
