import * as v from "valibot";
import { chatCompletionChunk } from "./_chunk_schema.ts";
import { errorResponse } from "./_error_schema.ts";
import { message } from "./_message_schema.ts";
import { modelList } from "./_model_list_schema.ts";
import { chatParams, namedParams, sortFields } from "./_params_schema.ts";
import { REQUEST_NAMES, requestHead } from "./_request_schema.ts";
import { chatCompletionResponse } from "./_response_schema.ts";
import { freeForm } from "./_schema.ts";
import { findToolFaults } from "./_tool_faults.ts";
import { ChatRequest } from "./chat_request.ts";
import type { ChatCompletionChunk } from "./chunk.ts";
import type { ErrorResponse } from "./error_object.ts";
import { ValidationError } from "./errors.ts";
import type { ChatMessage } from "./message.ts";
import type { ModelList } from "./model_list.ts";
import type { ChatParams } from "./params.ts";
import type { ChatCompletionResponse } from "./response.ts";

/**
 * Checks the body of a chat completion request and divides it the way a model takes it.
 *
 * An optional field that is `null` counts as absent, at every level. Fields that are not known here are kept: those of
 * the request itself in `params.extra`, in their order; all others where they are. The input is never changed.
 *
 * @param input What came over the wire, or a plain object: see `ChatCompletionRequest`. A {@linkcode ChatRequest} is
 * returned as it is.
 * @returns The request.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 *
 * @example Take a request apart
 * ```ts
 * import { parseChatRequest } from "@chatmodel/chat-model/types";
 * import { assertEquals } from "@std/assert";
 *
 * const request = parseChatRequest({
 *   messages: [{ role: "user", content: "Hello" }],
 *   temperature: 0,
 *   max_tokens: null,
 *   num_ctx: 8192,
 * });
 * assertEquals(request.messages, [{ role: "user", content: "Hello" }]);
 * assertEquals(request.params, { temperature: 0, extra: { num_ctx: 8192 } });
 * ```
 */
export function parseChatRequest(input: unknown): ChatRequest {
  if (ChatRequest.isInstance(input)) return input;
  const { known, extra } = sortFields(parse(freeForm, input, "chat request"), REQUEST_NAMES);
  const head = v.safeParse(requestHead, known);
  const params = v.safeParse(namedParams, known);
  if (!head.success || !params.success) {
    throw makeError("chat request", [...head.issues ?? [], ...params.issues ?? []]);
  }
  const faults = findToolFaults(params.output);
  if (faults.length > 0) throw new ValidationError("Cannot parse chat request", faults);
  const { messages, model } = head.output;
  return new ChatRequest(messages, extra === undefined ? params.output : { ...params.output, extra }, model);
}

/**
 * Checks one message of a conversation.
 *
 * @param input Anything.
 * @returns The message: a copy without optional members that were `null`; unknown members are kept.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 *
 * @example Find out what is wrong with a message
 * ```ts
 * import { parseChatMessage, ValidationError } from "@chatmodel/chat-model/types";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(() => parseChatMessage({ role: "tool", content: 42 }), ValidationError);
 * assertEquals(error.issues, [
 *   { path: "content", message: "Expected a string or an array of parts, found 42" },
 *   { path: "tool_call_id", message: "Expected a string, found nothing" },
 * ]);
 * ```
 */
export function parseChatMessage(input: unknown): ChatMessage {
  return parse(message, input, "chat message");
}

/**
 * Checks parameters that stand alone, such as a model's defaults.
 *
 * @param input An object of parameters. Fields that are not known go to `extra`, after the members that it has; where
 * both have one of the same name, the field wins.
 * @returns The parameters, without those that were `null`.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 *
 * @example Unset stays unset
 * ```ts
 * import { parseChatParams } from "@chatmodel/chat-model/types";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseChatParams({ temperature: null, stop: ["END"] }), { stop: ["END"] });
 * ```
 */
export function parseChatParams(input: unknown): ChatParams {
  return parse(chatParams, input, "chat parameters");
}

/**
 * Checks a whole answer. Members that may be `null` (`content`, `refusal`, `logprobs`) are `null` where they are
 * absent; optional ones are absent where they are `null`.
 *
 * @param input Anything.
 * @returns The answer; unknown members are kept.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 *
 * @example Read an answer that leaves out what is empty
 * ```ts
 * import { parseChatResponse } from "@chatmodel/chat-model/types";
 * import { assertEquals } from "@std/assert";
 *
 * const response = parseChatResponse({
 *   id: "chatcmpl-1",
 *   object: "chat.completion",
 *   created: 1700000000,
 *   model: "llama3.2:1b",
 *   choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
 * });
 * assertEquals(response.choices[0]?.message.refusal, null);
 * ```
 */
export function parseChatResponse(input: unknown): ChatCompletionResponse {
  return parse(chatCompletionResponse, input, "chat response");
}

/**
 * Checks a piece of a streamed answer. Whether the pieces form one answer is not looked at.
 *
 * @param input Anything.
 * @returns The piece; unknown members are kept. `logprobs` and `finish_reason` are `null` where they are absent.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 *
 * @example Read a chunk
 * ```ts
 * import { parseChatChunk } from "@chatmodel/chat-model/types";
 * import { assertEquals } from "@std/assert";
 *
 * const chunk = parseChatChunk({
 *   id: "chatcmpl-1",
 *   object: "chat.completion.chunk",
 *   created: 1700000000,
 *   model: "llama3.2:1b",
 *   choices: [{ index: 0, delta: { content: "Hel" } }],
 * });
 * assertEquals(chunk.choices, [{ index: 0, delta: { content: "Hel" }, logprobs: null, finish_reason: null }]);
 * ```
 */
export function parseChatChunk(input: unknown): ChatCompletionChunk {
  return parse(chatCompletionChunk, input, "chat chunk");
}

/**
 * Checks the body of an error answer. `param` and `code` are `null` where they are absent.
 *
 * @param input Anything.
 * @returns The error.
 * @throws {ValidationError} When it is no error of OpenAI's form; all that is wrong stands in its `issues`.
 *
 * @example Read an error
 * ```ts
 * import { parseErrorResponse } from "@chatmodel/chat-model/types";
 * import { assertEquals } from "@std/assert";
 *
 * const { error } = parseErrorResponse({ error: { message: "No such model", type: "invalid_request_error" } });
 * assertEquals(error.code, null);
 * ```
 */
export function parseErrorResponse(input: unknown): ErrorResponse {
  return parse(errorResponse, input, "error response");
}

/**
 * Checks a list of models.
 *
 * @param input Anything.
 * @returns The list.
 * @throws {ValidationError} When anything is wrong; all that is wrong stands in its `issues`.
 *
 * @example Read a list
 * ```ts
 * import { parseModelList } from "@chatmodel/chat-model/types";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseModelList({ object: "list", data: [] }).data.length, 0);
 * ```
 */
export function parseModelList(input: unknown): ModelList {
  return parse(modelList, input, "model list");
}

function parse<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (!result.success) throw makeError(what, result.issues);
  return result.output;
}

function makeError(what: string, issues: readonly v.BaseIssue<unknown>[]): ValidationError {
  return new ValidationError(
    `Cannot parse ${what}`,
    issues.map((issue) => ({ path: v.getDotPath(issue) ?? "", message: issue.message })),
  );
}
