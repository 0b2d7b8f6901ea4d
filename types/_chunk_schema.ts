import * as v from "valibot";
import { list } from "./_list.ts";
import { annotations, finishReason, logprobs, usage } from "./_response_schema.ts";
import { freeForm, integer, oneOf, text, word } from "./_schema.ts";
import { object } from "./_shape.ts";

const functionFragment = object({ name: v.exactOptional(text), arguments: v.exactOptional(text) });

const toolCallDelta = object({
  index: integer(0),
  id: v.exactOptional(text),
  type: v.exactOptional(oneOf(["function", "custom"])),
  function: v.exactOptional(functionFragment),
  custom: v.exactOptional(object({ name: v.exactOptional(text), input: v.exactOptional(text) })),
});

const delta = object({
  role: v.exactOptional(word("assistant")),
  content: v.exactOptional(v.nullable(text)),
  refusal: v.exactOptional(text),
  tool_calls: v.exactOptional(list(toolCallDelta, "an array of tool call pieces")),
  function_call: v.exactOptional(functionFragment),
  reasoning: v.exactOptional(text),
  reasoning_content: v.exactOptional(text),
  annotations: v.exactOptional(annotations),
  audio: v.exactOptional(freeForm),
}, { nullable: ["content"] });

const choice = object({
  index: integer(0),
  delta,
  logprobs,
  finish_reason: v.nullish(finishReason, null),
});

/** A piece of a streamed answer. */
export const chatCompletionChunk = object({
  id: text,
  object: word("chat.completion.chunk"),
  created: integer(0),
  model: text,
  choices: list(choice, "an array of choices"),
  usage: v.exactOptional(v.nullable(usage)),
  system_fingerprint: v.exactOptional(text),
  service_tier: v.exactOptional(text),
  custom_outputs: v.exactOptional(freeForm),
}, { nullable: ["usage"] });
