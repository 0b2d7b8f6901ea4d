import type { ChatParams } from "../../types/mod.ts";
import type { RequestIssues } from "./_request_issues.ts";

/** How much a caller wants the model to think, in Ollama's terms. */
export interface WantedThinking {
  /** The value of `think`. */
  readonly think: boolean | string;
  /** Path of the field that wants it. */
  readonly path: string;
}

/** OpenAI's efforts, and those of other servers, → Ollama's `think`. */
const EFFORTS: ReadonlyMap<string, boolean | string> = new Map<string, boolean | string>([
  ["none", false],
  ["minimal", "low"],
  ["low", "low"],
  ["medium", "medium"],
  ["high", "high"],
  ["xhigh", "max"],
  ["ultra", "max"],
  ["max", "max"],
]);

/**
 * Reads how much the caller wants the model to think: `reasoning.effort`, else `reasoning_effort`.
 *
 * @param params The request's parameters.
 * @param issues Where to note what is wrong.
 * @returns What is wanted; `undefined` if nothing was said.
 */
export function readReasoningEffort(params: ChatParams, issues: RequestIssues): WantedThinking | undefined {
  const nested = params.reasoning?.effort;
  const [path, effort] = nested !== undefined && nested !== null
    ? ["reasoning.effort", nested]
    : ["reasoning_effort", params.reasoning_effort];
  if (effort === undefined) return undefined;
  const think = typeof effort === "string" ? EFFORTS.get(effort) : undefined;
  if (think !== undefined) return { think, path };
  const known = [...EFFORTS.keys()].map((name) => `"${name}"`).join(", ");
  issues.add({ path, message: `must be one of ${known}` });
  return undefined;
}
