/** Named schemas of the events of a streamed response. */
import * as v from "valibot";
import { freeForm, integer, oneOf, text, word } from "../../types/_schema.ts";
import { object, tagged } from "../../types/_shape.ts";
import { outputItem, outputText, probabilities, refusal, response, summary, thinking } from "./schemas_responses.ts";

const count = integer(0);
const item = { sequence_number: count, item_id: text, output_index: count };
const content = { ...item, content_index: count };
const summaryPlace = { ...item, summary_index: count };
const part = tagged("type", [outputText, refusal, thinking]);
const summaryPart = tagged("type", [summary]);

/** What streams consist of. */
export const responseEvents = {
  ResponseEvent: v.union([
    object({
      type: oneOf([
        "response.created",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
      ]),
      sequence_number: count,
      response,
    }),
    object({
      type: oneOf(["response.output_item.added", "response.output_item.done"]),
      sequence_number: count,
      output_index: count,
      item: outputItem,
    }),
    object({ type: oneOf(["response.content_part.added", "response.content_part.done"]), ...content, part }),
    object({ type: word("response.output_text.delta"), ...content, delta: text, logprobs: probabilities }),
    object({ type: word("response.output_text.done"), ...content, text, logprobs: probabilities }),
    object({
      type: word("response.output_text.annotation.added"),
      ...content,
      annotation_index: count,
      annotation: freeForm,
    }),
    object({ type: oneOf(["response.refusal.delta", "response.reasoning_text.delta"]), ...content, delta: text }),
    object({ type: word("response.refusal.done"), ...content, refusal: text }),
    object({ type: word("response.reasoning_text.done"), ...content, text }),
    object({
      type: oneOf(["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]),
      ...summaryPlace,
      part: summaryPart,
    }),
    object({ type: word("response.reasoning_summary_text.delta"), ...summaryPlace, delta: text }),
    object({ type: word("response.reasoning_summary_text.done"), ...summaryPlace, text }),
    object({
      type: oneOf(["response.function_call_arguments.delta", "response.custom_tool_call_input.delta"]),
      ...item,
      delta: text,
    }),
    object({ type: word("response.function_call_arguments.done"), ...item, name: text, arguments: text }),
    object({ type: word("response.custom_tool_call_input.done"), ...item, input: text }),
    object({
      type: word("error"),
      sequence_number: count,
      code: v.nullable(text),
      message: text,
      param: v.nullable(text),
      error: freeForm,
    }),
  ]),
};
