/** JSON Schemas inside requests, as they are checked: what no one could read is refused, all else is taken. */
import * as v from "valibot";
import { JSON_SCHEMA_TYPES } from "../../types/json_schema_faults.ts";

type Json = { readonly [key: string]: unknown };

const types = [...JSON_SCHEMA_TYPES];
const type = { enum: types };
const typeList = { type: "array", items: type, minItems: 1 };
const schema = { anyOf: [{ $ref: "#/components/schemas/JsonSchema" }, { type: "boolean" }] };
const schemas = { type: "array", items: schema };
const schemaMap = { type: "object", additionalProperties: schema };
const text = { type: "string" };
const texts = { type: "array", items: text };
const number = { type: "number" };
const count = { type: "integer", minimum: 0 };
const flag = { type: "boolean" };
const either = (...anyOf: readonly Json[]): Json => ({ anyOf });
const some = (list: Json): Json => ({ ...list, minItems: 1 });
const all = (names: readonly string[], value: Json): Record<string, Json> =>
  Object.fromEntries(names.map((name) => [name, value]));

const KEYWORDS: Readonly<Record<string, Json>> = {
  type: either(type, typeList),
  ...all(["description", "pattern", "format"], text),
  enum: { type: "array" },
  required: either(flag, texts),
  items: either(schema, schemas),
  ...all(["additionalItems", "unevaluatedItems", "contains", "additionalProperties", "unevaluatedProperties"], schema),
  ...all(["propertyNames", "not", "if", "then", "else"], schema),
  ...all(["anyOf", "oneOf"], some(schemas)),
  ...all(["allOf", "prefixItems"], schemas),
  ...all(["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"], schemaMap),
  ...all(["minimum", "maximum"], number),
  ...all(["exclusiveMinimum", "exclusiveMaximum"], either(number, flag)),
  multipleOf: { type: "number", exclusiveMinimum: 0 },
  ...all(["minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"], count),
  ...all(["minProperties", "maxProperties"], count),
  ...all(["uniqueItems", "nullable"], flag),
  dependentRequired: { type: "object", additionalProperties: texts },
  dependencies: { type: "object", additionalProperties: either({ type: ["object", "boolean"] }, texts) },
};

/** Where a keyword is `null`, it counts as absent. */
function optional(value: Json): Json {
  return { anyOf: [value, { type: "null" }] };
}

const properties = Object.fromEntries(Object.entries(KEYWORDS).map(([name, value]) => [name, optional(value)]));

/** Not among the properties: what resolves the references of documents would take it for one. */
const patternProperties = { "^\\$ref$": optional(text) };

/** Any JSON Schema. */
export const anyJsonSchema = v.pipe(
  v.looseObject({}),
  v.metadata({
    description: "A JSON Schema. Keywords that are not known are taken as they are.",
    properties,
    patternProperties,
  }),
);

/** JSON Schema of a function's arguments. */
export const argumentsSchema = v.pipe(
  v.intersect([anyJsonSchema]),
  v.metadata({
    description: "JSON Schema of a function's arguments, which are an object.",
    properties: { type: { anyOf: [{ const: "object" }, typeList, { type: "null" }] } },
  }),
);
