/** What the tests of the decoders share. */
import { assert, assertEquals } from "@std/assert";
import { UpstreamError } from "../../types/mod.ts";

/** What a stream's decoding came to: all items, and the code of the error it ended with. */
export interface Outcome<T> {
  readonly items: T[];
  readonly error?: unknown;
}

export type StreamKind = "bytes" | "default";

/** Cuts bytes at the given places. */
export function cut(bytes: Uint8Array<ArrayBuffer>, places: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > start) pieces.push(bytes.slice(start, end));
    start = end;
  }
  return pieces;
}

/** A stream of the pieces, one a read. */
export function streamOf(pieces: readonly Uint8Array<ArrayBuffer>[], kind: StreamKind): ReadableStream<Uint8Array> {
  let next = 0;
  if (kind === "default") {
    return new ReadableStream({
      pull(controller) {
        const piece = pieces[next++];
        if (piece) controller.enqueue(piece.slice());
        else controller.close();
      },
    });
  }
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const piece = pieces[next++];
      if (piece) controller.enqueue(piece.slice());
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
  });
}

export async function outcome<T>(batches: AsyncIterable<T[]>): Promise<Outcome<T>> {
  const items: T[] = [];
  try {
    for await (const batch of batches) {
      assert(batch.length > 0, "an empty batch");
      items.push(...batch);
    }
  } catch (error) {
    return { items, error: UpstreamError.isInstance(error) ? error.code : error };
  }
  return { items };
}

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Checks a decoder over both kinds of stream and: in one piece, one byte a piece, every single cut. */
export async function assertDecodes<T>(
  decode: (stream: ReadableStream<Uint8Array>) => AsyncIterable<T[]>,
  { bytes, expected }: { bytes: Uint8Array<ArrayBuffer>; expected: Outcome<T> },
): Promise<void> {
  const cuts = [[], [...bytes.keys()], ...[...bytes.keys()].map((place) => [place])];
  for (const kind of ["bytes", "default"] as const) {
    for (const places of cuts) {
      assertEquals(await outcome(decode(streamOf(cut(bytes, places), kind))), expected, `${kind}, cut at ${places}`);
    }
  }
}

/** A stream that never sends a further byte after `first`, and tells when it is cancelled. */
export function stalling(
  first: string,
  kind: StreamKind,
): { readonly stream: ReadableStream<Uint8Array>; readonly reasons: unknown[] } {
  const reasons: unknown[] = [];
  const source = {
    start(controller: { enqueue(bytes: Uint8Array<ArrayBuffer>): void }) {
      if (first !== "") controller.enqueue(encode(first));
    },
    pull: () => new Promise<void>(() => {}),
    cancel: (reason: unknown) => {
      reasons.push(reason);
    },
  };
  const stream: ReadableStream<Uint8Array> = kind === "bytes"
    ? new ReadableStream({ type: "bytes", ...source })
    : new ReadableStream<Uint8Array>(source);
  return { stream, reasons };
}

export const BAD_RECORD = "upstream_bad_record";
