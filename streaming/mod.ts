/**
 * Streams of chat completions: into the one canonical form, together to a response, apart into chunks, to and from the
 * bytes on the wire.
 *
 * @example From an author's words to the bytes that OpenAI clients read
 * ```ts
 * import { encodeSse, normalise } from "@chatmodel/chat-model/streaming";
 * import { assertStringIncludes } from "@std/assert";
 *
 * async function* words() {
 *   yield "Hello";
 *   yield " world";
 * }
 *
 * const response = new Response(encodeSse(normalise(words(), { model: "mine" })));
 * assertStringIncludes(await response.text(), "data: [DONE]");
 * ```
 *
 * @module
 */
export { accumulate } from "./accumulate.ts";
export type {
  AnswerPart,
  PartialChoice,
  PartialChunk,
  PartialChunkChoice,
  PartialLogprobs,
  PartialResponse,
  PartialUsage,
  PredictPart,
  PredictResult,
  ToolCallPart,
} from "./answer.ts";
export { ChatCompletionStream, type StreamGuard } from "./chat_completion_stream.ts";
export { decodeNdjson, type DecodeOptions, decodeSse } from "./decode.ts";
export type { EmbeddingVector, EmbedResult } from "./embed_result.ts";
export { encodeSse, type EncodeSseOptions } from "./encode_sse.ts";
export { expand } from "./expand.ts";
export { normalise, type NormaliseOptions } from "./normalise.ts";
export type { SseEvent } from "./sse_event.ts";
