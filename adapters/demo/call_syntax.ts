import { readPromptFacts } from "./prompt_facts.ts";
import { findName } from "./words.ts";

/** An argument of a call written out in a prompt. */
export interface CallArgument {
  /** Name, if it is written; else the position counts. */
  readonly name?: string;
  /** Value: JSON if it reads as such, else the text as it is. */
  readonly value: unknown;
}

/** A call written out in a prompt. */
export interface WrittenCall {
  /** Its arguments in order. */
  readonly arguments: readonly CallArgument[];
  /** Where the call begins in the prompt. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

const CLOSING: ReadonlyMap<string, string> = new Map([["(", ")"], ["[", "]"], ["{", "}"]]);

/**
 * Reads a call of a function as programmers write it: `magic_function(3)`, `add(a=1, b=2)`, `find({"name": "x"})`.
 *
 * @param text The prompt.
 * @param name Name of the function.
 * @returns The first complete call, or `undefined`.
 */
export function readWrittenCall(text: string, name: string): WrittenCall | undefined {
  for (let start = findName(text, name); start !== -1; start = findName(text, name, start + 1)) {
    const open = start + name.length;
    if (text[open] !== "(") continue;
    const parts = splitArguments(text, open + 1);
    if (parts === undefined) return undefined;
    const [only] = parts.texts;
    const object = parts.texts.length === 1 && only !== undefined ? parseJson(only) : undefined;
    const read = isPlainObject(object)
      ? Object.entries(object).map(([name, value]) => ({ name, value }))
      : parts.texts.map(readArgument);
    return { arguments: read, start, end: parts.end };
  }
  return undefined;
}

/** Splits at the commas outside quotation marks and brackets, up to the bracket that closes the call. */
function splitArguments(text: string, from: number): { texts: string[]; end: number } | undefined {
  const texts: string[] = [];
  const expected: string[] = [")"];
  let begin = from;
  let quote = "";
  for (let position = from; position < text.length; position++) {
    const character = text.charAt(position);
    if (quote !== "") {
      if (character === "\\") position++;
      else if (character === quote) quote = "";
      continue;
    }
    const closing = CLOSING.get(character);
    if (character === '"' || character === "'") {
      quote = character;
    } else if (closing !== undefined) {
      expected.push(closing);
    } else if (character === expected.at(-1)) {
      expected.pop();
      if (expected.length === 0) {
        const last = text.slice(begin, position);
        if (texts.length > 0 || last.trim() !== "") texts.push(last);
        return { texts, end: position + 1 };
      }
    } else if (character === "," && expected.length === 1) {
      texts.push(text.slice(begin, position));
      begin = position + 1;
    }
  }
  return undefined;
}

function readArgument(text: string): CallArgument {
  const named = /^\s*([\p{L}_$][\p{L}\p{N}_$]*)\s*[=:]\s*(?!\/\/)/u.exec(text);
  if (named?.[1] === undefined) return { value: readValue(text) };
  return { name: named[1], value: readValue(text.slice(named[0].length)) };
}

function readValue(text: string): unknown {
  const trimmed = text.trim();
  const json = parseJson(trimmed);
  if (json !== undefined) return json;
  const [fact] = readPromptFacts(trimmed).items;
  if (fact?.start === 0 && fact.end === trimmed.length && fact.kind !== "boolean") return fact.value;
  return trimmed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: then it is text.
    return undefined;
  }
}

function isPlainObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
