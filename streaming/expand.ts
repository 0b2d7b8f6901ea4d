import type { ChatCompletionChunk, ChatCompletionResponse } from "../types/mod.ts";
import { Normaliser } from "./_normaliser.ts";

/**
 * Takes a response apart into the canonical stream that stands for it: the inverse of `accumulate`.
 *
 * @example Usage
 * ```ts
 * import { accumulate, expand } from "@chatmodel/chat-model/streaming";
 * import { assertEquals } from "@std/assert";
 *
 * const response = {
 *   id: "chatcmpl-1",
 *   object: "chat.completion",
 *   created: 1700000000,
 *   model: "m",
 *   choices: [{
 *     index: 0,
 *     message: { role: "assistant", content: "Hello", refusal: null },
 *     logprobs: null,
 *     finish_reason: "stop",
 *   }],
 * } as const;
 * assertEquals(await accumulate(expand(response)), response);
 * ```
 *
 * @param response The response.
 * @returns Its chunks.
 * @throws {ChatModelError} If it is no valid response.
 */
export function expand(response: ChatCompletionResponse): ChatCompletionChunk[] {
  const chunks: ChatCompletionChunk[] = [];
  const normaliser = new Normaliser();
  normaliser.push(response, chunks);
  normaliser.end(chunks);
  return chunks;
}
