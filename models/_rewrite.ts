import type { Resolution } from "./_module_graph.ts";

/** Text to put in place of a part of a file. Offsets are of UTF-16 code units. */
export interface Edit {
  /** Where the part begins. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** What comes there. */
  readonly text: string;
}

/** The text of a file with the edits made. All else stays as it is. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let position = 0;
  for (const edit of [...edits].sort((one, other) => one.start - other.start)) {
    if (edit.start < position) continue; // Two imports at one place: their targets are the same.
    result += text.slice(position, edit.start) + edit.text;
    position = edit.end;
  }
  return result + text.slice(position);
}

/** A specifier as it stands in a file. */
export interface WrittenSpecifier {
  /** Where it begins, quotes left out. */
  readonly start: number;
  /** Where it ends, quotes left out. */
  readonly end: number;
  /** What stands there. */
  readonly text: string;
  /** Whether it is one literal; else it is in a comment that does without quotes, or the expression of a dynamic import. */
  readonly quoted: boolean;
}

/** One literal without anything put in. */
const LITERAL = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\$]|\\.|\$(?!\{))*`)$/s;

/** Finds what Deno's line and column mean in one file. */
export class SourceText {
  /** The file's text, without a byte order mark. */
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  /**
   * @param text The text without a byte order mark: Deno counts from behind it.
   */
  constructor(text: string) {
    this.text = text;
    // Deno counts lines by \n alone: neither \r nor U+2028 begins one.
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  /** The specifier at a place; `undefined` if none stands there, as with the one that a JSX file imports by itself. */
  at(span: Resolution["span"]): WrittenSpecifier | undefined {
    if (span === undefined) return undefined;
    const start = this.#offset(span.start.line, span.start.character);
    const end = this.#offset(span.end.line, span.end.character);
    if (end <= start) return undefined;
    const text = this.text.slice(start, end);
    if (!LITERAL.test(text)) return { start, end, text, quoted: false };
    return { start: start + 1, end: end - 1, text: text.slice(1, -1), quoted: true };
  }

  /** Line and column of an offset, from 1, as editors count them. */
  place(offset: number): string {
    let line = this.#lineStarts.findIndex((start) => start > offset);
    if (line === -1) line = this.#lineStarts.length;
    return `${line}:${offset - (this.#lineStarts[line - 1] ?? 0) + 1}`;
  }

  /** Columns are of characters: one for what takes two code units, such as an emoji. */
  #offset(line: number, column: number): number {
    let offset = this.#lineStarts[line] ?? this.text.length;
    for (let left = column; left > 0 && offset < this.text.length; left--) {
      offset += (this.text.codePointAt(offset) ?? 0) > 0xFFFF ? 2 : 1;
    }
    return offset;
  }
}

/** A specifier as it can stand where another stood, between quotes of whichever kind. */
export function escapeSpecifier(specifier: string): string {
  return specifier.replace(/[\\'"`]|\$(?=\{)/g, "\\$&");
}
