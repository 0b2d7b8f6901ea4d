import type { Metric, RunStatus, Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { Batch, RunChanges } from "../tracking_store.ts";

/** What MLflow's server takes. It cuts longer values of params without a word, so they are refused here. */
const MAX_PARAM_VALUE = 6_000;

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
    throw invalid(action, `the status must be one of ${quoteAll(Object.keys(RUN_STATUSES))}, but is "${status}"`);
  }
  if (endTime !== undefined) checkTime(action, "the end time", endTime);
}

/** Refuses a search in no experiment, which the server answers with nothing. */
export function checkExperimentIds(action: string, experimentIds: readonly string[]): void {
  if (experimentIds.length === 0) throw invalid(action, "give at least one experiment id");
}

/** Refuses what the server would cut, or read as something else. */
export function checkBatch(runId: string, { metrics = [], params = {} }: Batch): void {
  const action = `log to run "${runId}"`;
  for (const metric of metrics) checkMetric(action, metric);
  checkParams(action, params);
}

/** Refuses values of params that the server would cut. */
export function checkParams(action: string, params: Tags): void {
  for (const [key, value] of Object.entries(params)) {
    const { length } = value;
    if (length <= MAX_PARAM_VALUE) continue;
    throw invalid(action, `param "${key}" has ${length} characters, at most ${MAX_PARAM_VALUE} are kept. Log a file`);
  }
}

function checkMetric(action: string, { key, value, timestamp, step }: Metric): void {
  if (typeof value !== "number") throw invalid(action, `the value of metric "${key}" must be a number`);
  checkTime(action, `the timestamp of metric "${key}"`, timestamp);
  if (!Number.isSafeInteger(step)) throw invalid(action, `the step of metric "${key}" must be an integer, not ${step}`);
}

function checkTime(action: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw invalid(action, `${name} must be whole milliseconds since 1970, not ${value}`);
}

function invalid(action: string, fault: string): TrackingError {
  return new TrackingError("INVALID_PARAMETER_VALUE", `Cannot ${action}: ${fault}`);
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
