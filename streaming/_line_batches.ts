import { UpstreamError } from "../types/mod.ts";
import type { ByteBuffer } from "./_byte_buffer.ts";

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

// The fatal decoder takes a slower path in Deno, so it is asked only where the other one had to replace something.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const fatalDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Makes something of lines. */
export interface LineParser<T> {
  /** Whether a carriage return alone ends a line, too. */
  readonly endsAtCarriageReturn: boolean;
  /**
   * Takes whole lines with their line ends (the stream's last one may lack it) and appends what they complete.
   * What it appended before it throws still counts.
   */
  parse(lines: string, batch: T[]): void;
  /** Appends what is left at the stream's end. */
  finish(batch: T[]): void;
}

/**
 * Reads lines, and yields at once all that one packet completed.
 *
 * Written by hand since the `return()` of an async generator would wait for the read that is under way.
 */
export class LineBatches<T> implements AsyncIterableIterator<T[], undefined, void> {
  #buffer: ByteBuffer;
  #parser: LineParser<T>;
  #maxLineLength: number;
  #state: "open" | "ended" | "failed" = "open";
  #failure: unknown;
  #busy = false;
  #waiting: (() => void)[] = [];
  #atStart = true;
  #afterCarriageReturn = false;

  constructor(buffer: ByteBuffer, parser: LineParser<T>, maxLineLength: number) {
    this.#buffer = buffer;
    this.#parser = parser;
    this.#maxLineLength = maxLineLength;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T[], undefined>> {
    if (this.#busy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy = true;
    try {
      while (this.#state === "open") {
        const batch = await this.#read();
        if (batch.length > 0) return { done: false, value: batch };
      }
      if (this.#state === "failed") {
        this.#state = "ended";
        throw this.#failure;
      }
      return { done: true, value: undefined };
    } finally {
      this.#busy = false;
      this.#waiting.shift()?.();
    }
  }

  return(): Promise<IteratorResult<T[], undefined>> {
    this.#end("ended");
    return Promise.resolve({ done: true, value: undefined });
  }

  #end(state: "ended" | "failed"): void {
    this.#state = state;
    this.#buffer.cancel();
    this.#buffer.release();
  }

  async #read(): Promise<T[]> {
    const buffer = this.#buffer;
    const known = buffer.end - buffer.start;
    const batch: T[] = [];
    try {
      const more = await buffer.fill();
      if (this.#state !== "open") buffer.release(); // return() came meanwhile
      else this.#take(known, more, batch);
    } catch (error) {
      this.#failure = error;
      this.#end("failed");
    }
    return batch;
  }

  /** Parses all whole lines, and after the last packet also what stands behind the last line end. */
  #take(known: number, more: boolean, batch: T[]): void {
    const buffer = this.#buffer;
    let searchFrom = buffer.start + known;
    if (this.#afterCarriageReturn && buffer.start < buffer.end) {
      this.#afterCarriageReturn = false;
      if (buffer.bytes[buffer.start] === LINE_FEED) searchFrom = ++buffer.start;
    }
    const end = more ? this.#endOfLines(searchFrom) : buffer.end;
    // The lines before a bad one count as if they had come in a packet of their own.
    const long = buffer.end - buffer.start > this.#maxLineLength ? this.#findLine(this.#isTooLong) : -1;
    if (long >= 0) {
      this.#parse(long, batch);
      throw new UpstreamError(
        `Cannot read line: it is longer than ${this.#maxLineLength} bytes. Raise 'maxLineLength' if it may be`,
        { code: "upstream_bad_record" },
      );
    }
    this.#parse(end, batch);
    if (!more) {
      this.#parser.finish(batch);
      this.#end("ended");
    }
  }

  #parse(end: number, batch: T[]): void {
    const buffer = this.#buffer;
    if (end <= buffer.start) return;
    let text = decoder.decode(buffer.bytes.subarray(buffer.start, end));
    let isValid = true;
    if (text.includes("\ufffd") && !isUtf8(buffer.bytes.subarray(buffer.start, end))) {
      isValid = false;
      text = decoder.decode(buffer.bytes.subarray(buffer.start, this.#findLine(this.#isNotUtf8)));
    }
    if (this.#atStart && text !== "") {
      this.#atStart = false;
      if (text.startsWith("\ufeff")) text = text.slice(1);
    }
    buffer.start = end;
    this.#parser.parse(text, batch);
    if (!isValid) throw new UpstreamError("Cannot read line: it is not valid UTF-8", { code: "upstream_bad_record" });
  }

  /** Where the last whole line ends, its line end included; the first byte if there is none. */
  #endOfLines(from: number): number {
    const { bytes, start, end } = this.#buffer;
    const added = bytes.subarray(from, end);
    let position = added.lastIndexOf(LINE_FEED);
    if (this.#parser.endsAtCarriageReturn) {
      position = Math.max(position, added.lastIndexOf(CARRIAGE_RETURN));
      this.#afterCarriageReturn = position >= 0 && from + position === end - 1 && added[position] === CARRIAGE_RETURN;
    }
    return position < 0 ? start : from + position + 1;
  }

  /** Where the first line begins that is as told; -1 if none is. */
  #findLine(isSuch: (line: Uint8Array) => boolean): number {
    const { bytes, end } = this.#buffer;
    const byCarriageReturn = this.#parser.endsAtCarriageReturn;
    for (let start = this.#buffer.start; start < end;) {
      let stop = start;
      while (stop < end && bytes[stop] !== LINE_FEED && !(byCarriageReturn && bytes[stop] === CARRIAGE_RETURN)) stop++;
      if (isSuch(bytes.subarray(start, stop))) return start;
      start = stop + 1;
    }
    return -1;
  }

  #isTooLong = (line: Uint8Array) => line.length > this.#maxLineLength;
  #isNotUtf8 = (line: Uint8Array) => !isUtf8(line);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    fatalDecoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
