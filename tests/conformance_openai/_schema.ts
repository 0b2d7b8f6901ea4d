/** Validates what is sent against OpenAI's own schemas. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { type Fields, isFields } from "./_to_json_schema.ts";

/** Names of the schemas that answers are checked against. */
export type SchemaName =
  | "CreateChatCompletionResponse"
  | "CreateChatCompletionStreamResponse"
  | "ChatCompletionList"
  | "ChatCompletionMessageList"
  | "ChatCompletionDeleted"
  | "CreateCompletionResponse"
  | "CreateEmbeddingResponse"
  | "DeleteModelResponse"
  | "ErrorResponse"
  | "ListModelsResponse"
  | "Model"
  | "Response"
  | "ResponseItemList"
  | "ResponseStreamEvent";

/** The schemas; another version of them can be tried without changing the one that is kept. */
const TEXT = Deno.readTextFileSync(
  Deno.env.get("OPENAI_SCHEMA") ?? new URL("../testdata/openai/schema.json", import.meta.url),
);

/** References are made absolute, so that any part can be compiled by itself. */
const SCHEMA: unknown = JSON.parse(TEXT.replaceAll('"#/$defs/', '"openai#/$defs/'));
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });

function definition(name: string): Fields {
  const definitions = isFields(SCHEMA) ? SCHEMA.$defs : undefined;
  const found = isFields(definitions) ? definitions[name] : undefined;
  if (!isFields(found)) throw new Error(`Cannot find schema "${name}": make the schemas anew with _vendor.ts`);
  return found;
}

if (!isFields(SCHEMA)) throw new Error("Cannot read OpenAI's schemas: make them anew with _vendor.ts");
ajv.addSchema(SCHEMA, "openai");

/**
 * Checks a body or a frame.
 *
 * @param name The schema's name.
 * @param value What was sent, parsed.
 * @throws {Error} If it is not as the schema says; the message names every path at fault.
 */
export function validateBody(name: SchemaName, value: unknown): void {
  const validate = ajv.compile(definition(name));
  if (validate(value)) return;
  const found = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || "/"} ${message}`);
  throw new Error(`${name}: ${[...new Set(found)].join("; ")}: ${JSON.stringify(value).slice(0, 2000)}`);
}

/**
 * Members that a valid body or frame has and the schema does not know. The schema allows them, nearly everywhere.
 *
 * @param name The schema's name.
 * @param value What was sent, parsed.
 * @returns Their paths, with `*` for positions in lists.
 */
export function unknownMembers(name: SchemaName, value: unknown): string[] {
  const found = new Set<string>();
  collectUnknown([definition(name)], value, "", found);
  return [...found];
}

function collectUnknown(schemas: readonly Fields[], value: unknown, path: string, found: Set<string>): void {
  const parts = schemas.flatMap((schema) => partsFor(schema, value));
  if (Array.isArray(value)) {
    const items = parts.flatMap((part) => isFields(part.items) ? [part.items] : []);
    for (const item of value) collectUnknown(items, item, `${path}/*`, found);
    return;
  }
  // Where a schema names no members, or takes any, none is unknown.
  const named = parts.filter((part) => isFields(part.properties));
  if (!isFields(value) || named.length === 0) return;
  const isOpen = parts.some(({ additionalProperties: more }) => more !== undefined && more !== false);
  for (const [key, member] of Object.entries(value)) {
    const own = named.flatMap(({ properties }) => {
      const schema = isFields(properties) ? properties[key] : undefined;
      return isFields(schema) ? [schema] : [];
    });
    if (own.length > 0) collectUnknown(own, member, `${path}/${key}`, found);
    else if (!isOpen) found.add(`${path}/${key}`);
  }
}

/** The plain schemas that speak of a value: through references, all parts of a whole, and the alternatives that fit. */
function partsFor(schema: Fields, value: unknown): Fields[] {
  const { $ref, allOf, anyOf, oneOf } = schema;
  const whole = typeof $ref === "string" ? [definition($ref.replace("openai#/$defs/", ""))] : [];
  const fitting = [anyOf, oneOf].flatMap(schemasIn).filter((alternative) => ajv.compile(alternative)(value));
  return [schema, ...[...whole, ...schemasIn(allOf), ...fitting].flatMap((part) => partsFor(part, value))];
}

function schemasIn(list: unknown): Fields[] {
  return Array.isArray(list) ? list.filter(isFields) : [];
}
