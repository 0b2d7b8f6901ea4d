import { checkKey, checkWhole, invalid } from "../limits.ts";
import { pageRange, toPage } from "../pages.ts";
import type { Metric, Page } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { PageOptions } from "../tracking_store.ts";
import type { Database, Row } from "./database.ts";
import { requireRun } from "./_records.ts";
import { numberOf, textOf } from "./_rows.ts";

/** A metric as MLflow's tables keep it: they have no infinity and no NaN. */
interface StoredMetric extends Metric {
  readonly isNan: 0 | 1;
}

/** Metrics of a database's runs. */
export class Metrics {
  readonly #database: Database;

  /**
   * Metrics of a database's runs.
   *
   * @param database The database.
   */
  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Writes points of metrics in the transaction in course. A point that is there already is not written again.
   *
   * @param action What is being done.
   * @param run Row of the run, which may be written.
   * @param metrics The points.
   */
  write(action: string, run: Row, metrics: readonly Metric[]): void {
    const database = this.#database;
    const runId = textOf(run, "run_uuid");
    for (const metric of metrics) {
      const { key, value, timestamp, step, isNan } = toStored(action, metric);
      const point = [key, value, timestamp, step, isNan, runId];
      database.run(
        "INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?) " +
          "ON CONFLICT DO NOTHING",
        point,
      );
      database.run(
        "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?) " +
          "ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp, " +
          "step = excluded.step, is_nan = excluded.is_nan WHERE (excluded.step, excluded.timestamp, excluded.value) > " +
          "(latest_metrics.step, COALESCE(latest_metrics.timestamp, 0), latest_metrics.value)",
        point,
      );
      if (metric.modelId !== undefined && metric.modelId !== "") this.#writeOfModel(action, run, metric);
    }
  }

  /** The points of a metric. */
  history(runId: string, key: string, options: PageOptions = {}): Page<Metric> {
    const action = `get history of metric "${key}" of run "${runId}"`;
    const most = Number.MAX_SAFE_INTEGER - 1;
    const range = pageRange(action, options, { maxResults: most, limit: most });
    return this.#database.read(() => {
      requireRun(this.#database, action, runId);
      const rows = this.#database.all(
        "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? AND key = ? " +
          "ORDER BY timestamp, step, value LIMIT ? OFFSET ?",
        [runId, key, range.maxResults + 1, range.offset],
      );
      return toPage(rows.map(toMetric), range);
    });
  }

  #writeOfModel(action: string, run: Row, metric: Metric): void {
    const { key, timestamp, step, modelId = "", datasetName = null, datasetDigest = null } = metric;
    const { value } = toStored(action, metric);
    if (this.#database.get("SELECT 1 FROM logged_models WHERE model_id = ?", [modelId]) === undefined) {
      throw new TrackingError(
        "RESOURCE_DOES_NOT_EXIST",
        `Cannot ${action}: metric "${key}" is of logged model "${modelId}", which there is not`,
      );
    }
    const runId = textOf(run, "run_uuid");
    const written = this.#database.run(
      "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, " +
        "experiment_id, run_id, dataset_uuid, dataset_name, dataset_digest) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?) " +
        "ON CONFLICT DO NOTHING",
      [modelId, key, timestamp, step, value, textOf(run, "experiment_id"), runId, datasetName, datasetDigest],
    );
    if (written > 0) return;
    const old = this.#database.get(
      "SELECT metric_value FROM logged_model_metrics WHERE model_id = ? AND metric_name = ? " +
        "AND metric_timestamp_ms = ? AND metric_step = ? AND run_id = ?",
      [modelId, key, timestamp, step, runId],
    );
    if (old !== undefined && numberOf(old, "metric_value") === value) return;
    throw invalid(
      action,
      `metric "${key}" of logged model "${modelId}" has another value at step ${step} and time ${timestamp}. ` +
        "Log it with another step or time",
    );
  }
}

function toMetric(row: Row): Metric {
  return {
    key: textOf(row, "key"),
    value: numberOf(row, "is_nan") === 0 ? numberOf(row, "value") : NaN,
    timestamp: numberOf(row, "timestamp"),
    step: numberOf(row, "step"),
  };
}

function toStored(action: string, metric: Metric): StoredMetric {
  const { key, value, timestamp, step } = metric;
  checkKey(action, "metric", key);
  if (typeof value !== "number") throw invalid(action, `the value of metric "${key}" must be a number`);
  checkWhole(action, `the timestamp of metric "${key}"`, { value: timestamp, least: 0 });
  checkWhole(action, `the step of metric "${key}"`, { value: step });
  if (Number.isNaN(value)) return { ...metric, value: 0, isNan: 1 };
  return { ...metric, value: Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)), isNan: 0 };
}
