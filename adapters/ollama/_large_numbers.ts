import { UpstreamError } from "../../types/mod.ts";
import type { OllamaToolCall } from "./wire.ts";

/** What ECMA-262 has of late for numbers that JavaScript cannot hold, as far as the runtime has it. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON?(text: string): object;
  isRawJSON?(value: unknown): boolean;
}

const exactJson: ExactJson = JSON;

const LONG_INTEGER = /^-?\d{16,}$/;

/**
 * Parses JSON. Integers beyond 2^53, such as ids, are kept as they stand: each becomes an object that `JSON.stringify`
 * writes as the number again (`JSON.rawJSON`).
 *
 * @param text The JSON text.
 * @returns Its value.
 * @throws {SyntaxError} If it is not JSON.
 */
export function parseExactly(text: string): unknown {
  // Not even looked for in nearly all texts.
  return /\d{16}/.test(text) ? exactJson.parse(text, keepLongInteger) : JSON.parse(text);
}

function keepLongInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || !Number.isFinite(value) || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return LONG_INTEGER.test(source) ? exactJson.rawJSON?.(source) ?? value : value;
}

/**
 * Whether {@linkcode parseExactly} had to keep an integer in a JSON value.
 *
 * @param value The value.
 * @returns Whether there is one.
 */
export function holdsLongInteger(value: unknown): boolean {
  return walk(value).some((inner) => exactJson.isRawJSON?.(inner));
}

/**
 * A JSON value with plain numbers, to be checked.
 *
 * @param value The value.
 * @returns The value itself, if its numbers are plain.
 */
export function toPlainNumbers<T>(value: T): T {
  return holdsLongInteger(value) ? JSON.parse(JSON.stringify(value)) : value;
}

/**
 * Whether there is a number in a JSON value that cannot be written as JSON again: `1e400` is read as Infinity, which
 * would be written as null.
 */
export function holdsInfinity(value: unknown): boolean {
  return walk(value).some((inner) => typeof inner === "number" && !Number.isFinite(inner));
}

/** A value and all that is in it. */
function walk(value: unknown): unknown[] {
  const values: unknown[] = [value];
  for (const inner of values) {
    if (typeof inner !== "object" || inner === null) continue;
    for (const member of Object.values(inner)) values.push(member);
  }
  return values;
}

/** Refuses a call of the model's that would reach the client with null for a number. */
export function checkNumbers({ function: { name, arguments: input } }: OllamaToolCall): void {
  if (!holdsInfinity(input)) return;
  const fault = `the arguments of the model's call of "${name}" hold a number too large to be handed on`;
  throw new UpstreamError(`Cannot give the model's answer: ${fault}. Try again, or give the parameter a maximum`, {
    code: "invalid_tool_arguments",
  });
}
