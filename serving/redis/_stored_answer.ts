/** Answers as they stand in Redis. */
import { ChatModelError } from "../../types/mod.ts";
import type { AnswerHead } from "../_answer_query.ts";
import type { StoredAnswer } from "../response_store.ts";

/** The part of an answer by which it is found in lists. */
export function headOf({ object, created, model, metadata, owner }: StoredAnswer): AnswerHead {
  return { object, created, model, metadata, ...(owner !== undefined && { owner }) };
}

/** @throws {ChatModelError} With code `invalid_stored_response`, if something else stands there. */
export function parseAnswer(text: string): StoredAnswer {
  const value = parse(text);
  if (
    isHead(value) && "id" in value && typeof value.id === "string" && "body" in value && isObject(value.body) &&
    "input" in value && Array.isArray(value.input)
  ) {
    const { id, object, created, model, metadata, body, input } = value;
    const { owner } = value;
    return { id, object, created, model, metadata, body, input, ...(owner !== undefined && { owner }) };
  }
  throw invalid();
}

/** @throws {ChatModelError} With code `invalid_stored_response`, if something else stands there. */
export function parseHead(text: string): AnswerHead {
  const value = parse(text);
  if (isHead(value)) return value;
  throw invalid();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(cause);
  }
}

function isHead(value: unknown): value is AnswerHead {
  return isObject(value) && (value.object === "response" || value.object === "chat.completion") &&
    typeof value.created === "number" && typeof value.model === "string" && isObject(value.metadata) &&
    Object.values(value.metadata).every((label) => typeof label === "string") &&
    (value.owner === undefined || typeof value.owner === "string");
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(cause?: unknown): ChatModelError {
  return new ChatModelError(
    "Cannot read a kept answer: what Redis holds was not written by this package, or by another version of it",
    { code: "invalid_stored_response", cause },
  );
}
