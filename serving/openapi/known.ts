/** What stands for schemas that check by functions. */
import * as v from "valibot";
import { jsonSchema, toolParameters } from "../../types/_json_schema_schema.ts";
import { paramEntries } from "../../types/_params_schema.ts";
import { responseRequest } from "../responses/_request_schema.ts";
import { anyJsonSchema, argumentsSchema } from "./json_schema.ts";

/** Labels of answers that are kept, within OpenAI's limits. */
export const metadata = v.pipe(
  v.record(v.pipe(v.string(), v.maxLength(64)), v.pipe(v.string(), v.maxLength(512))),
  v.maxEntries(16),
);

const bias = v.pipe(v.number(), v.metadata({ type: "integer", minimum: -100, maximum: 100 }));

/** Schemas that check by functions, with what stands for them. */
export const KNOWN: ReadonlyMap<v.GenericSchema, v.GenericSchema> = new Map<v.GenericSchema, v.GenericSchema>([
  [jsonSchema, anyJsonSchema],
  [toolParameters, argumentsSchema],
  [metadata, metadata],
  [paramEntries.logit_bias.wrapped, v.record(v.string(), bias)],
  [paramEntries.metadata, v.optional(v.nullable(metadata))],
  [responseRequest.entries.metadata, v.optional(v.nullable(metadata))],
]);
