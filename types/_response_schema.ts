import * as v from "valibot";
import { list } from "./_list.ts";
import { freeForm, integer, number, oneOf, text, word } from "./_schema.ts";
import { object } from "./_shape.ts";
import { functionCall, toolCalls } from "./_tool_schema.ts";

/** Why an answer ended. */
export const finishReason = oneOf(["stop", "length", "tool_calls", "content_filter", "function_call"]);

const count = integer(0);
const bytes = v.nullish(list(integer(0, 255), "an array of bytes"), null);
const topLogprob = { token: text, logprob: number(), bytes };
const tokenLogprobs = list(
  object({ ...topLogprob, top_logprobs: list(object(topLogprob), "an array of tokens") }),
  "an array of tokens",
);

/** Log probabilities of an answer's tokens, `null` when there are none. */
export const logprobs = v.nullish(
  object({ content: v.nullish(tokenLogprobs, null), refusal: v.nullish(tokenLogprobs, null) }),
  null,
);

/** Tokens that a call took. */
export const usage = object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: v.exactOptional(object({
    cached_tokens: v.exactOptional(count),
    audio_tokens: v.exactOptional(count),
  })),
  completion_tokens_details: v.exactOptional(object({
    reasoning_tokens: v.exactOptional(count),
    audio_tokens: v.exactOptional(count),
    accepted_prediction_tokens: v.exactOptional(count),
    rejected_prediction_tokens: v.exactOptional(count),
  })),
  estimated: v.exactOptional(v.literal(true)),
});

/** Sources and the like. */
export const annotations = list(freeForm, "an array of objects");

const responseMessage = object({
  role: word("assistant"),
  content: v.nullish(text, null),
  refusal: v.nullish(text, null),
  tool_calls: v.exactOptional(toolCalls),
  function_call: v.exactOptional(functionCall),
  reasoning: v.exactOptional(text),
  reasoning_content: v.exactOptional(text),
  annotations: v.exactOptional(annotations),
  audio: v.exactOptional(freeForm),
});

const choice = object({
  index: count,
  message: responseMessage,
  finish_reason: finishReason,
  logprobs,
});

/** A whole answer. */
export const chatCompletionResponse = object({
  id: text,
  object: word("chat.completion"),
  created: count,
  model: text,
  choices: list(choice, "an array of choices"),
  usage: v.exactOptional(usage),
  system_fingerprint: v.exactOptional(text),
  service_tier: v.exactOptional(text),
  custom_outputs: v.exactOptional(freeForm),
});
