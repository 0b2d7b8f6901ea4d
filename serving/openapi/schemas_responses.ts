/** Named schemas of the Responses API. */
import * as v from "valibot";
import { list } from "../../types/_list.ts";
import { flag, freeForm, integer, number, oneOf, text, word } from "../../types/_schema.ts";
import { object, shape, tagged } from "../../types/_shape.ts";
import { items } from "../responses/_item_schema.ts";
import { responseRequest } from "../responses/_request_schema.ts";

/** What requests consist of. */
export const responseRequests = {
  ResponseRequest: responseRequest,
  ResponseInputItem: items.item,
};

const count = integer(0);
const status = oneOf(["in_progress", "completed", "incomplete"]);
const probability = { token: text, logprob: number(), bytes: list(integer(0, 255), "bytes") };
/** How likely tokens were. */
export const probabilities = list(
  object({ ...probability, top_logprobs: list(object(probability), "tokens") }),
  "tokens",
);

/** Words. */
export const outputText = shape({
  type: word("output_text"),
  text,
  annotations: list(freeForm, "annotations"),
  logprobs: probabilities,
});
/** A refusal. */
export const refusal = shape({ type: word("refusal"), refusal: text });
/** Thinking in the place of a summary. */
export const summary = shape({ type: word("summary_text"), text });
/** Thinking. */
export const thinking = shape({ type: word("reasoning_text"), text });

/** A thing that the model gave. */
export const outputItem = tagged("type", [
  shape({
    type: word("message"),
    id: text,
    status,
    role: word("assistant"),
    content: list(tagged("type", [outputText, refusal]), "parts"),
  }),
  shape({
    type: word("reasoning"),
    id: text,
    status,
    summary: list(tagged("type", [summary]), "parts"),
    content: v.exactOptional(list(tagged("type", [thinking]), "parts")),
  }),
  shape({ type: word("function_call"), id: text, status, call_id: text, name: text, arguments: text }),
  shape({ type: word("custom_tool_call"), id: text, status, call_id: text, name: text, input: text }),
]);

const usage = object({
  input_tokens: count,
  input_tokens_details: object({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens: count,
  output_tokens_details: object({ reasoning_tokens: count }),
  total_tokens: count,
});

/** The response object. */
export const response = object({
  id: text,
  object: word("response"),
  created_at: count,
  status: oneOf(["in_progress", "completed", "incomplete", "failed"]),
  completed_at: v.nullable(count),
  error: v.nullable(object({ code: oneOf(["server_error", "rate_limit_exceeded"]), message: text })),
  incomplete_details: v.nullable(object({ reason: oneOf(["max_output_tokens", "content_filter"]) })),
  background: v.literal(false),
  instructions: v.nullable(text),
  max_output_tokens: v.nullable(count),
  max_tool_calls: v.nullable(count),
  model: text,
  output: list(outputItem, "items"),
  parallel_tool_calls: flag,
  previous_response_id: v.nullable(text),
  reasoning: object({ effort: v.nullable(text), summary: v.nullable(text) }),
  service_tier: v.nullable(text),
  store: flag,
  temperature: v.nullable(number(0, 2)),
  text: object({ format: object({ type: text }) }),
  tool_choice: v.union([text, freeForm]),
  tools: list(object({ type: word("function"), name: text }), "tools"),
  top_logprobs: integer(0, 20),
  top_p: v.nullable(number(0, 1)),
  truncation: oneOf(["auto", "disabled"]),
  metadata: v.record(v.string(), v.string()),
  user: v.exactOptional(text),
  safety_identifier: v.exactOptional(text),
  prompt_cache_key: v.exactOptional(text),
  usage: v.exactOptional(usage),
  custom_outputs: v.exactOptional(freeForm),
});

/** What answers consist of. */
export const responseAnswers = {
  Response: response,
  ResponseOutputItem: outputItem,
  ResponseOutputText: outputText,
  ResponseRefusal: refusal,
  ResponseSummaryText: summary,
  ResponseReasoningText: thinking,
  ResponseUsage: usage,
  ResponseItemList: object({
    object: word("list"),
    data: list(object({ id: text, type: text }), "items"),
    first_id: text,
    last_id: text,
    has_more: flag,
  }),
  DeletedResponse: object({ id: text, object: word("response"), deleted: v.literal(true) }),
};
