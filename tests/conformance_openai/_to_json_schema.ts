/** OpenAPI's schemas as OpenAI writes them, turned into JSON Schema 2020-12. */

/** An object of unknown members. */
export type Fields = { readonly [name: string]: unknown };

/** Whether a value is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Members that say nothing about what is valid, or that are OpenAPI's own. */
const DROPPED = new Set([
  "title",
  "description",
  "example",
  "examples",
  "default",
  "deprecated",
  "discriminator",
  "externalDocs",
  "readOnly",
  "writeOnly",
  "xml",
  // Names such as "unixtime" and "float", which JSON Schema does not know.
  "format",
  // An older JSON Schema's word for what `$recursiveRef` refers to.
  "$recursiveAnchor",
]);

/** Members whose members are named by the author, not by JSON Schema. */
const MAPS = new Set(["properties", "patternProperties", "$defs", "dependentSchemas"]);

/** Members that are values rather than schemas. */
const VALUES = new Set(["enum", "const", "required", "type"]);

/**
 * Rewrites a schema. The document says it is OpenAPI 3.1, which has no `nullable` any more, but uses it all the same:
 * read literally, `null` would be forbidden where it is meant to be allowed.
 *
 * @param schema The schema.
 * @param name Name of the definition that it is a part of.
 * @returns It with references to `#/$defs`, with `null` allowed where `nullable` says so, and without prose.
 */
export function toJsonSchema(schema: unknown, name: string): unknown {
  if (Array.isArray(schema)) return schema.map((member) => toJsonSchema(member, name));
  if (!isFields(schema)) return schema;
  const { nullable, ...rest } = schema;
  const rewritten = Object.fromEntries(
    Object.entries(rest)
      .filter(([key]) => !DROPPED.has(key) && !key.startsWith("x-"))
      .map(([key, value]) =>
        key === "$recursiveRef" ? ["$ref", `#/$defs/${name}`] : [key, rewriteMember(key, value, name)]
      ),
  );
  return nullable === true ? allowNull(rewritten) : rewritten;
}

function rewriteMember(key: string, value: unknown, name: string): unknown {
  if (VALUES.has(key)) return value;
  if (key === "$ref") return String(value).replace("#/components/schemas/", "#/$defs/");
  if (!MAPS.has(key) || !isFields(value)) return toJsonSchema(value, name);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJsonSchema(member, name)]));
}

function allowNull(schema: Fields): Fields {
  const { type, enum: values, const: constant } = schema;
  const isPlain = typeof type === "string" && constant === undefined &&
    !["$ref", "allOf", "anyOf", "oneOf", "not"].some((name) => name in schema);
  if (!isPlain) return { anyOf: [schema, { type: "null" }] };
  return {
    ...schema,
    type: [type, "null"],
    ...(Array.isArray(values) && { enum: values.includes(null) ? values : [...values, null] }),
  };
}
