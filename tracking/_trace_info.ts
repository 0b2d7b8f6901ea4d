import type { Tags } from "./entities.ts";
import { TRACE_KEYS } from "./_trace_keys.ts";
import { objectOf } from "./_span_translation.ts";
import type { TokenUsage, TraceInfo, TraceState } from "./trace_entities.ts";

const STATES: readonly TraceState[] = ["OK", "ERROR", "IN_PROGRESS", "STATE_UNSPECIFIED"];

/** The state of a word of MLflow's. */
export function stateOf(word: string | null | undefined): TraceState {
  return STATES.find((state) => state === word) ?? "STATE_UNSPECIFIED";
}

/** What tags and metadata tell of a trace besides. */
export function derivedFacts(tags: Tags, metadata: Tags): Pick<TraceInfo, "name" | "tokenUsage"> {
  const name = tags[TRACE_KEYS.name];
  const tokenUsage = usageOf(metadata[TRACE_KEYS.tokenUsage]);
  return { ...(name !== undefined && { name }), ...(tokenUsage !== undefined && { tokenUsage }) };
}

function usageOf(text: string | undefined): TokenUsage | undefined {
  const usage = objectOf(text);
  if (usage === undefined) return undefined;
  const { input_tokens: input, output_tokens: output, total_tokens: total } = usage;
  const count = (value: unknown) => typeof value === "number" ? value : 0;
  return {
    inputTokens: count(input),
    outputTokens: count(output),
    totalTokens: count(total ?? count(input) + count(output)),
  };
}
