import { type Fields, invalidOutput } from "./_checks.ts";

/** Members of a message or delta that are read by name; others are handed on. */
export const KNOWN_MEMBERS: ReadonlySet<string> = new Set([
  "role",
  "content",
  "refusal",
  "reasoning",
  "reasoning_content",
  "tool_calls",
  "function_call",
  "annotations",
  "audio",
]);

/** Members of a flat part that stand beside the message's. */
export const PART_MEMBERS: ReadonlySet<string> = new Set([
  "index",
  "finish_reason",
  "logprobs",
  "usage",
  "custom_outputs",
]);

/**
 * Checks that a flat part has a member that can be read, unless it is a plain empty object, which says nothing.
 *
 * @throws {ChatModelError} If it has none.
 */
export function checkSaysSomething(part: Fields): void {
  const keys = Object.keys(part);
  // A promise not awaited, a map, a date: objects without members of their own that say something all the same.
  const odd = keys.length === 0 && Object.getPrototypeOf(part) !== Object.prototype &&
    Object.getPrototypeOf(part) !== null;
  if (odd || (keys.length > 0 && !keys.some((key) => KNOWN_MEMBERS.has(key) || PART_MEMBERS.has(key)))) {
    throw invalidOutput("what it yields", 'text, a message or a chunk (such as { content: "…" })', part);
  }
}

/**
 * Whether a part is a chunk or a response that lacks its choices, as some servers send the usage, rather than a flat
 * part: what surrounds the choices must not be taken for members of a delta.
 */
export function isBareEnvelope(part: Fields): boolean {
  return (part.object === "chat.completion.chunk" || part.object === "chat.completion") &&
    !Object.keys(part).some((key) => KNOWN_MEMBERS.has(key));
}
