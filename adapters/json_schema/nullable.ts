import type { JsonSchema } from "../../types/mod.ts";
import { mapSubschemas } from "./subschemas.ts";

/** Keywords beside which a list of types does not allow null. */
const COMPOSING = ["$ref", "allOf", "const", "not", "if", "oneOf"];

/**
 * Puts OpenAPI's `nullable: true`, which JSON Schema does not know, into JSON Schema's own words: null is allowed,
 * whatever else the schema says.
 *
 * @param schema The schema; it is not changed.
 * @returns The schema without `nullable`, also in the schemas in it.
 */
export function allowNull(schema: JsonSchema): JsonSchema {
  return allowNullItself(mapSubschemas(schema, allowNull));
}

/**
 * Does as {@linkcode allowNull} does, but not in the schemas inside the schema.
 *
 * @param schema The schema; it is not changed.
 * @returns The schema without `nullable`.
 */
export function allowNullItself(schema: JsonSchema): JsonSchema {
  const { nullable, ...rest } = schema;
  if (nullable !== true) return rest;
  const { type, enum: members, anyOf } = rest;
  if (COMPOSING.some((keyword) => rest[keyword] !== undefined)) return wrap(rest);
  // Lists of alternatives beside each other must all hold.
  if (Array.isArray(anyOf)) return type === undefined && members === undefined ? addBranch(rest, anyOf) : wrap(rest);
  if (type === undefined && members === undefined) return rest;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return {
    ...rest,
    ...(type !== undefined && !types.includes("null") && { type: [...types, "null"] }),
    ...(Array.isArray(members) && !members.includes(null) && { enum: [...members, null] }),
  };
}

function addBranch(schema: JsonSchema, branches: readonly unknown[]): JsonSchema {
  return { ...schema, anyOf: [...branches, { type: "null" }] };
}

/** What explains or defines stays outside; definitions must, as references point to them. */
function wrap(schema: JsonSchema): JsonSchema {
  const outside = new Set(["title", "description", "default", "examples", "$schema", "$id", "$defs", "definitions"]);
  const entries = Object.entries(schema);
  return {
    ...Object.fromEntries(entries.filter(([keyword]) => outside.has(keyword))),
    anyOf: [Object.fromEntries(entries.filter(([keyword]) => !outside.has(keyword))), { type: "null" }],
  };
}
