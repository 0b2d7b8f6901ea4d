import type { NormaliseOptions } from "./_normaliser.ts";
import { ChatCompletionStream } from "./chat_completion_stream.ts";
import type { PredictPart, PredictResult } from "./answer.ts";

export type { NormaliseOptions } from "./_normaliser.ts";

/**
 * Turns whatever an author or an upstream yields into the one canonical stream: the role once; `id`, `created` and
 * `model` the same in every chunk; text, thinking, refusal and tool calls in pieces that fit a line of 64 KiB; a tool
 * call's index, id, type and name once, then fragments of its arguments; then for each answer a chunk with the finish
 * reason and an empty delta; then the usage, if known, in a chunk without choices.
 *
 * What is missing is filled in: ids, indexes, the finish reason (`tool_calls` after tool calls, else `stop`).
 * What cannot be understood is an error; nothing is dropped.
 *
 * @example Usage
 * ```ts
 * import { normalise } from "@chatmodel/chat-model/streaming";
 * import { assertEquals } from "@std/assert";
 *
 * const deltas = [];
 * for await (const chunk of normalise(["Hello", { content: " world" }], { model: "m" })) {
 *   deltas.push(chunk.choices[0]?.delta);
 * }
 * assertEquals(deltas, [{ role: "assistant", content: "" }, { content: "Hello" }, { content: " world" }, {}]);
 * ```
 *
 * @param source What is yielded: text, messages, deltas, chunks or responses.
 * @param options What every chunk carries alike, unless the source says otherwise.
 * @returns The canonical stream. Leaving it early, or calling its `return()`, calls the source's `return()`.
 * @throws {ChatModelError} While iterating: code `invalid_model_output` if a part cannot be understood,
 * `upstream_error` if a part is an error. What the source throws is handed on.
 */
export function normalise(
  source: AsyncIterable<PredictPart | PredictResult> | Iterable<PredictPart | PredictResult>,
  options: NormaliseOptions = {},
): ChatCompletionStream {
  return new ChatCompletionStream(source, options);
}
