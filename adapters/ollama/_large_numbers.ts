import { UpstreamError } from "../../types/mod.ts";
import type { OllamaToolCall } from "./wire.ts";

/**
 * Whether there is a number in a JSON value that cannot be written as JSON again: `1e400` is read as Infinity, which
 * would be written as null.
 */
export function holdsInfinity(value: unknown): boolean {
  const values: unknown[] = [value];
  for (const inner of values) {
    if (typeof inner === "number" && !Number.isFinite(inner)) return true;
    if (typeof inner !== "object" || inner === null) continue;
    for (const member of Object.values(inner)) values.push(member);
  }
  return false;
}

/** Refuses a call of the model's that would reach the client with null for a number. */
export function checkNumbers({ function: { name, arguments: input } }: OllamaToolCall): void {
  if (!holdsInfinity(input)) return;
  const fault = `the arguments of the model's call of "${name}" hold a number too large to be handed on`;
  throw new UpstreamError(`Cannot give the model's answer: ${fault}. Try again, or give the parameter a maximum`, {
    code: "invalid_tool_arguments",
    retryable: true,
  });
}
