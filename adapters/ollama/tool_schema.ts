import type { FunctionDefinition, JsonSchema } from "../../types/mod.ts";
import { allowNull, mapSubschemas } from "../json_schema/mod.ts";
import { inlineReferences } from "./_json_schema.ts";
import { isRecord } from "./_request_issues.ts";
import type { OllamaTool } from "./wire.ts";

/**
 * Keywords that Ollama keeps when it parses a tool's parameters into its own structure; it drops all others without
 * a word. `title`, `$schema` and the like constrain nothing and are let go. So is `additionalProperties: false`:
 * a model that sees all there is to fill in needs no words about the rest.
 */
const KEPT = new Set(["type", "description", "enum", "items", "anyOf", "properties", "required"]);
const LET_GO = new Set(["title", "$schema", "$id", "id", "$comment", "$anchor", "$defs", "definitions"]);

/**
 * Makes a tool of a function definition such that nothing that matters in its schema is lost: references are put in
 * place, `const` becomes `enum`, `oneOf` becomes `anyOf`, `allOf` is merged, `nullable` becomes a type, and other constraints move into the
 * description, where the model reads them.
 *
 * @param definition The function.
 * @returns The tool as Ollama takes it.
 * @throws {SchemaError} If the schema unfolds to too much.
 */
export function toOllamaTool(definition: FunctionDefinition): OllamaTool {
  const { kept, notes } = rescue(allowNull(inlineReferences(definition.parameters ?? {})));
  const { description: schemaDescription, ...parameters } = kept;
  const description = joinNotes(
    [definition.description, typeof schemaDescription === "string" ? schemaDescription : undefined],
    notes,
  );
  return {
    type: "function",
    function: {
      name: definition.name,
      ...(description !== undefined && { description }),
      parameters: { ...parameters, type: parameters.type ?? "object", properties: parameters.properties ?? {} },
    },
  };
}

function rescueInner(schema: JsonSchema): JsonSchema {
  const { kept, notes } = rescue(schema);
  const { description, ...rest } = kept;
  const text = joinNotes([typeof description === "string" ? description : undefined], notes);
  return text === undefined ? rest : { ...rest, description: text };
}

function rescue(original: JsonSchema): { kept: JsonSchema; notes: readonly string[] } {
  const schema = mergeAllOf(original);
  const kept: { [keyword: string]: unknown } = {};
  const notes: string[] = [];
  const changed = mapSubschemas(schema, rescueInner);
  for (const [keyword, value] of Object.entries(changed)) {
    if (KEPT.has(keyword)) kept[keyword] = value;
    else if (keyword === "const" && schema.enum === undefined) kept.enum = [value];
    else if (keyword === "oneOf" && schema.anyOf === undefined) kept.anyOf = value;
    else if (keyword === "additionalProperties" && typeof value === "boolean") continue;
    else if (keyword === "uniqueItems" && value === false) continue;
    else if (!LET_GO.has(keyword)) notes.push(`${keyword}: ${JSON.stringify(value)}`);
  }
  // Templates of models print the type and fall over nothing: it is inferred where it is left out.
  const type = kept.type ?? inferType(kept);
  if (type !== undefined) kept.type = type;
  return { kept, notes };
}

function inferType(schema: JsonSchema): string | readonly string[] | undefined {
  if (schema.properties !== undefined) return "object";
  if (schema.items !== undefined) return "array";
  const members: readonly unknown[] = Array.isArray(schema.enum) ? schema.enum : [];
  const types = new Set(members.filter((member) => member !== null).map((member) => typeof member));
  const [type] = types;
  if (types.size !== 1 || (type !== "string" && type !== "number" && type !== "boolean")) return undefined;
  return members.includes(null) ? [type, "null"] : type;
}

/** Merges the schemas of `allOf` into the one around them, which wins. */
function mergeAllOf(schema: JsonSchema): JsonSchema {
  if (!Array.isArray(schema.allOf)) return schema;
  const { allOf, ...own } = schema;
  let merged: JsonSchema = {};
  for (const part of [...allOf, own]) {
    if (!isRecord(part)) continue;
    const next = mergeAllOf(part);
    const properties = { ...asRecord(merged.properties), ...asRecord(next.properties) };
    const required = [...new Set([...asArray(merged.required), ...asArray(next.required)])];
    merged = {
      ...merged,
      ...next,
      ...(Object.keys(properties).length > 0 && { properties }),
      ...(required.length > 0 && { required }),
    };
  }
  return merged;
}

function asRecord(value: unknown): { readonly [key: string]: unknown } {
  return isRecord(value) ? value : {};
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function joinNotes(texts: readonly (string | undefined)[], notes: readonly string[]): string | undefined {
  const parts = texts.filter((text) => text !== undefined && text !== "");
  if (notes.length > 0) parts.push(`(${notes.join(", ")})`);
  return parts.length === 0 ? undefined : parts.join(" ");
}
