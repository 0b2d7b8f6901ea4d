import * as v from "valibot";

/** A JSON object whose members are not looked at. */
export type JsonObject = { readonly [key: string]: unknown };

/** A schema that is one check. */
export type Custom<Output> = v.CustomSchema<Output, v.ErrorMessage<v.CustomIssue> | undefined>;

/** Says what would be right, and what was found. */
export type Explain = (issue: v.BaseIssue<unknown>) => string;

const ECHOED_TYPES = new Set(["literal", "picklist", "variant"]);
const ECHOED_LENGTH = 40;

/**
 * The message of every schema. Strings are quoted only where a few words are allowed (and the found one is short):
 * all others may be prompt text.
 */
export function explain(issue: v.BaseIssue<unknown>): string {
  return `Expected ${issue.expected}, found ${nameFound(issue.input, ECHOED_TYPES.has(issue.type))}`;
}

function nameFound(value: unknown, echo: boolean): string {
  switch (typeof value) {
    case "string":
      if (!echo) return value === "" ? "an empty string" : "a string";
      return value.length <= ECHOED_LENGTH ? JSON.stringify(value) : `a string of ${value.length} characters`;
    case "number":
    case "boolean":
      return String(value);
    case "undefined":
      return "nothing";
    case "object":
      if (value === null) return "null";
      if (!Array.isArray(value)) return "an object";
      return value.length === 0 ? "an empty array" : "an array";
    default:
      return `a ${typeof value}`;
  }
}

/** Whether a value is an object and no array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lists allowed words: `"a", "b" or "c"`. */
export function listWords(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  const last = quoted.pop();
  return quoted.length === 0 ? `${last}` : `${quoted.join(", ")} or ${last}`;
}

/** Gives a schema the words for what it expects. */
export function naming<const Schema extends v.GenericSchema>(schema: Schema, expects: string): Schema {
  return Object.assign(schema, { expects });
}

/** Refuses whatever it meets; what would be right stands in the message. */
export function refusal(expects: string): Custom<never> {
  return naming(v.custom<never>(() => false, explain), expects);
}

/** Any string. */
export const text: v.StringSchema<Explain> = naming(v.string(explain), "a string");

/** A string with at least one character. */
export const nonEmptyText: Custom<string> = naming(
  v.custom<string>((value) => typeof value === "string" && value !== "", explain),
  "a non-empty string",
);

/** `true` or `false`. */
export const flag: v.BooleanSchema<Explain> = naming(v.boolean(explain), "true or false");

/** An object that is handed on as it is, members and all. */
export const freeForm: Custom<JsonObject> = naming(v.custom<JsonObject>(isJsonObject, explain), "an object");

/** One word. */
export function word<const Word extends string>(value: Word): v.LiteralSchema<Word, Explain> {
  return v.literal(value, explain);
}

/** One of several words. */
export function oneOf<const Words extends readonly string[]>(words: Words): v.PicklistSchema<Words, Explain> {
  return naming(v.picklist(words, explain), listWords(words));
}

/** A finite number, within bounds if there are any. */
export function number(least = -Infinity, most = Infinity): Custom<number> {
  const check = (value: unknown) => Number.isFinite(value) && Number(value) >= least && Number(value) <= most;
  return naming(v.custom<number>(check, explain), `a number${nameBounds(least, most)}`);
}

/** A safe integer, within bounds if there are any. */
export function integer(least = -Infinity, most = Infinity): Custom<number> {
  const check = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
  return naming(
    v.custom<number>(check, explain),
    least === -Infinity ? "a safe integer" : `an integer${nameBounds(least, most)}`,
  );
}

function nameBounds(least: number, most: number): string {
  if (most !== Infinity) return ` from ${least} to ${most}`;
  return least === -Infinity ? "" : ` of at least ${least}`;
}
