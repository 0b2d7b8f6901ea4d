import { checkCount, checkKey, checkLength, invalid, LIMITS } from "../limits.ts";
import type { Tags } from "../entities.ts";
import type { Batch } from "../tracking_store.ts";
import type { Database } from "./database.ts";
import type { Metrics } from "./metrics.ts";
import { requireActiveRun } from "./_records.ts";
import { optionalText } from "./_rows.ts";
import type { Runs } from "./runs.ts";

/**
 * Logs metrics, params and tags of a run: all of them or, if an error is thrown, none.
 *
 * @param store The database, its runs and metrics.
 * @param runId The run.
 * @param batch What is logged.
 */
export function logBatch(
  { database, runs, metrics: store }: {
    readonly database: Database;
    readonly runs: Runs;
    readonly metrics: Metrics;
  },
  runId: string,
  batch: Batch,
): void {
  const action = `log to run "${runId}"`;
  const { metrics = [], params = {}, tags = {} } = batch;
  checkBatch(action, batch);
  checkParams(action, params);
  database.write(() => {
    const run = requireActiveRun(database, action, runId);
    writeParams(database, { action, runId }, params);
    store.write(action, run, metrics);
    runs.setTags(action, runId, tags);
  });
}

function checkBatch(action: string, { metrics = [], params = {}, tags = {} }: Batch): void {
  const paramCount = Object.keys(params).length;
  const tagCount = Object.keys(tags).length;
  checkCount(action, "metrics", { count: metrics.length, limit: LIMITS.batchMetrics });
  checkCount(action, "params", { count: paramCount, limit: LIMITS.batchParams });
  checkCount(action, "tags", { count: tagCount, limit: LIMITS.batchParams });
  const count = metrics.length + paramCount + tagCount;
  checkCount(action, "metrics, params and tags together", { count, limit: LIMITS.batchMetrics });
}

function checkParams(action: string, params: Tags): void {
  for (const [key, value] of Object.entries(params)) {
    checkKey(action, "param", key);
    checkLength(action, `the value of param "${key}"`, { text: value, limit: LIMITS.paramValue });
  }
}

/** Params keep their first value: another one would make what was logged untrue. */
function writeParams(
  database: Database,
  { action, runId }: { readonly action: string; readonly runId: string },
  params: Tags,
): void {
  for (const [key, value] of Object.entries(params)) {
    const written = database.run(
      "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      [key, value, runId],
    );
    if (written > 0) continue;
    const row = database.get("SELECT value FROM params WHERE key = ? AND run_uuid = ?", [key, runId]);
    if (row === undefined || optionalText(row, "value") === value) continue;
    throw invalid(action, `param "${key}" has another value already, and params keep their first one. Log a new run`);
  }
}
