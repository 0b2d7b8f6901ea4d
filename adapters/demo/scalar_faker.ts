import type { JsonSchema } from "../../types/mod.ts";
import { readPattern } from "./pattern.ts";

/** Longest text made, whatever `minLength` demands: a schema must not be able to fill the memory. */
const MOST_CHARACTERS = 10_000;

/** Format → what a value looks like, and an example. Formats not listed allow any text. */
const FORMATS: ReadonlyMap<string, readonly [form: RegExp, example: string]> = new Map([
  ["date", [/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, "2026-01-31"]],
  ["date-time", [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/, "2026-01-31T12:00:00Z"]],
  ["time", [/^\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/, "12:00:00Z"]],
  ["duration", [/^P\d+[DWMY]$/, "P1D"]],
  ["email", [/^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/, "demo@example.com"]],
  ["idn-email", [/^[^\s@]+@[^\s@]+$/, "demo@example.com"]],
  ["hostname", [/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9]+)+$/, "example.com"]],
  ["ipv4", [/^(?:\d{1,2}|1\d\d)(?:\.(?:\d{1,2}|1\d\d)){3}$/, "192.0.2.1"]],
  ["ipv6", [/^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}$/i, "2001:db8:0:0:0:0:0:1"]],
  ["uri", [/^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._~:/?#@!$&*+,;=%-]+$/i, "https://example.com/demo"]],
  ["url", [/^https?:\/\/[A-Za-z0-9._~:/?#@!$&*+,;=%-]+$/i, "https://example.com/demo"]],
  ["iri", [/^[a-z][a-z0-9+.-]*:\/\/\S+$/i, "https://example.com/demo"]],
  ["uri-reference", [/^[A-Za-z0-9._~:/?#@!$&*+,;=%-]+$/, "/demo"]],
  ["uuid", [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, "123e4567-e89b-42d3-a456-426614174000"]],
  ["json-pointer", [/^(?:\/[^~\s/]*)*$/, "/demo"]],
  ["regex", [/^[A-Za-z0-9]+$/, "demo"]],
  ["byte", [/^[A-Za-z0-9+/]*={0,2}$/, "ZGVtbw=="]],
]);

/** Names of properties that take free text: without a quotation the whole prompt suits them best. */
const FREE_TEXT = new Set(["query", "q", "question", "prompt", "text", "input", "message", "content", "search"]);

/**
 * Whether a text obeys `minLength`, `maxLength`, `format` and `pattern`; a pattern that cannot be read allows anything.
 *
 * @param keywords The schema.
 * @param value The text.
 * @returns Whether it does.
 */
export function fitsText(keywords: JsonSchema, value: string): boolean {
  const length = [...value].length;
  if (length < numberOr(keywords.minLength, 0) || length > numberOr(keywords.maxLength, Infinity)) return false;
  const format = typeof keywords.format === "string" ? FORMATS.get(keywords.format) : undefined;
  if (format !== undefined && !format[0].test(value)) return false;
  const pattern = typeof keywords.pattern === "string" ? readPattern(keywords.pattern) : undefined;
  return pattern === undefined || pattern.matches(value);
}

/** What {@linkcode inventText} makes a text of. */
export interface InventTextOptions {
  /** Name of the property; "" if it has none. */
  readonly name: string;
  /** The whole prompt, for properties that take free text. */
  readonly prompt: string;
  /** Number to tell several texts of one schema apart; 0 for the first. */
  readonly variant: number;
}

/**
 * Makes a text that obeys a schema.
 *
 * @param keywords The schema.
 * @param options What to make it of.
 * @returns The text; one that does not fit only if the keywords contradict each other or exceed the limits.
 */
export function inventText(keywords: JsonSchema, options: InventTextOptions): string {
  const { name, prompt, variant } = options;
  const format = typeof keywords.format === "string" ? FORMATS.get(keywords.format)?.[1] : undefined;
  if (format !== undefined && fitsText(keywords, format)) return format;
  if (typeof keywords.pattern === "string") {
    const pattern = readPattern(keywords.pattern);
    const longest = Math.min(numberOr(keywords.minLength, 0), 64);
    for (let extra = variant; extra <= longest + variant; extra++) {
      const sample = pattern?.sample(extra);
      if (sample !== undefined && fitsText(keywords, sample)) return sample;
    }
  }
  const number = variant === 0 ? "" : ` ${variant + 1}`;
  if (FREE_TEXT.has(name) && prompt.trim() !== "" && variant === 0 && fitsText(keywords, prompt)) return prompt;
  return toLength(`demo${name === "" ? "" : ` ${name}`}${number}`, keywords);
}

function toLength(text: string, keywords: JsonSchema): string {
  const least = Math.min(numberOr(keywords.minLength, 0), MOST_CHARACTERS);
  const most = numberOr(keywords.maxLength, Infinity);
  const characters = [...text];
  if (characters.length > most) {
    // The end tells variants apart, the beginning does not.
    return characters.slice(characters.length - most).join("");
  }
  while (characters.length < least) characters.push(".");
  return characters.join("");
}

/** The bounds of a number: inclusive ones, and whether they are excluded themselves. */
function bounds(keywords: JsonSchema): { low: number; high: number; openLow: boolean; openHigh: boolean } {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = keywords;
  // Draft 4 has booleans here that make "minimum" and "maximum" exclusive.
  const low = Math.max(numberOr(minimum, -Infinity), numberOr(exclusiveMinimum, -Infinity));
  const high = Math.min(numberOr(maximum, Infinity), numberOr(exclusiveMaximum, Infinity));
  return {
    low,
    high,
    openLow: exclusiveMinimum === true || exclusiveMinimum === low,
    openHigh: exclusiveMaximum === true || exclusiveMaximum === high,
  };
}

/**
 * Whether a number obeys the bounds and `multipleOf`.
 *
 * @param keywords The schema.
 * @param value The number.
 * @returns Whether it does.
 */
export function fitsNumber(keywords: JsonSchema, value: number): boolean {
  const { low, high, openLow, openHigh } = bounds(keywords);
  if (openLow ? value <= low : value < low) return false;
  if (openHigh ? value >= high : value > high) return false;
  const step = numberOr(keywords.multipleOf, 0);
  if (step <= 0) return true;
  // Beyond the safe integers validators disagree.
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  if (value % step === 0) return true;
  // 0.3 is a multiple of 0.1 in all but the last bit.
  const nearest = Math.round(value / step) * step;
  return !Number.isInteger(step) && Math.abs(nearest - value) <= Number.EPSILON * Math.abs(value);
}

/**
 * Makes a number that obeys a schema: 1 if it may be, else one near the lower bound (or the upper, if there is no
 * lower).
 *
 * @param keywords The schema.
 * @param options `integer`: whether it must be whole. `variant`: which one to make, from 0.
 * @returns The number; one that does not fit only if the keywords contradict each other.
 */
export function inventNumber(
  keywords: JsonSchema,
  options: { readonly integer: boolean; readonly variant: number },
): number {
  const { integer, variant } = options;
  const { low, high } = bounds(keywords);
  const multiple = numberOr(keywords.multipleOf, 0);
  const step = multiple > 0 ? (integer && !Number.isInteger(multiple) ? leastWholeMultiple(multiple) : multiple) : 1;
  const fits = (value: number): boolean => fitsNumber(keywords, value) && (!integer || Number.isInteger(value));
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  const begins = Number.isFinite(first) ? [first, first + 1] : Number.isFinite(last) ? [last, last - 1] : [];
  const direction = Number.isFinite(first) || !Number.isFinite(last) ? 1 : -1;
  const near = [1, ...begins.map((begin) => begin * step), 0];
  const offset = variant * step;
  const candidates = near.flatMap((begin) => [begin + offset * direction, begin + offset]);
  if (!integer && multiple <= 0) candidates.push(low + (high - low) / (variant + 2), low, high);
  return candidates.find(fits) ?? near.find(fits) ?? (Number.isFinite(low) ? low : Number.isFinite(high) ? high : 1);
}

/** The least whole number that is a multiple of a broken one, such as 3 of 1.5. */
function leastWholeMultiple(step: number): number {
  for (let factor = 1; factor <= 1000; factor++) {
    const product = step * factor;
    if (Math.abs(product - Math.round(product)) < 1e-9) return Math.round(product);
  }
  return step;
}

/**
 * Takes a keyword for a number.
 *
 * @param value The keyword's value.
 * @param otherwise What to take if it is none.
 * @returns The number.
 */
export function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
