import { format as formats } from "@cfworker/json-schema";
import { canonicalText, type JsonKind, type Place } from "./place.ts";
import type { RuleScope, SchemaRule } from "./schema_run.ts";

/** Characters of a text that are looked at in one step. */
const CHARACTERS_PER_STEP = 16;

type ValueTest = (place: Place, scope: RuleScope) => boolean;

/**
 * Makes the rule of a keyword that is about a value itself.
 *
 * @param keyword The keyword.
 * @param schema The schema that it stands in.
 * @returns The rule; `undefined` if there is none, as the keyword is not one of these or says nothing.
 */
export function makeValueRule(
  keyword: string,
  schema: { readonly [keyword: string]: unknown },
): SchemaRule | undefined {
  const test = makeTest(keyword, schema);
  return test && ((place, scope) => test(place, scope) ? undefined : [{ place, keyword }]);
}

function makeTest(keyword: string, schema: { readonly [keyword: string]: unknown }): ValueTest | undefined {
  const value = schema[keyword];
  switch (keyword) {
    case "type":
      return testType(value);
    case "const":
      return testMember([value]);
    case "enum":
      return Array.isArray(value) ? testMember(value) : undefined;
    case "format":
      return testFormat(value);
    case "required":
      return testRequired(value);
    case "uniqueItems":
      return value === true ? ({ items }, scope) => areUnique(items, scope) : undefined;
    default:
      return typeof value === "number" ? testNumber(keyword, value, schema) : undefined;
  }
}

function testType(wanted: unknown): ValueTest | undefined {
  if (wanted === undefined) return undefined;
  const types: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  return ({ kind, value }) => types.includes(kind) || (types.includes("integer") && Number.isInteger(value));
}

function testMember(members: readonly unknown[]): ValueTest {
  const texts = new Set(members.map(canonicalText));
  const kinds = new Set(members.map((member) => typeof member === "object" && member !== null));
  return (place, scope) => {
    if (!kinds.has(place.isContainer)) return false;
    return texts.has(writeCanonically(place, scope));
  };
}

function testFormat(name: unknown): ValueTest | undefined {
  // The package's own check of URLs, which JSON Schema does not know, takes exponential time.
  const test = name === "url"
    ? (text: string) => URL.canParse(text)
    : typeof name === "string" && Object.hasOwn(formats, name)
    ? formats[name]
    : undefined;
  return test && testText((text) => test(text));
}

function testRequired(names: unknown): ValueTest | undefined {
  if (!Array.isArray(names)) return undefined;
  return ({ kind, members }, { run }) => {
    if (kind !== "object") return true;
    run.spend(names.length);
    return names.every((name) => members.has(name));
  };
}

function testNumber(
  keyword: string,
  bound: number,
  schema: { readonly [keyword: string]: unknown },
): ValueTest | undefined {
  switch (keyword) {
    case "minimum":
      // Draft 4 has a flag there.
      return schema.exclusiveMinimum === true ? testIs((value) => value > bound) : testIs((value) => value >= bound);
    case "maximum":
      return schema.exclusiveMaximum === true ? testIs((value) => value < bound) : testIs((value) => value <= bound);
    case "exclusiveMinimum":
      return testIs((value) => value > bound);
    case "exclusiveMaximum":
      return testIs((value) => value < bound);
    case "multipleOf":
      return testIs((value) => isMultiple(value, bound));
    case "minLength":
      return testText((text) => text.length >= bound && (text.length >= 2 * bound || countCharacters(text) >= bound));
    case "maxLength":
      return testText((text) => text.length <= bound || (text.length <= 2 * bound && countCharacters(text) <= bound));
    case "minItems":
      return testSize("array", (size) => size >= bound);
    case "maxItems":
      return testSize("array", (size) => size <= bound);
    case "minProperties":
      return testSize("object", (size) => size >= bound);
    case "maxProperties":
      return testSize("object", (size) => size <= bound);
    default:
      return undefined;
  }
}

function testIs(test: (value: number) => boolean): ValueTest {
  return ({ value }) => typeof value !== "number" || test(value);
}

function testText(test: (text: string) => boolean): ValueTest {
  return ({ value }, { run }) => {
    if (typeof value !== "string") return true;
    run.spend(Math.ceil(value.length / CHARACTERS_PER_STEP));
    return test(value);
  };
}

function testSize(kind: JsonKind, test: (size: number) => boolean): ValueTest {
  return (place) => place.kind !== kind || test(kind === "array" ? place.items.length : place.members.size);
}

function writeCanonically(place: Place, { run }: RuleScope): string {
  const text = canonicalText(place.value);
  run.spend(Math.ceil(text.length / CHARACTERS_PER_STEP));
  return text;
}

function areUnique(items: readonly Place[], scope: RuleScope): boolean {
  const texts = new Set<string>();
  for (const item of items) {
    const text = writeCanonically(item, scope);
    if (texts.has(text)) return false;
    texts.add(text);
  }
  return true;
}

function countCharacters(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; count++) index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return count;
}

/** By the decimal digits, as people mean it: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, divisor: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (Number.isInteger(value) && Number.isInteger(divisor)) return value % divisor === 0;
  const [dividend, by] = [toDecimal(value), toDecimal(divisor)];
  const exponent = Math.min(dividend.exponent, by.exponent);
  const scale = (decimal: Decimal) => decimal.digits * 10n ** BigInt(decimal.exponent - exponent);
  return scale(dividend) % scale(by) === 0n;
}

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function toDecimal(value: number): Decimal {
  const [digits = "", exponent] = value.toExponential().split("e");
  const [, fraction = ""] = digits.split(".");
  return { digits: BigInt(digits.replace(".", "")), exponent: Number(exponent) - fraction.length };
}
