import { dereference, type Schema } from "@cfworker/json-schema";
import type { JsonSchema } from "../../types/mod.ts";
import { findJsonSchemaFaults } from "../../types/json_schema_faults.ts";
import { listSubschemas, type Subschema } from "../json_schema/mod.ts";
import { SchemaError } from "./_json_schema.ts";
import { isRecord } from "./_request_issues.ts";
import type { SchemaPatterns } from "./_schema_patterns.ts";

/** Schemas by their URIs, as the validator looks them up. */
export type SchemaLookup = ReturnType<typeof dereference>;

/** References that depend on how a schema was come to. */
const DYNAMIC_KEYWORDS = ["$dynamicRef", "$recursiveRef"];

/** Keywords whose schemas are about the value itself, not about a part of it. */
const IN_PLACE_KEYWORDS = new Set([
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentSchemas",
  "dependencies",
]);

/**
 * Checks that a schema can be worked with, before anyone is asked for a value of it: that its keywords have values of
 * the right kind, that every reference leads to a schema inside it and none back to itself without going into the
 * value, and that its patterns are regular expressions which can be matched in bounded time.
 *
 * @param schema The schema. It is marked.
 * @param patterns Where to read its patterns.
 * @throws {SchemaError} If it is not so. The message says how, the path says where.
 */
export function checkSchema(schema: Schema, patterns: SchemaPatterns): void {
  refuseFaults({ schema, path: [] });
  const lookup = lookUpSchemas(schema);
  const reached = [...reachSchemas(schema, lookup)];
  const places = new Map(reached.map(({ schema, path }) => [schema, path]));
  const trodden = new Set<JsonSchema>();
  for (const one of reached) {
    checkKeywords(one, { lookup, patterns });
    checkLoops(one, { lookup, places, trodden, open: new Set() });
  }
}

/**
 * Finds the URIs of a schema's schemas.
 *
 * @param schema The schema. It is marked.
 * @returns The schemas by their URIs.
 * @throws {SchemaError} If one is none.
 */
export function lookUpSchemas(schema: Schema): SchemaLookup {
  try {
    return dereference(schema);
  } catch (cause) {
    throw new SchemaError("must have no reference or id that is not a URI, and no two ids alike", { cause });
  }
}

/**
 * Goes through all schemas that a value may be checked against, each once.
 *
 * @param root The schema.
 * @param lookup Its schemas by their URIs.
 * @returns The schemas, the outer ones first.
 */
export function reachSchemas(root: JsonSchema, lookup: SchemaLookup): Iterable<Subschema> {
  const seen = new Set<JsonSchema>();
  const reached: Subschema[] = [{ schema: root, path: [] }];
  const found: Subschema[] = [];
  const referred: Subschema[] = [];
  for (let next = reached.pop() ?? referred.pop(); next; next = reached.pop() ?? referred.pop()) {
    const { schema, path } = next;
    if (seen.has(schema)) continue;
    seen.add(schema);
    found.push(next);
    for (const inner of listSubschemas(schema)) reached.push({ schema: inner.schema, path: [...path, ...inner.path] });
    const target = targetOf(schema, lookup);
    // A schema is named by where it stands. Where that is not known, as it stands in no place for schemas, it is named
    // by the reference.
    if (isRecord(target)) referred.push({ schema: target, path: [...path, "$ref"] });
  }
  return found;
}

/**
 * Follows a schema's reference.
 *
 * @param schema The schema.
 * @param lookup All schemas by their URIs.
 * @returns What its reference leads to; `undefined` if it has none or it leads nowhere.
 */
export function targetOf(schema: JsonSchema, lookup: SchemaLookup): unknown {
  const uri: unknown = Reflect.get(schema, "__absolute_ref__");
  return typeof uri === "string" ? lookup[uri] : undefined;
}

function refuseFaults({ schema, path }: Subschema): void {
  const [fault] = findJsonSchemaFaults(schema, 1);
  if (fault !== undefined) {
    throw new SchemaError(`must be ${fault.expected}`, { path: [...path, ...fault.path] });
  }
}

function checkKeywords(
  { schema, path }: Subschema,
  { lookup, patterns }: { readonly lookup: SchemaLookup; readonly patterns: SchemaPatterns },
): void {
  // Schemas that only references lead to may not have been seen.
  if (path.includes("$ref")) refuseFaults({ schema, path });
  for (const keyword of DYNAMIC_KEYWORDS) {
    if (schema[keyword] === undefined) continue;
    throw new SchemaError("cannot be followed here. Use $ref instead", { path: [...path, keyword] });
  }
  const { $ref, pattern, patternProperties } = schema;
  if (typeof $ref === "string" && targetOf(schema, lookup) === undefined) {
    const where = $ref.startsWith("#") ? "leads nowhere" : "leads out of the schema";
    throw new SchemaError(`must lead to a schema inside of this one, but ${where}`, { path: [...path, "$ref"] });
  }
  if (typeof pattern === "string") patterns.read(pattern, [...path, "pattern"]);
  if (!isRecord(patternProperties)) return;
  for (const name of Object.keys(patternProperties)) patterns.read(name, [...path, "patternProperties", name]);
}

interface Walk {
  readonly lookup: SchemaLookup;
  /** Where each schema stands. */
  readonly places: ReadonlyMap<JsonSchema, readonly string[]>;
  /** Schemas that are known to lead into no loop. */
  readonly trodden: Set<JsonSchema>;
  /** Schemas that lead here. */
  readonly open: Set<JsonSchema>;
}

/** Follows what is about the same value; the path is that of the keyword that leads here. */
function checkLoops({ schema, path }: Subschema, walk: Walk): void {
  const { lookup, places, trodden, open } = walk;
  if (trodden.has(schema)) return;
  if (open.has(schema)) throw new SchemaError("must not lead back to itself without going into the value", { path });
  open.add(schema);
  const place = places.get(schema) ?? path;
  for (const inner of listSubschemas(schema)) {
    const [keyword = ""] = inner.path;
    if (!IN_PLACE_KEYWORDS.has(keyword)) continue;
    checkLoops({ schema: inner.schema, path: [...place, ...inner.path] }, walk);
  }
  const target = targetOf(schema, lookup);
  if (isRecord(target)) checkLoops({ schema: target, path: [...place, "$ref"] }, walk);
  open.delete(schema);
  trodden.add(schema);
}
