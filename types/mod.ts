/**
 * The wire: OpenAI's chat completion messages, requests, answers and errors as plain interfaces, and functions that
 * check what comes from outside.
 *
 * ```ts
 * import { parseChatRequest, ValidationError } from "@chatmodel/chat-model/types";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const request = parseChatRequest({
 *   messages: [{ role: "user", content: "Hello" }],
 *   max_tokens: 25,
 *   num_ctx: 8192,
 * });
 * assertEquals(request.params, { max_tokens: 25, extra: { num_ctx: 8192 } });
 *
 * const error = assertThrows(
 *   () => parseChatRequest({ messages: [{ role: "user", content: [{ type: "image_url" }] }], temperature: 3 }),
 *   ValidationError,
 * );
 * assertEquals(error.issues, [
 *   { path: "messages.0.content.0.image_url", message: "Expected an object, found nothing" },
 *   { path: "temperature", message: "Expected a number from 0 to 2, found 3" },
 * ]);
 * ```
 *
 * @module
 */
export { ChatRequest } from "./chat_request.ts";
export type { ChatChunkChoice, ChatCompletionChunk, ChatDelta, ToolCallDelta } from "./chunk.ts";
export type {
  AssistantContentPart,
  FilePart,
  FileReference,
  ImageUrl,
  ImageUrlPart,
  InputAudio,
  InputAudioPart,
  RefusalPart,
  TextPart,
  UserContentPart,
} from "./content_part.ts";
export type { Embedding, EmbeddingParams, EmbeddingRequest, EmbeddingResponse, EmbeddingUsage } from "./embedding.ts";
export type { ErrorObject, ErrorResponse } from "./error_object.ts";
export {
  ChatModelError,
  type ChatModelErrorOptions,
  ModelNotFoundError,
  OverloadedError,
  TimeoutError,
  UpstreamError,
  ValidationError,
  type ValidationIssue,
} from "./errors.ts";
export type { JsonSchema } from "./json.ts";
export type { Logprobs, TokenLogprob, TopLogprob } from "./logprobs.ts";
export type {
  AssistantMessage,
  ChatMessage,
  DeveloperMessage,
  FunctionMessage,
  SystemMessage,
  ToolMessage,
  UserMessage,
} from "./message.ts";
export type { Model, ModelList } from "./model_list.ts";
export type { ChatParams, StreamOptions } from "./params.ts";
export {
  parseChatChunk,
  parseChatMessage,
  parseChatParams,
  parseChatRequest,
  parseChatResponse,
  parseErrorResponse,
  parseModelList,
} from "./parse.ts";
export type { ChatCompletionRequest } from "./request.ts";
export type { ChatChoice, ChatCompletionResponse, FinishReason, ResponseMessage } from "./response.ts";
export type {
  JsonObjectResponseFormat,
  JsonSchemaDefinition,
  JsonSchemaResponseFormat,
  ResponseFormat,
  TextResponseFormat,
} from "./response_format.ts";
export {
  chatCompletionChunkSchema,
  chatCompletionResponseSchema,
  chatMessageSchema,
  chatParamsSchema,
  type StandardSchema,
} from "./schemas.ts";
export type {
  AllowedToolsChoice,
  CustomCall,
  CustomTool,
  CustomToolCall,
  CustomToolDefinition,
  FunctionCall,
  FunctionDefinition,
  FunctionTool,
  FunctionToolCall,
  NamedCustomToolChoice,
  NamedFunctionToolChoice,
  ToolCall,
  ToolChoice,
  ToolDefinition,
} from "./tool.ts";
export type { CompletionTokensDetails, PromptTokensDetails, Usage } from "./usage.ts";
