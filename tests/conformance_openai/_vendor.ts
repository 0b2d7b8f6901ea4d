/**
 * Makes `tests/testdata/openai/schema.json` of OpenAI's specification: the schemas of the answers that are checked here
 * and all that they refer to, as plain JSON Schema.
 *
 *     deno run --allow-read --allow-write tests/conformance_openai/_vendor.ts path/to/openapi.yml [where/to/write.json]
 */
import { parse } from "@std/yaml";
import { type Fields, isFields, toJsonSchema } from "./_to_json_schema.ts";

/** Schemas of what a server answers. */
const ROOTS = [
  "CreateChatCompletionResponse",
  "CreateChatCompletionStreamResponse",
  "ChatCompletionList",
  "ChatCompletionMessageList",
  "ChatCompletionDeleted",
  "CreateCompletionResponse",
  "CreateEmbeddingResponse",
  "DeleteModelResponse",
  "ErrorResponse",
  "ListModelsResponse",
  "Model",
  "Response",
  "ResponseItemList",
  "ResponseStreamEvent",
];

const PREFIX = "#/components/schemas/";

/** Adds a schema and all that it refers to. */
function collect(name: string, schemas: Fields, into: Map<string, unknown>): void {
  if (into.has(name)) return;
  const schema = schemas[name];
  if (schema === undefined) throw new Error(`Cannot find schema "${name}" in the specification`);
  const rewritten = toJsonSchema(schema, name);
  into.set(name, rewritten);
  for (const [, other = ""] of JSON.stringify(rewritten).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)) {
    collect(other, schemas, into);
  }
}

/**
 * Makes the subset.
 *
 * @param specification The specification, parsed.
 * @returns A JSON Schema of nothing but definitions.
 */
export function makeSubset(specification: unknown): Fields {
  const components = isFields(specification) ? specification.components : undefined;
  const schemas = isFields(components) ? components.schemas : undefined;
  const info = isFields(specification) ? specification.info : undefined;
  if (!isFields(schemas) || !isFields(info)) throw new Error(`Cannot read the specification: nothing at "${PREFIX}"`);
  const definitions = new Map<string, unknown>();
  for (const root of ROOTS) collect(root, schemas, definitions);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $comment: `Made of OpenAI's specification, version ${info.version}, by tests/conformance_openai/_vendor.ts`,
    $defs: Object.fromEntries([...definitions].sort(([a], [b]) => a < b ? -1 : 1)),
  };
}

if (import.meta.main) {
  const [path, target = new URL("../testdata/openai/schema.json", import.meta.url)] = Deno.args;
  if (path === undefined) throw new Error("Cannot make the subset: give the path of openapi.yml or openapi.json");
  const subset = makeSubset(parse(await Deno.readTextFile(path)));
  await Deno.writeTextFile(target, `${JSON.stringify(subset, undefined, 1)}\n`);
}
