import type { JsonSchema } from "../../types/mod.ts";
import { fitsNumber, fitsText } from "./scalar_faker.ts";
import { asArray, isObject, type ResolvedSchema, type SchemaDocument } from "./schema_resolve.ts";

/** Keywords that tell the type where `type` is missing. */
const TELLING: readonly (readonly [type: string, keywords: readonly string[]])[] = [
  ["object", ["properties", "required", "additionalProperties", "patternProperties", "minProperties"]],
  ["array", ["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"]],
  ["string", ["minLength", "maxLength", "pattern", "format"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
];

/**
 * The types that a schema allows.
 *
 * @param keywords The schema.
 * @returns The types in its order, or the one that its other keywords tell; empty if nothing does.
 */
export function typesOf(keywords: JsonSchema): readonly string[] {
  if (keywords.type !== undefined) return asArray(keywords.type).filter((type) => typeof type === "string");
  const telling = TELLING.find(([, names]) => names.some((name) => Object.hasOwn(keywords, name)));
  return telling === undefined ? [] : [telling[0]];
}

/**
 * The members of `enum` that `type` allows, too.
 *
 * @param keywords The schema.
 * @returns The members in their order.
 */
export function enumMembers(keywords: JsonSchema): readonly unknown[] {
  const types = keywords.type === undefined ? [] : typesOf(keywords);
  return asArray(keywords.enum).filter((member) => types.length === 0 || types.some((type) => isOfType(member, type)));
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "null":
      return value === null;
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

/**
 * Whether a schema accepts a value. Of lists and objects only the type is looked at.
 *
 * @param resolved The schema.
 * @param value A JSON value.
 * @param document The document that references point into.
 * @returns Whether it does.
 */
export function acceptsValue(resolved: ResolvedSchema, value: unknown, document: SchemaDocument): boolean {
  const coerced = coerceValue(resolved, value, document);
  return coerced !== undefined && JSON.stringify(coerced) === JSON.stringify(value);
}

/**
 * Turns a value into one that a schema accepts: `"3"` into 3 for an integer, 3 into `"3"` for a string, a single value
 * into a list of one.
 *
 * @param resolved The schema.
 * @param value A JSON value.
 * @param document The document that references point into.
 * @returns The value, or `undefined` if it cannot be made to fit.
 */
export function coerceValue(resolved: ResolvedSchema, value: unknown, document: SchemaDocument): unknown {
  const { keywords } = resolved;
  if (resolved.alternatives.length > 0) {
    const branches = document.branches(resolved);
    const exact = branches.filter((branch) => typesOf(branch.keywords).some((type) => isOfType(value, type)));
    return [...exact, ...branches].values()
      .map((branch) => coerceValue(branch, value, document))
      .find((coerced) => coerced !== undefined);
  }
  if (keywords.const !== undefined) return isAlike(keywords.const, value) ? keywords.const : undefined;
  if (keywords.enum !== undefined) return enumMembers(keywords).find((member) => isAlike(member, value));
  const types = typesOf(keywords);
  if (types.length === 0) return value;
  const exact = types.filter((type) => isOfType(value, type));
  return [...exact, ...types].values()
    .map((type) => coerceToType(type, value, { keywords, document }))
    .find((coerced) => coerced !== undefined);
}

function isAlike(member: unknown, value: unknown): boolean {
  return JSON.stringify(member) === JSON.stringify(value) ||
    (typeof member !== "object" && typeof value !== "object" && String(member) === String(value));
}

function coerceToType(
  type: string,
  value: unknown,
  schema: { readonly keywords: JsonSchema; readonly document: SchemaDocument },
): unknown {
  const { keywords, document } = schema;
  const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  switch (type) {
    case "string":
      return isScalar && fitsText(keywords, String(value)) ? String(value) : undefined;
    case "integer":
    case "number": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      const isFit = typeof number === "number" && Number.isFinite(number) && fitsNumber(keywords, number);
      return isFit && (type === "number" || Number.isInteger(number)) ? number : undefined;
    }
    case "boolean": {
      if (typeof value === "boolean") return value;
      const word = typeof value === "string" ? value.toLowerCase() : "";
      return /^(?:true|yes)$/.test(word) ? true : /^(?:false|no)$/.test(word) ? false : undefined;
    }
    case "null":
      return value === null ? null : undefined;
    case "array": {
      if (Array.isArray(value)) return value;
      const items = document.resolve(keywords.items);
      const item = items && isScalar ? coerceValue(items, value, document) : undefined;
      return item === undefined ? undefined : [item];
    }
    case "object":
      return isObject(value) ? value : undefined;
    default:
      return undefined;
  }
}
