import * as v from "valibot";
import { ENOUGH_ISSUES, list } from "./_list.ts";
import { responseFormat } from "./_response_format_schema.ts";
import { explain, flag, freeForm, integer, isJsonObject, type JsonObject, number, refusal, text } from "./_schema.ts";
import { object, setMember } from "./_shape.ts";
import { functionChoice, functionDefinition, toolChoice, toolDefinition } from "./_tool_schema.ts";

const texts = list(text, "a string or an array of strings");
const neither = refusal("a string or an array of strings");
const stop = v.lazy((input) => typeof input === "string" ? text : Array.isArray(input) ? texts : neither);

const bias = integer(-100, 100);
const logitBias = v.pipe(
  freeForm,
  v.rawTransform<JsonObject, Readonly<Record<string, number>>>(({ dataset, addIssue, NEVER }) => {
    const input = dataset.value;
    const output: Record<string, number> = {};
    let issueCount = 0;
    for (const key of Object.keys(input)) {
      const value = input[key];
      if (v.is(bias, value)) {
        setMember(output, key, value);
      } else {
        const path: [v.ObjectPathItem] = [{ type: "object", origin: "value", input, key, value }];
        addIssue({ input: value, expected: bias.expects, message: explain, path });
        if (++issueCount === ENOUGH_ISSUES) break;
      }
    }
    return issueCount === 0 ? output : NEVER;
  }),
);

/** The parameters that have a name here; any others are kept apart. All are optional. */
export const paramEntries = {
  temperature: v.exactOptional(number(0, 2)),
  top_p: v.exactOptional(number(0, 1)),
  top_k: v.exactOptional(integer(0)),
  min_p: v.exactOptional(number(0, 1)),
  n: v.exactOptional(integer(1, 128)),
  max_tokens: v.exactOptional(integer(0)),
  max_completion_tokens: v.exactOptional(integer(0)),
  stop: v.exactOptional(stop),
  seed: v.exactOptional(integer()),
  frequency_penalty: v.exactOptional(number(-2, 2)),
  presence_penalty: v.exactOptional(number(-2, 2)),
  logit_bias: v.exactOptional(logitBias),
  logprobs: v.exactOptional(flag),
  top_logprobs: v.exactOptional(integer(0, 20)),
  response_format: v.exactOptional(responseFormat),
  tools: v.exactOptional(list(toolDefinition, "an array of tools")),
  tool_choice: v.exactOptional(toolChoice),
  parallel_tool_calls: v.exactOptional(flag),
  functions: v.exactOptional(list(functionDefinition, "an array of functions")),
  function_call: v.exactOptional(functionChoice),
  stream: v.exactOptional(flag),
  stream_options: v.exactOptional(object({
    include_usage: v.exactOptional(flag),
    include_obfuscation: v.exactOptional(flag),
  })),
  reasoning_effort: v.exactOptional(text),
  reasoning: v.exactOptional(freeForm),
  verbosity: v.exactOptional(text),
  modalities: v.exactOptional(list(text, "an array of strings")),
  audio: v.exactOptional(freeForm),
  prediction: v.exactOptional(freeForm),
  web_search_options: v.exactOptional(freeForm),
  moderation: v.exactOptional(freeForm),
  service_tier: v.exactOptional(text),
  store: v.exactOptional(flag),
  metadata: v.exactOptional(freeForm),
  user: v.exactOptional(text),
  safety_identifier: v.exactOptional(text),
  prompt_cache_key: v.exactOptional(text),
  prompt_cache_retention: v.exactOptional(text),
  prompt_cache_options: v.exactOptional(freeForm),
  custom_inputs: v.exactOptional(freeForm),
};

/** Parameters, each under its name. */
export const namedParams = v.object(paramEntries, explain);

/** Parameters as one object, with `extra` among them. */
export const chatParams = v.pipe(
  freeForm,
  v.transform(gatherExtra),
  v.object({ ...paramEntries, extra: v.exactOptional(freeForm) }, explain),
);

/** Fields of an object, sorted by whether they are known. */
export interface SortedFields {
  /** The known ones, without those that are `null`. */
  readonly known: JsonObject;
  /** The others in their order, untouched; `undefined` when there are none. */
  readonly extra: JsonObject | undefined;
}

/** Sorts the fields of an object by whether they are known. */
export function sortFields(input: JsonObject, names: ReadonlySet<string>): SortedFields {
  const known: Record<string, unknown> = {};
  let extra: Record<string, unknown> | undefined;
  for (const key of Object.keys(input)) {
    const value = input[key];
    if (!names.has(key)) setMember(extra ??= {}, key, value);
    else if (value !== null && value !== undefined) known[key] = value;
  }
  return { known, extra };
}

const PARAM_NAMES: ReadonlySet<string> = new Set([...Object.keys(paramEntries), "extra"]);

function gatherExtra(input: JsonObject): JsonObject {
  const { known, extra } = sortFields(input, PARAM_NAMES);
  if (extra === undefined) return known;
  if (known.extra === undefined) return { ...known, extra };
  if (!isJsonObject(known.extra)) return known;
  const both: Record<string, unknown> = {};
  for (const part of [known.extra, extra]) {
    for (const key of Object.keys(part)) setMember(both, key, part[key]);
  }
  return { ...known, extra: both };
}
