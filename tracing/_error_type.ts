import { ChatModelError } from "../types/mod.ts";

/** Which kind of failure it is, for `error.type`: few values, and nothing of what was said. */
export function errorType(reason: unknown): string {
  if (ChatModelError.isInstance(reason)) return reason.code ?? reason.type;
  return reason instanceof Error ? reason.name : "_OTHER";
}
