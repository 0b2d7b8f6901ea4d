/**
 * Chat models for Deno: write one class, and have it answer, stream, cancel, and be served to every OpenAI client.
 *
 * Implement {@linkcode ChatModel.predict} or {@linkcode ChatModel.predictStream}; {@linkcode loadChatModel} makes it a
 * model that takes plain requests, validates them, and gives plain responses or streams.
 *
 * @example From a class to an answer
 * ```ts
 * import { ChatModel, loadChatModel } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * class Greeter extends ChatModel {
 *   override async *predictStream() {
 *     yield "Hello";
 *     yield " world";
 *   }
 * }
 *
 * const model = await loadChatModel(Greeter);
 * const request = { messages: [{ role: "user", content: "Hi" }] } as const;
 *
 * const response = await model.predict(request);
 * assertEquals(response.choices[0]?.message.content, "Hello world");
 *
 * let text = "";
 * for await (const chunk of model.predictStream(request)) text += chunk.choices[0]?.delta.content ?? "";
 * assertEquals(text, "Hello world");
 * ```
 *
 * The other entry points: `./types` (the wire), `./streaming`, `./ollama`, `./demo`, `./serve`.
 *
 * @module
 */
export {
  type JsonValue,
  ModelConfig,
  type ModelConfigLayer,
  type ModelConfigSource,
  type ModelConfigValues,
  type Widened,
} from "./model_config.ts";
export { ChatModel, type ChatModelSource, type ModelContext } from "./chat_model.ts";
export { CustomModel, type CustomModelSource } from "./custom_model.ts";
export { loadCustomModel, type LoadCustomOptions, LoadedCustomModel } from "./loaded_custom_model.ts";
export type {
  CallEnd,
  CallObservation,
  CallObserver,
  CallResult,
  CallStart,
  ModelOrigin,
  ModelSpan,
  RequestContext,
  StartedCall,
} from "./call_observer.ts";
export { requestContext } from "./request_context.ts";
export { setModel } from "./set_model.ts";
export type { ModelSignature } from "./signature/mod.ts";
export {
  type CallLimits,
  loadChatModel,
  LoadedChatModel,
  type LoadOptions,
  type ModelEquipment,
  type PredictOptions,
} from "./loaded_chat_model.ts";
export {
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  type ChatCompletionResponse,
  type ChatMessage,
  ChatModelError,
  type ChatParams,
  ChatRequest,
  type EmbeddingParams,
  type EmbeddingRequest,
  type EmbeddingResponse,
  ModelNotFoundError,
  OverloadedError,
  parseChatRequest,
  TimeoutError,
  UpstreamError,
  ValidationError,
} from "./types/mod.ts";
export type { AnswerPart, ChatCompletionStream, EmbedResult, PredictPart, PredictResult } from "./streaming/mod.ts";
