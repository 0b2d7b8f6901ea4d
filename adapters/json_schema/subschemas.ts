import type { JsonSchema } from "../../types/mod.ts";

/** Keywords whose value is a schema, an array of schemas, or a map of schemas (JSON Schema 2020-12 and earlier). */
const SCHEMA_KEYWORDS = new Set([
  "items",
  "additionalItems",
  "unevaluatedItems",
  "contains",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "not",
  "if",
  "then",
  "else",
]);
const SCHEMA_LIST_KEYWORDS = new Set(["allOf", "anyOf", "oneOf", "prefixItems", "items"]);
const SCHEMA_MAP_KEYWORDS = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "dependencies",
  "$defs",
  "definitions",
]);

/**
 * Applies a function to the schemas directly inside a schema; all else stays.
 *
 * @param schema The schema.
 * @param change Makes the new schema of each.
 * @returns A new schema.
 */
export function mapSubschemas(schema: JsonSchema, change: (inner: JsonSchema) => JsonSchema): JsonSchema {
  // Booleans are schemas too; they have nothing inside.
  const each = (inner: unknown): unknown => isRecord(inner) ? change(inner) : inner;
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (Array.isArray(value) && SCHEMA_LIST_KEYWORDS.has(keyword)) return [keyword, value.map(each)];
      if (isRecord(value) && SCHEMA_KEYWORDS.has(keyword)) return [keyword, change(value)];
      if (isRecord(value) && SCHEMA_MAP_KEYWORDS.has(keyword)) {
        return [keyword, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, each(inner)]))];
      }
      return [keyword, value];
    }),
  );
}

/** A schema directly inside another. */
export interface Subschema {
  /** The schema. */
  readonly schema: JsonSchema;
  /** Keys that lead to it: a keyword, and its place in that keyword's list or map. */
  readonly path: readonly string[];
}

/**
 * Lists the schemas directly inside a schema; booleans are left out, as they have nothing inside.
 *
 * @param schema The schema.
 * @returns The schemas in it, and where they stand.
 */
export function listSubschemas(schema: JsonSchema): Subschema[] {
  const found: Subschema[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const isMap = SCHEMA_MAP_KEYWORDS.has(keyword) && isRecord(value);
    if (isMap || (SCHEMA_LIST_KEYWORDS.has(keyword) && Array.isArray(value))) {
      for (const [key, inner] of Object.entries(value)) {
        if (isRecord(inner)) found.push({ schema: inner, path: [keyword, key] });
      }
    } else if (SCHEMA_KEYWORDS.has(keyword) && isRecord(value)) found.push({ schema: value, path: [keyword] });
  }
  return found;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
