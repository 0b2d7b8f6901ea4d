/** The schemas that have a name. */
import type * as v from "valibot";
import { toJsonSchemaDefs } from "@valibot/to-json-schema";
import { DESCRIPTIONS } from "./descriptions.ts";
import { type Json, ref } from "./json.ts";
import { KNOWN } from "./known.ts";
import { Plain } from "./plain.ts";
import { chatAnswers, chatRequests } from "./schemas_chat.ts";
import { completionAnswers, completionRequests } from "./schemas_completions.ts";
import { responseEvents } from "./schemas_events.ts";
import { responseAnswers, responseRequests } from "./schemas_responses.ts";
import { storedAnswers, storedRequests } from "./schemas_stored.ts";
import { invocationRequests, serverAnswers } from "./schemas_server.ts";

/** Schemas under the names that they have in the document. */
export type Named = Readonly<Record<string, v.GenericSchema>>;

/** All that a client writes. */
export const REQUESTS: Named = {
  ...chatRequests,
  ...storedRequests,
  ...responseRequests,
  ...completionRequests,
  ...invocationRequests,
};

/** All that the server writes. */
export const ANSWERS: Named = {
  ...chatAnswers,
  ...storedAnswers,
  ...responseAnswers,
  ...responseEvents,
  ...completionAnswers,
  ...serverAnswers,
};

/** All named schemas, as JSON Schema. */
export function makeSchemas(): Record<string, Json> {
  const schemas: Record<string, Json> = toJson(ANSWERS, new Plain({ writer: "server" }));
  const requests = toJson(REQUESTS, new Plain({ writer: "client", known: KNOWN }));
  for (const [name, schema] of Object.entries(requests)) {
    const other = schemas[name];
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(schema)) {
      throw new Error(`Cannot name two schemas "${name}": requests and answers differ in it`);
    }
    schemas[name] = schema;
  }
  const names = Object.keys(schemas).sort();
  return Object.fromEntries(names.map((name) => [name, { ...describe(name), ...schemas[name] }]));
}

function describe(name: string): Json {
  const description = DESCRIPTIONS[name];
  if (description === undefined) throw new Error(`Cannot describe schema "${name}": add it to descriptions.ts`);
  return { description };
}

function toJson(named: Named, plain: Plain): Record<string, Json> {
  const definitions = Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, plain.of(schema)]));
  const names = new Map(Object.entries(definitions).map(([name, schema]) => [schema, name]));
  const made = toJsonSchemaDefs(definitions, {
    typeMode: "input",
    target: "draft-2020-12",
    overrideRef: ({ referenceId }) => ref(referenceId).$ref,
    overrideSchema: ({ valibotSchema, jsonSchema }) => tell(jsonSchema, plain.taggedOf(valibotSchema), names),
  });
  return Object.fromEntries(Object.entries(made).map(([name, schema]) => [name, tidy(schema)]));
}

/** Objects that are told apart by a word: those with names are found by it. */
function tell<const Schema extends { anyOf?: unknown }>(
  { anyOf, ...rest }: Schema,
  tagged: ReturnType<Plain["taggedOf"]>,
  names: ReadonlyMap<unknown, string>,
): Omit<Schema, "anyOf"> & Json | undefined {
  if (tagged === undefined) return undefined;
  const mapping: Record<string, string> = {};
  for (const [word, schema] of tagged.options) {
    const name = names.get(schema);
    if (name === undefined) return { ...rest, oneOf: anyOf };
    mapping[word] = ref(name).$ref;
  }
  return { ...rest, oneOf: anyOf, discriminator: { propertyName: tagged.key, mapping } };
}

/** Without lists and objects that say nothing, and without choices within choices. */
function tidy(schema: object): Json {
  const entries = Object.entries(schema).filter(([key, inner]) => !(isEmpty(inner) && IDLE.has(key)));
  const { anyOf, ...rest }: Record<string, unknown> = Object.fromEntries(
    entries.map(([key, inner]) => [key, tidyAny(inner)]),
  );
  return {
    ...typeof rest["const"] === "string" && { type: "string" },
    ...rest,
    ...Array.isArray(anyOf) && { anyOf: anyOf.flatMap((option: unknown) => choicesOf(option) ?? [option]) },
  };
}

const IDLE: ReadonlySet<string> = new Set(["properties", "required"]);

function tidyAny(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidyAny);
  return typeof value === "object" && value !== null ? tidy(value) : value;
}

/** The choices of what says nothing beside them. */
function choicesOf(schema: unknown): readonly unknown[] | undefined {
  if (typeof schema !== "object" || schema === null || !("anyOf" in schema)) return undefined;
  return Array.isArray(schema.anyOf) && Object.keys(schema).length === 1 ? schema.anyOf : undefined;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
