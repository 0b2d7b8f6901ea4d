import type { LineParser } from "./_line_batches.ts";

/** What JSON does not take for white space. */
const NOT_BLANK_REGEXP = /[^ \t\r]/;

/** Hands lines on as they are, but for blank ones. */
export class NdjsonParser implements LineParser<string> {
  readonly endsAtCarriageReturn = false;

  parse(lines: string, batch: string[]): void {
    for (let start = 0; start < lines.length;) {
      let end = lines.indexOf("\n", start);
      if (end < 0) end = lines.length;
      const line = lines.slice(start, lines.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end);
      if (line.charCodeAt(0) > 32 || NOT_BLANK_REGEXP.test(line)) batch.push(line);
      start = end + 1;
    }
  }

  finish(): void {}
}
