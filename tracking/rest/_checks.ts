import type { Metric, RunStatus, Tags } from "../entities.ts";
import { checkLength, checkWhole, invalid, LIMITS } from "../limits.ts";
import { pageRange } from "../pages.ts";
import type { Batch, RunChanges } from "../tracking_store.ts";

const RUN_STATUSES: { readonly [status in RunStatus]: true } = {
  RUNNING: true,
  SCHEDULED: true,
  FINISHED: true,
  FAILED: true,
  KILLED: true,
};

/** Refuses a status that the server would ignore, and times that are none. */
export function checkRunChanges(runId: string, { status, endTime }: RunChanges): void {
  const action = `update run "${runId}"`;
  if (status !== undefined && !Object.hasOwn(RUN_STATUSES, status)) {
    const words = Object.keys(RUN_STATUSES).map((word) => `"${word}"`).join(", ");
    throw invalid(action, `the status must be one of ${words}, but is "${status}"`);
  }
  if (endTime !== undefined) checkWhole(action, "the end time", { value: endTime });
}

/** Refuses a search in no experiment, which the server answers with nothing. */
export function checkExperimentIds(action: string, experimentIds: readonly string[]): void {
  if (experimentIds.length === 0) throw invalid(action, "give at least one experiment id");
}

/** Refuses a number of results that is none: servers read 0 in different ways. */
export function checkMaxResults(action: string, maxResults: number): void {
  pageRange(action, { maxResults }, { maxResults });
}

/** Refuses what the server would cut, or read as something else. */
export function checkBatch(runId: string, { metrics = [], params = {}, tags = {} }: Batch): void {
  const action = `log to run "${runId}"`;
  for (const metric of metrics) checkMetric(action, metric);
  checkParams(action, params);
  for (const [key, text] of Object.entries(tags)) {
    checkLength(action, `tag "${key}"`, { text, limit: LIMITS.tagValue });
  }
}

/** Refuses values of params that the server would cut without a word. */
export function checkParams(action: string, params: Tags): void {
  for (const [key, text] of Object.entries(params)) {
    checkLength(action, `param "${key}"`, { text, limit: LIMITS.paramValue });
  }
}

function checkMetric(action: string, { key, value, timestamp, step }: Metric): void {
  if (typeof value !== "number") throw invalid(action, `the value of metric "${key}" must be a number`);
  checkWhole(action, `the timestamp of metric "${key}"`, { value: timestamp, least: 0 });
  checkWhole(action, `the step of metric "${key}"`, { value: step });
}
