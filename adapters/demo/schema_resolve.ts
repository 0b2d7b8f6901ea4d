import type { JsonSchema } from "../../types/mod.ts";
import { allowNullItself } from "../json_schema/mod.ts";

/** A schema whose references and `allOf` are worked in. */
export interface ResolvedSchema {
  /** The keywords, without `$ref`, `allOf`, `anyOf` and `oneOf`. */
  readonly keywords: JsonSchema;
  /** The lists of alternatives of `anyOf` and `oneOf`; of each list one schema must hold. */
  readonly alternatives: readonly (readonly unknown[])[];
  /** The references that were followed. */
  readonly references: ReadonlySet<string>;
}

const ANYTHING: ResolvedSchema = { keywords: {}, alternatives: [], references: new Set() };

/** Steps after which a document's schemas count as allowing nothing: references can multiply without end. */
const MOST_STEPS = 20_000;

/** The JSON document that holds a schema and what it refers to. */
export class SchemaDocument {
  readonly #root: unknown;
  #stepsLeft = MOST_STEPS;

  /**
   * Takes a document.
   *
   * @param root The outermost schema.
   */
  constructor(root: unknown) {
    this.#root = root;
  }

  /**
   * Follows a schema's references (within the document) and merges its `allOf` into it.
   *
   * @param schema The schema; what is neither an object nor `false` allows anything.
   * @returns The schema, or `undefined` if it allows nothing.
   */
  resolve(schema: unknown): ResolvedSchema | undefined {
    return this.#resolve(schema, new Set());
  }

  /**
   * The branches of a schema's first list of alternatives, each with the rest of the schema worked in.
   *
   * @param resolved A schema with alternatives.
   * @returns The branches that allow something, in their order. Their references are their own.
   */
  branches(resolved: ResolvedSchema): ResolvedSchema[] {
    const [list = [], ...alternatives] = resolved.alternatives;
    const base: ResolvedSchema = { ...resolved, alternatives, references: new Set() };
    return list.map((branch) => this.resolve(branch)).filter((branch) => branch !== undefined)
      .map((branch) => mergeResolved(base, branch));
  }

  #resolve(given: unknown, seen: ReadonlySet<string>): ResolvedSchema | undefined {
    if (given === false) return undefined;
    if (!isObject(given)) return ANYTHING;
    const schema = given.nullable === undefined ? given : allowNullItself(given);
    // Merging costs by the number of properties.
    this.#stepsLeft -= 1 + (isObject(schema.properties) ? Object.keys(schema.properties).length >> 4 : 0);
    if (this.#stepsLeft < 0) return undefined;
    const { $ref, allOf, anyOf, oneOf, ...keywords } = schema;
    let merged: ResolvedSchema = {
      keywords,
      alternatives: [anyOf, oneOf].filter((list) => Array.isArray(list)).filter((list) => list.length > 0),
      references: new Set(),
    };
    const parts: unknown[] = Array.isArray(allOf) ? [...allOf] : [];
    let follow = seen;
    if (typeof $ref === "string" && !seen.has($ref)) {
      follow = new Set(seen).add($ref);
      merged = { ...merged, references: new Set([$ref]) };
      parts.unshift(lookUp($ref, this.#root));
    }
    for (const part of parts) {
      const other = this.#resolve(part, follow);
      if (other === undefined) return undefined;
      merged = mergeResolved(merged, other);
    }
    return merged;
  }
}

/** Merges two schemas that must both hold; of two patterns and the like the first stays. */
function mergeResolved(one: ResolvedSchema, other: ResolvedSchema): ResolvedSchema {
  const keywords = new Map(Object.entries(one.keywords));
  for (const [keyword, value] of Object.entries(other.keywords)) {
    keywords.set(keyword, keywords.has(keyword) ? mergeKeyword(keyword, keywords.get(keyword), value) : value);
  }
  return {
    keywords: Object.fromEntries(keywords),
    alternatives: [...one.alternatives, ...other.alternatives],
    references: one.references.union(other.references),
  };
}

function mergeKeyword(keyword: string, one: unknown, other: unknown): unknown {
  switch (keyword) {
    case "properties":
    case "patternProperties":
      return mergeProperties(one, other);
    case "required":
      return [...new Set([...asArray(one), ...asArray(other)])];
    case "type":
      return mergeTypes(asArray(one), asArray(other));
    case "enum": {
      const allowed = new Set(asArray(other).map((member) => JSON.stringify(member)));
      return asArray(one).filter((member) => allowed.has(JSON.stringify(member)));
    }
    case "items":
    case "additionalProperties":
      if (one === false || other === false) return false;
      return isObject(one) && isObject(other) ? { allOf: [one, other] } : isObject(one) ? one : other;
    case "minimum":
    case "exclusiveMinimum":
    case "minLength":
    case "minItems":
    case "minProperties":
      return typeof one === "number" && typeof other === "number" ? Math.max(one, other) : one;
    case "maximum":
    case "exclusiveMaximum":
    case "maxLength":
    case "maxItems":
    case "maxProperties":
      return typeof one === "number" && typeof other === "number" ? Math.min(one, other) : one;
    case "uniqueItems":
      return one === true || other === true;
    default:
      return one;
  }
}

function mergeProperties(one: unknown, other: unknown): unknown {
  if (!isObject(one) || !isObject(other)) return isObject(one) ? one : other;
  const merged = new Map(Object.entries(one));
  for (const [name, schema] of Object.entries(other)) {
    merged.set(name, merged.has(name) ? { allOf: [merged.get(name), schema] } : schema);
  }
  return Object.fromEntries(merged);
}

function mergeTypes(one: readonly unknown[], other: readonly unknown[]): unknown[] {
  const both = one.filter((type) => other.includes(type) || (type === "integer" && other.includes("number")));
  return one.includes("number") && !both.includes("integer") && other.includes("integer") ? [...both, "integer"] : both;
}

/** What a reference points to: `#`, a JSON Pointer, or an `$anchor`; anything else allows anything. */
function lookUp(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return {};
  let pointer: string;
  try {
    pointer = decodeURIComponent(reference.slice(1));
  } catch {
    // A wrong percent-encoding points nowhere.
    return {};
  }
  if (pointer !== "" && !pointer.startsWith("/")) return findAnchor(pointer, root);
  let target = root;
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(target)) target = target[Number(key)];
    else target = isObject(target) && Object.hasOwn(target, key) ? target[key] : undefined;
  }
  return target;
}

function findAnchor(anchor: string, root: unknown): unknown {
  if (!isObject(root)) return {};
  const definitions = [root.$defs, root.definitions].filter(isObject).flatMap((group) => Object.values(group));
  return definitions.find((schema) => isObject(schema) && schema.$anchor === anchor) ?? {};
}

/**
 * Takes a keyword that may hold one thing or a list for a list.
 *
 * @param value The keyword's value.
 * @returns The list; empty if there is nothing.
 */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/**
 * Whether a value is a JSON object.
 *
 * @param value Anything.
 * @returns Whether it is one.
 */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
