/** Named schemas of Chat Completions, under the names of the package's types. */
import * as v from "valibot";
import { chatCompletionChunk } from "../../types/_chunk_schema.ts";
import { userContent } from "../../types/_content_schema.ts";
import { jsonSchema } from "../../types/_json_schema_schema.ts";
import { message } from "../../types/_message_schema.ts";
import { paramEntries } from "../../types/_params_schema.ts";
import { requestHead } from "../../types/_request_schema.ts";
import { responseFormat } from "../../types/_response_format_schema.ts";
import { chatCompletionResponse, finishReason, usage } from "../../types/_response_schema.ts";
import { functionCall, functionDefinition, toolCalls, toolChoice, toolDefinition } from "../../types/_tool_schema.ts";
import { entryOf, optionOf } from "./named.ts";

const imageUrlPart = optionOf(userContent, { type: "image_url" });
const inputAudioPart = optionOf(userContent, { type: "input_audio" });
const filePart = optionOf(userContent, { type: "file" });
const assistantMessage = optionOf(message, { role: "assistant" });

/** Calls of tools: in requests as in answers. */
const calls = {
  FunctionCall: functionCall,
  FunctionToolCall: optionOf(toolCalls.item, { type: "function" }),
  CustomToolCall: optionOf(toolCalls.item, { type: "custom" }),
  ToolCall: toolCalls.item,
};

/** What requests consist of. */
export const chatRequests = {
  ChatCompletionRequest: v.object({ ...requestHead.entries, ...paramEntries }),
  ChatMessage: message,
  SystemMessage: optionOf(message, { role: "system" }),
  DeveloperMessage: optionOf(message, { role: "developer" }),
  UserMessage: optionOf(message, { role: "user" }),
  AssistantMessage: assistantMessage,
  ToolMessage: optionOf(message, { role: "tool" }),
  FunctionMessage: optionOf(message, { role: "function" }),
  TextPart: optionOf(userContent, { type: "text" }),
  ImageUrlPart: imageUrlPart,
  ImageUrl: optionOf(entryOf(imageUrlPart, "image_url"), {}),
  InputAudioPart: inputAudioPart,
  InputAudio: optionOf(entryOf(inputAudioPart, "input_audio"), {}),
  FilePart: filePart,
  FileReference: optionOf(entryOf(filePart, "file"), {}),
  RefusalPart: optionOf(entryOf(assistantMessage, "content"), { type: "refusal" }),
  ToolDefinition: toolDefinition,
  FunctionTool: optionOf(toolDefinition, { type: "function" }),
  CustomTool: optionOf(toolDefinition, { type: "custom" }),
  FunctionDefinition: functionDefinition,
  ToolChoice: toolChoice,
  ResponseFormat: responseFormat,
  JsonSchema: jsonSchema,
  ...calls,
};

/** What answers consist of. */
export const chatAnswers = {
  ChatCompletionResponse: chatCompletionResponse,
  ChatCompletionChunk: chatCompletionChunk,
  FinishReason: finishReason,
  Usage: usage,
  ...calls,
};
