import * as v from "valibot";
import type { ValidationIssue } from "../../types/mod.ts";
import { parseExactly } from "./_large_numbers.ts";

/** An object that is kept as it is: neither copied nor looked into. */
export const objectSchema: v.GenericSchema<unknown, { readonly [key: string]: unknown }> = {
  ...v.custom<{ readonly [key: string]: unknown }>(isObject),
  // As valibot calls it elsewhere; of a custom check it says "unknown".
  expects: "Object",
};

/**
 * An object with certain members; others are kept.
 *
 * @param entries Schemas of the members.
 * @returns The schema. Unlike valibot's own, it does not take an array for an object without any of the members.
 */
export function object<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.GenericSchema<unknown, v.InferOutput<v.LooseObjectSchema<Entries, undefined>>> {
  return v.pipe(objectSchema, v.looseObject(entries));
}

/** Whether a value is an object and no array. */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON value that a text is, or `undefined` if it is none. Calls of tools keep integers beyond 2^53. */
export function parseJson(text: string): unknown {
  try {
    return text.includes('"tool_calls"') ? parseExactly(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A value in the shape that was expected, or what is wrong with it. */
export type Checked<T> = { readonly value: T; readonly issues?: never } | {
  readonly issues: readonly ValidationIssue[];
};

/**
 * Checks an answer's shape. Unknown members are kept, and `null` counts as absent.
 *
 * Only a value that does not fit is looked at twice: without its nulls, which servers hardly ever send.
 */
export function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown): Checked<T> {
  let result = v.safeParse(schema, value);
  if (!result.success) result = v.safeParse(schema, dropNulls(value));
  if (result.success) return { value: result.output };
  return {
    issues: result.issues.map((issue) => ({
      path: v.getDotPath(issue) ?? "",
      // Not valibot's own message, which quotes the value: that may be what a user or a model wrote.
      message: `expected ${issue.expected ?? "another value"}, got ${kindOf(issue.input)}`,
    })),
  };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "an array" : typeof value;
}

function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      // What a model calls a tool with is its own business: there null is a value.
      .map(([key, member]) => [key, key === "arguments" ? member : dropNulls(member)]),
  );
}
