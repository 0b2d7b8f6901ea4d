/** A line of a file. */
export interface Line {
  /** Its number, from 1. */
  readonly number: number;
  /** Its text, without the line break. */
  readonly text: string;
}

/**
 * Reads text line by line, holding no more than one line and one piece of the text.
 *
 * @param pieces The text, in pieces of any size.
 * @returns The lines. They end by LF or CR LF; the last one need not.
 */
export async function* readLines(pieces: AsyncIterable<string>): AsyncGenerator<Line> {
  let number = 0;
  let begun: string[] = [];
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      begun.push(piece.slice(start, end));
      yield { number: ++number, text: withoutReturn(begun.join("")) };
      begun = [];
      start = end + 1;
    }
    if (start < piece.length) begun.push(piece.slice(start));
  }
  if (begun.length > 0) yield { number: ++number, text: withoutReturn(begun.join("")) };
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
