/** Putting an answer together from chunks, or from the one object of an answer that is not streamed. */
import type { AssistantTurn, Call, Failure, Json, JsonObject, TokenCount } from "../state/types.ts";
import { changeChoice, emptyChoice } from "../state/choice.ts";

/** Adds what a chunk (or a whole response) says to the answers. */
export function addChunk(turn: AssistantTurn, chunk: JsonObject): AssistantTurn {
  let result = asArray(chunk.choices).map(asObject).reduce(addChoice, turn);
  if (typeof chunk.model === "string" && chunk.model !== "") result = { ...result, model: chunk.model };
  if (chunk.custom_outputs !== undefined && chunk.custom_outputs !== null) {
    result = { ...result, customOutputs: chunk.custom_outputs };
  }
  const tokens = toTokenCount(chunk.usage);
  return tokens === undefined ? result : { ...result, tokens };
}

/** Whether a chunk brings something to read: the first of those ends the wait. */
export function bringsSomething({ choices: before }: AssistantTurn, { choices: after }: AssistantTurn): boolean {
  return after.some((choice) => {
    const old = before.find(({ index }) => index === choice.index) ?? emptyChoice(choice.index);
    return old.content !== choice.content || old.reasoning !== choice.reasoning || old.refusal !== choice.refusal ||
      old.calls.length !== choice.calls.length || old.calls.some((call, position) => call !== choice.calls[position]);
  });
}

function addChoice(turn: AssistantTurn, piece: JsonObject): AssistantTurn {
  const said = asObject(piece.delta ?? piece.message);
  return changeChoice(turn, typeof piece.index === "number" ? piece.index : 0, (choice) => ({
    ...choice,
    content: choice.content + asText(said.content),
    reasoning: choice.reasoning + asText(said.reasoning ?? said.reasoning_content),
    refusal: choice.refusal + asText(said.refusal),
    calls: asArray(said.tool_calls).map(asObject).reduce(addCall, choice.calls),
    ...(typeof piece.finish_reason === "string" && { finishReason: piece.finish_reason }),
  }));
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
