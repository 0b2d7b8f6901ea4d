/** Putting an answer together from chunks, or from the one object of an answer that is not streamed. */
import type { AssistantTurn, Call, Failure, Json, JsonObject, TokenCount } from "../state/types.ts";

/** Adds what a chunk (or a whole response) says to an answer. */
export function addChunk(turn: AssistantTurn, chunk: JsonObject): AssistantTurn {
  let result = turn;
  const choice = asArray(chunk.choices).map(asObject).find((choice) => (choice.index ?? 0) === 0);
  const piece = asObject(choice?.delta ?? choice?.message);
  const content = asText(piece.content);
  const reasoning = asText(piece.reasoning ?? piece.reasoning_content);
  const refusal = asText(piece.refusal);
  if (content !== "" || reasoning !== "" || refusal !== "") {
    result = {
      ...result,
      content: result.content + content,
      reasoning: result.reasoning + reasoning,
      refusal: result.refusal + refusal,
    };
  }
  const calls = asArray(piece.tool_calls).map(asObject);
  if (calls.length > 0) result = { ...result, calls: calls.reduce(addCall, result.calls) };
  if (typeof choice?.finish_reason === "string") result = { ...result, finishReason: choice.finish_reason };
  if (typeof chunk.model === "string" && chunk.model !== "") result = { ...result, model: chunk.model };
  if (chunk.custom_outputs !== undefined && chunk.custom_outputs !== null) {
    result = { ...result, customOutputs: chunk.custom_outputs };
  }
  const tokens = toTokenCount(chunk.usage);
  return tokens === undefined ? result : { ...result, tokens };
}

/** Whether a chunk brings something to read: the first of those ends the wait. */
export function bringsSomething(before: AssistantTurn, after: AssistantTurn): boolean {
  return before.content !== after.content || before.reasoning !== after.reasoning || before.refusal !== after.refusal ||
    before.calls !== after.calls;
}

function addCall(calls: readonly Call[], piece: JsonObject, position: number): readonly Call[] {
  const index = typeof piece.index === "number" ? piece.index : position;
  const before = calls[index];
  const body = asObject(piece.function ?? piece.custom);
  const call: Call = {
    id: asText(piece.id) || (before?.id ?? ""),
    type: before?.type ?? (piece.custom === undefined ? "function" : "custom"),
    name: (before?.name ?? "") + asText(body.name),
    input: (before?.input ?? "") + asText(body.arguments ?? body.input),
    result: before?.result ?? "",
  };
  return before === undefined ? [...calls, call] : calls.map((other) => other === before ? call : other);
}

function toTokenCount(usage: Json | undefined): TokenCount | undefined {
  const { prompt_tokens, completion_tokens, completion_tokens_details } = asObject(usage);
  if (typeof prompt_tokens !== "number" || typeof completion_tokens !== "number") return undefined;
  const { reasoning_tokens } = asObject(completion_tokens_details);
  return {
    prompt: prompt_tokens,
    completion: completion_tokens,
    ...(typeof reasoning_tokens === "number" && reasoning_tokens > 0 && { reasoning: reasoning_tokens }),
  };
}

/** The error in a body or frame, as OpenAI's API writes it. */
export function toFailure(body: Json | undefined, fallback: string): Failure {
  const { error } = asObject(body);
  if (typeof error === "string") return { message: error };
  const { message, type, code, param } = asObject(error);
  return {
    message: asText(message) || fallback,
    ...(typeof type === "string" && { type }),
    ...(typeof code === "string" && { code }),
    ...(typeof param === "string" && { param }),
  };
}

/** Parses JSON; `undefined` if the text is none. */
export function tryParse(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value if it is an object, else an empty one. */
export function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** Whether a value is an object, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
