import * as v from "valibot";
import { assistantContent, textContent, userContent } from "./_content_schema.ts";
import { list } from "./_list.ts";
import { text, word } from "./_schema.ts";
import { object, shape, tagged } from "./_shape.ts";
import { functionCall, toolCalls } from "./_tool_schema.ts";

const systemMessage = shape({ role: word("system"), content: textContent, name: v.exactOptional(text) });

const developerMessage = shape({ role: word("developer"), content: textContent, name: v.exactOptional(text) });

const userMessage = shape({ role: word("user"), content: userContent, name: v.exactOptional(text) });

const assistantMessage = shape({
  role: word("assistant"),
  content: v.exactOptional(assistantContent),
  refusal: v.exactOptional(text),
  tool_calls: v.exactOptional(toolCalls),
  function_call: v.exactOptional(functionCall),
  audio: v.exactOptional(object({ id: text })),
  name: v.exactOptional(text),
  reasoning: v.exactOptional(text),
  reasoning_content: v.exactOptional(text),
});

const toolMessage = shape({
  role: word("tool"),
  content: textContent,
  tool_call_id: text,
  name: v.exactOptional(text),
});

const functionMessage = shape({ role: word("function"), content: v.exactOptional(text), name: text });

/** A message of a conversation. */
export const message = tagged("role", [
  systemMessage,
  developerMessage,
  userMessage,
  assistantMessage,
  toolMessage,
  functionMessage,
]);

/** The conversation. That there is at least one message is checked by the request. */
export const messages = list(message, "an array of messages");
