import { UpstreamError } from "../types/mod.ts";
import type { SseEvent } from "./sse_event.ts";
import type { LineParser } from "./_line_batches.ts";

/** Reads the lines of an event stream as the HTML standard tells ("Interpreting an event stream"). */
export class SseParser implements LineParser<SseEvent> {
  readonly endsAtCarriageReturn = true;
  #maxLength: number;
  #data: string | undefined;
  #event = "";
  #id = "";

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  parse(lines: string, batch: SseEvent[]): void {
    const text = lines.includes("\r") ? lines.replace(/\r\n?/g, "\n") : lines;
    for (let start = 0; start < text.length;) {
      let end = text.indexOf("\n", start);
      if (end < 0) end = text.length;
      if (end === start) this.finish(batch);
      else this.#readLine(text.slice(start, end));
      start = end + 1;
    }
  }

  finish(batch: SseEvent[]): void {
    if (this.#data !== undefined) {
      batch.push({
        ...(this.#event !== "" && { event: this.#event }),
        data: this.#data,
        ...(this.#id !== "" && { id: this.#id }),
      });
    }
    this.#data = undefined;
    this.#event = "";
  }

  #readLine(line: string): void {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === "data") this.#addData(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    // All else is no one's business here: comments have an empty name, `retry` is for those who connect anew.
  }

  #addData(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    if (this.#data.length > this.#maxLength) {
      throw new UpstreamError(
        `Cannot read event: its data is longer than ${this.#maxLength} bytes. Raise 'maxLineLength' if it may be`,
        { code: "upstream_bad_record" },
      );
    }
  }
}
