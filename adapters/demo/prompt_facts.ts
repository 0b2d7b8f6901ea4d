import { findName, isWordCharacter } from "./words.ts";

/**
 * Something in a prompt that can become a value. `text`: what stands between quotation marks; `plain`: a date, e-mail
 * address, URL or UUID without quotation marks.
 */
export type PromptFact =
  & (
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "plain"; readonly value: string }
    | { readonly kind: "number"; readonly value: number }
    | { readonly kind: "boolean"; readonly value: boolean }
  )
  & {
    /** Where it begins in the prompt, quotation mark included. */
    readonly start: number;
    /** Where it ends. */
    readonly end: number;
  };

/** A prompt and what was found in it. */
export interface PromptFacts {
  /** The prompt itself. */
  readonly text: string;
  /** The facts in order of their occurrence. */
  readonly items: readonly PromptFact[];
}

/** Opening quotation mark → the marks that may close it. */
const QUOTES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ["“", "”"],
  ["”", "”"],
  ["„", "“”"],
  ["‘", "’"],
  ["‚", "‘’"],
  ["«", "»"],
  ["»", "«"],
  ["‹", "›"],
  ["「", "」"],
  ["『", "』"],
  ["《", "》"],
]);

/** Marks that are also apostrophes or signs of measure (5'): they neither open behind a word nor close before one. */
const APOSTROPHES = new Set(['"', "'", "`", "‘", "‚", "’"]);

const PLAIN =
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>«»“”]{1,2000}|[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))?(?!\d)/giu;

const NUMBER =
  /(?<![\p{L}\p{M}\p{N}_.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?(?:e[-+]?\d{1,3})?(?![\p{N}_])/giu;

const BOOLEAN = /(?<![\p{L}\p{N}_])(?:true|false|yes|no)(?![\p{L}\p{N}_])/giu;

/** Most facts taken from a prompt: every property of a schema may look at all of them. */
const MOST_FACTS = 1_000;

/**
 * Reads what a prompt offers to fill in: quoted texts (any common quotation marks, any script, copied exactly),
 * dates, e-mail addresses, URLs, UUIDs, numbers (`3`, `-2.5`, `1,000`), and the words true, false, yes, no.
 * What stands inside one fact is no further fact. At most 1,000 are read, in time linear in the prompt's length.
 *
 * @param text The prompt.
 * @returns The facts in order.
 */
export function readPromptFacts(text: string): PromptFacts {
  const items = findQuoted(text);
  let rest = blankOut(text, items);
  for (const { 0: match, index: start } of rest.matchAll(PLAIN)) {
    const value = match.replace(/[.,;:!?)\]}]+$/u, "");
    items.push({ kind: "plain", value, start, end: start + value.length });
  }
  rest = blankOut(text, items);
  for (const { 0: match, index: start } of rest.matchAll(NUMBER)) {
    const value = Number(match.replaceAll(",", "").replace("−", "-"));
    if (Number.isFinite(value)) items.push({ kind: "number", value, start, end: start + match.length });
  }
  for (const { 0: match, index: start } of rest.matchAll(BOOLEAN)) {
    items.push({ kind: "boolean", value: /^(?:true|yes)$/i.test(match), start, end: start + match.length });
  }
  items.sort((one, other) => one.start - other.start);
  return { text, items: items.slice(0, MOST_FACTS) };
}

/** Replaces what is taken by as many characters that no pattern matches: all else keeps its place. */
function blankOut(text: string, items: readonly PromptFact[]): string {
  let blanked = "";
  let end = 0;
  for (const item of items.toSorted((one, other) => one.start - other.start)) {
    blanked += text.slice(end, item.start) + "\u0000".repeat(item.end - item.start);
    end = item.end;
  }
  return blanked + text.slice(end);
}

/** Finds quoted texts from left to right; quotation marks inside quotation marks belong to the text. */
function findQuoted(text: string): PromptFact[] {
  const found: PromptFact[] = [];
  // An opening mark without a closing one tells that later ones have none either: this keeps the search linear.
  const unclosed = new Set<string>();
  for (let start = 0; start < text.length; start++) {
    const opening = text.charAt(start);
    const closing = QUOTES.get(opening);
    if (closing === undefined || unclosed.has(opening)) continue;
    if (APOSTROPHES.has(opening) && isWordCharacter(text[start - 1])) continue;
    const end = findClosing(text, start + 1, closing);
    if (end === -1) {
      unclosed.add(opening);
    } else {
      if (end > start + 1) found.push({ kind: "text", value: text.slice(start + 1, end), start, end: end + 1 });
      start = end;
    }
  }
  return found;
}

function findClosing(text: string, from: number, closing: string): number {
  for (let position = from; position < text.length; position++) {
    const mark = text.charAt(position);
    if (closing.includes(mark) && !(APOSTROPHES.has(mark) && isWordCharacter(text[position + 1]))) return position;
  }
  return -1;
}

/**
 * Reads the value a prompt gives for a name: `limit = 3`, `city: "Paris"`, `unit=celsius`, `name: Jane Doe`.
 *
 * @param facts The prompt.
 * @param name The name, exactly.
 * @returns The value, and the fact it is (if it is one); `undefined` if the prompt gives none.
 */
export function readNamedValue(
  facts: PromptFacts,
  name: string,
): { readonly value: string | number | boolean; readonly fact?: PromptFact } | undefined {
  const { text, items } = facts;
  for (let position = findName(text, name); position !== -1; position = findName(text, name, position + 1)) {
    const sign = matchAt(/["'`]?[ \t]*([=:：])[ \t]*/uy, text, position + name.length);
    if (sign === undefined) continue;
    const start = position + name.length + sign[0].length;
    const fact = items.find((item) => item.start === start);
    if (fact !== undefined) return { value: fact.value, fact };
    const bare = matchAt(sign[1] === "=" ? /[^\s,;"'()]{1,1000}/uy : /[^,;\n"'()]{1,1000}/uy, text, start)?.[0].trim();
    const value = bare?.replace(/[.!?]+$/u, "");
    if (value) return { value };
  }
  return undefined;
}

function matchAt(sticky: RegExp, text: string, position: number): RegExpExecArray | undefined {
  sticky.lastIndex = position;
  return sticky.exec(text) ?? undefined;
}
