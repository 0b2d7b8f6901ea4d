/** What the body of `POST /v1/responses` must look like. */
import * as v from "valibot";
import { ENOUGH_ISSUES, list } from "../../types/_list.ts";
import { paramEntries } from "../../types/_params_schema.ts";
import {
  explain,
  flag,
  freeForm,
  integer,
  isJsonObject,
  type JsonObject,
  naming,
  nonEmptyText,
  number,
  oneOf,
  refusal,
  text,
  word,
} from "../../types/_schema.ts";
import { object, setMember, shape, tagged } from "../../types/_shape.ts";
import { jsonSchema, toolParameters } from "../../types/_json_schema_schema.ts";
import { items } from "./_item_schema.ts";

const neitherInput = refusal("a string or an array of items");
const input = naming(
  v.lazy((input) => typeof input === "string" ? text : Array.isArray(input) ? items : neitherInput),
  "a string or an array of items",
);

const functionTool = shape({
  type: word("function"),
  name: nonEmptyText,
  description: v.exactOptional(text),
  parameters: v.exactOptional(toolParameters),
  strict: v.exactOptional(flag),
});

const FUNCTIONS_ONLY =
  '"function", the one kind of tool that can be offered here (custom tools can by /v1/chat/completions)';
const otherTool = object({ type: naming(v.literal("function", explain), FUNCTIONS_ONLY) });

/** A tool: a function, or else only what is wrong with its type. */
const tool = naming(
  v.lazy((input) => isJsonObject(input) && input["type"] === "function" ? functionTool : otherTool),
  "an object",
);

const choiceWord = oneOf(["none", "auto", "required"]);
const choiceObject = tagged("type", [
  shape({ type: word("function"), name: nonEmptyText }),
  shape({
    type: word("allowed_tools"),
    mode: oneOf(["auto", "required"]),
    tools: list(shape({ type: word("function"), name: nonEmptyText }), "an array of tools"),
  }),
]);
const neitherChoice = refusal('"none", "auto", "required" or an object that names a function');
const toolChoice = v.lazy((input) => {
  if (typeof input === "string") return choiceWord;
  return isJsonObject(input) ? choiceObject : neitherChoice;
});

const format = tagged("type", [
  shape({ type: word("text") }),
  shape({ type: word("json_object") }),
  shape({
    type: word("json_schema"),
    name: nonEmptyText,
    description: v.exactOptional(text),
    schema: jsonSchema,
    strict: v.exactOptional(flag),
  }),
]);

/** Labels: text by name. */
const metadata = v.pipe(
  freeForm,
  v.rawTransform<JsonObject, Readonly<Record<string, string>>>(({ dataset, addIssue, NEVER }) => {
    const output: Record<string, string> = {};
    let issueCount = 0;
    for (const [key, value] of Object.entries(dataset.value)) {
      if (typeof value === "string") {
        setMember(output, key, value);
        continue;
      }
      const path: [v.ObjectPathItem] = [{ type: "object", origin: "value", input: dataset.value, key, value }];
      addIssue({ input: value, expected: "a string", message: explain, path });
      if (++issueCount === ENOUGH_ISSUES) break;
    }
    return issueCount === 0 ? output : NEVER;
  }),
);

const { custom_inputs, stop, seed, top_k, min_p, frequency_penalty, presence_penalty, logit_bias } = paramEntries;

const summary = oneOf(["auto", "concise", "detailed"]);

/** What may be added to an answer. All but the first belong to tools and the like that are not here. */
const includable = oneOf([
  "message.output_text.logprobs",
  "message.input_image.image_url",
  "reasoning.encrypted_content",
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
]);

const entries = {
  input: v.exactOptional(input),
  instructions: v.exactOptional(text),
  model: v.exactOptional(text),
  tools: v.exactOptional(list(tool, "an array of tools")),
  tool_choice: v.exactOptional(toolChoice),
  parallel_tool_calls: v.exactOptional(flag),
  max_tool_calls: v.exactOptional(integer(1)),
  text: v.exactOptional(object({ format: v.exactOptional(format), verbosity: v.exactOptional(text) })),
  reasoning: v.exactOptional(object({
    effort: v.exactOptional(text),
    summary: v.exactOptional(summary),
    generate_summary: v.exactOptional(summary),
  })),
  max_output_tokens: v.exactOptional(integer(1)),
  temperature: v.exactOptional(number(0, 2)),
  top_p: v.exactOptional(number(0, 1)),
  top_logprobs: v.exactOptional(integer(0, 20)),
  include: v.exactOptional(list(includable, "an array of strings")),
  truncation: v.exactOptional(oneOf(["auto", "disabled"])),
  metadata: v.exactOptional(metadata),
  store: v.exactOptional(flag),
  previous_response_id: v.exactOptional(nonEmptyText),
  stream: v.exactOptional(flag),
  stream_options: v.exactOptional(object({ include_obfuscation: v.exactOptional(flag) })),
  service_tier: v.exactOptional(text),
  user: v.exactOptional(text),
  safety_identifier: v.exactOptional(text),
  prompt_cache_key: v.exactOptional(text),
  prompt_cache_retention: v.exactOptional(text),
  prompt_cache_options: v.exactOptional(freeForm),
  moderation: v.exactOptional(freeForm),
  // What OpenAI does not have here, but models take by these names.
  ...{ custom_inputs, stop, seed, top_k, min_p, frequency_penalty, presence_penalty, logit_bias },
  // What cannot be done here. Without these entries it would be handed on, and nothing come of it.
  background: v.exactOptional(
    naming(v.literal(false, explain), 'false, as this server makes no answer in the background: use "stream"'),
  ),
  prompt: v.exactOptional(refusal('"instructions" and "input" instead, as this server keeps no prompts')),
  conversation: v.exactOptional(refusal('"previous_response_id" instead, as this server keeps no conversations')),
  context_management: v.exactOptional(refusal('a shorter "input" instead, as this server compacts none')),
  // Names of the chat wire that have another place here.
  messages: v.exactOptional(refusal('"input" instead')),
  max_tokens: v.exactOptional(refusal('"max_output_tokens" instead')),
  max_completion_tokens: v.exactOptional(refusal('"max_output_tokens" instead')),
  response_format: v.exactOptional(refusal('"text.format" instead')),
  reasoning_effort: v.exactOptional(refusal('"reasoning.effort" instead')),
  verbosity: v.exactOptional(refusal('"text.verbosity" instead')),
  logprobs: v.exactOptional(refusal('"message.output_text.logprobs" in "include" instead')),
};

/** The fields that are known. */
export const responseRequest = v.object(entries, explain);

/** Their names. */
export const REQUEST_NAMES: ReadonlySet<string> = new Set(Object.keys(entries));

/** The fields that are known, checked. */
export type RequestFields = v.InferOutput<typeof responseRequest>;

/** A function that the model may call. */
export type FunctionTool = v.InferOutput<typeof functionTool>;
