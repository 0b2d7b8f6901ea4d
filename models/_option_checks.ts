import type { ValidationIssue } from "../types/mod.ts";
import { toJsonValue } from "../_json_value.ts";

/** Looks at an option's value: gives what is wrong, with the path within it; `undefined` if nothing is. */
export type OptionCheck = (value: unknown) => ValidationIssue | undefined;

/** A text. */
export function text(value: unknown): ValidationIssue | undefined {
  return typeof value === "string" ? undefined : wrong("a text", value);
}

/** An array of texts. */
export function texts(value: unknown): ValidationIssue | undefined {
  if (!Array.isArray(value)) return wrong("an array of texts", value);
  const place = value.findIndex((item) => typeof item !== "string");
  return place < 0 ? undefined : wrong("a text", value[place], String(place));
}

/** An object whose values are texts. */
export function textsByName(value: unknown): ValidationIssue | undefined {
  if (!isObject(value)) return wrong("an object of texts", value);
  const [found] = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== "string");
  return found === undefined ? undefined : wrong("a text", found[1], found[0]);
}

/** An object of what JSON has. */
export function jsonObject(value: unknown): ValidationIssue | undefined {
  if (!isObject(value)) return wrong("an object", value);
  let issue: ValidationIssue | undefined;
  try {
    toJsonValue(value, (path, message) => {
      issue = { path, message };
      throw FOUND;
    });
  } catch (error) {
    if (error !== FOUND) throw error;
  }
  return issue;
}

/** Ends the way through a value. */
const FOUND = Symbol("found");

/** A function. */
export function callback(value: unknown): ValidationIssue | undefined {
  return typeof value === "function" ? undefined : wrong("a function", value);
}

/** A signal to give up by. */
export function abortSignal(value: unknown): ValidationIssue | undefined {
  return value instanceof AbortSignal ? undefined : wrong("an AbortSignal", value);
}

/** One of some words. */
export function oneOf(...words: readonly [string, ...string[]]): OptionCheck {
  const known = words.map((word) => `"${word}"`).join(" or ");
  return (value) =>
    typeof value === "string" && words.includes(value) ? undefined : wrong(`${known}, or left out`, value);
}

function wrong(right: string, value: unknown, path = ""): ValidationIssue {
  return { path, message: `must be ${right}, but is ${shown(value)}` };
}

/** Short words and flags are shown, as they are what was slipped; anything else may be long, or a secret. */
function shown(value: unknown): string {
  if (typeof value === "boolean" || typeof value === "number" || value === null) return String(value);
  if (typeof value === "string") return value.length <= 20 ? `"${value}"` : "a text";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
