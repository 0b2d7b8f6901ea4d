import { checkKey, checkLength, checkWhole, invalid, LIMITS } from "./limits.ts";
import type { DeleteTracesOptions, LogSpansOptions } from "./trace_store.ts";

/** Characters of a session, and of other metadata. */
export const MAX_METADATA_LENGTH = 250;

/**
 * Refuses tags and metadata that MLflow would cut or not take.
 *
 * @param action What is being done.
 * @param options What is said of traces.
 */
export function checkLogSpansOptions(action: string, { tags = {}, metadata = {} }: LogSpansOptions): void {
  for (const [key, value] of Object.entries(tags)) checkTraceTag(action, { key, value });
  for (const [key, text] of Object.entries(metadata)) {
    checkLength(action, `the name of metadata "${key}"`, { text: key, limit: LIMITS.key });
    checkLength(action, `metadata "${key}"`, { text, limit: MAX_METADATA_LENGTH });
  }
}

/** Refuses a tag of a trace that MLflow would cut or not take. */
export function checkTraceTag(action: string, { key, value }: { readonly key: string; readonly value: string }): void {
  checkKey(action, "tag", key);
  checkLength(action, `the value of tag "${key}"`, { text: value, limit: LIMITS.tagValue });
}

/** Refuses what would delete nothing, or more than was thought of. */
export function checkDeletion(action: string, options: DeleteTracesOptions): void {
  const { traceIds, maxRequestTime, maxTraces } = options;
  if ((traceIds === undefined) === (maxRequestTime === undefined)) {
    throw invalid(action, "give either traceIds or maxRequestTime");
  }
  if (maxRequestTime !== undefined) checkWhole(action, "maxRequestTime", { value: maxRequestTime, least: 0 });
  if (maxTraces === undefined) return;
  if (maxRequestTime === undefined) throw invalid(action, "maxTraces goes with maxRequestTime only");
  checkWhole(action, "maxTraces", { value: maxTraces, least: 1 });
}
