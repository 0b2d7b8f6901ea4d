import type { LoggedModel, LoggedModelStatus, Metric } from "../entities.ts";
import type { Database, Row } from "./database.ts";
import { numberOf, optionalText, textOf } from "./_rows.ts";

/** How MLflow writes a status down. */
export const STATUS: { readonly [status in LoggedModelStatus]: number } = {
  UNSPECIFIED: 0,
  PENDING: 1,
  READY: 2,
  FAILED: 3,
};

/** Models of rows, with all that belongs to them: one query for each table, however many models there are. */
export function loadModels(database: Database, rows: readonly Row[]): LoggedModel[] {
  if (rows.length === 0) return [];
  const ids = JSON.stringify(rows.map((row) => textOf(row, "model_id")));
  const of = (table: string, order: string) =>
    Map.groupBy(
      database.all(
        `SELECT * FROM ${table} WHERE model_id IN (SELECT value FROM json_each(?)) ORDER BY ${order}`,
        [ids],
      ),
      (row) => textOf(row, "model_id"),
    );
  const params = of("logged_model_params", "param_key");
  const tags = of("logged_model_tags", "tag_key");
  const metrics = of("logged_model_metrics", "metric_name, metric_timestamp_ms, metric_step");
  return rows.map((row) => {
    const modelId = textOf(row, "model_id");
    const modelType = optionalText(row, "model_type");
    const sourceRunId = optionalText(row, "source_run_id");
    return {
      modelId,
      experimentId: textOf(row, "experiment_id"),
      name: textOf(row, "name"),
      ...(modelType !== undefined && { modelType }),
      ...(sourceRunId !== undefined && sourceRunId !== "" && { sourceRunId }),
      status: statusOf(row),
      artifactLocation: textOf(row, "artifact_location"),
      creationTimestamp: numberOf(row, "creation_timestamp_ms"),
      lastUpdatedTimestamp: numberOf(row, "last_updated_timestamp_ms"),
      params: pairs(params.get(modelId), "param_key", "param_value"),
      tags: pairs(tags.get(modelId), "tag_key", "tag_value"),
      metrics: (metrics.get(modelId) ?? []).map(toMetric),
    };
  });
}

function statusOf(row: Row): LoggedModelStatus {
  switch (numberOf(row, "status")) {
    case STATUS.PENDING:
      return "PENDING";
    case STATUS.READY:
      return "READY";
    case STATUS.FAILED:
      return "FAILED";
    default:
      return "UNSPECIFIED";
  }
}

function pairs(rows: readonly Row[] | undefined, key: string, value: string): { readonly [key: string]: string } {
  return Object.fromEntries((rows ?? []).map((row) => [textOf(row, key), textOf(row, value)]));
}

function toMetric(row: Row): Metric & { readonly runId: string } {
  const datasetName = optionalText(row, "dataset_name");
  const datasetDigest = optionalText(row, "dataset_digest");
  return {
    key: textOf(row, "metric_name"),
    // MLflow has no mark for NaN here, and writes 0: NULL is what others may leave.
    value: row.metric_value === null ? NaN : numberOf(row, "metric_value"),
    timestamp: numberOf(row, "metric_timestamp_ms"),
    step: numberOf(row, "metric_step"),
    runId: textOf(row, "run_id"),
    modelId: textOf(row, "model_id"),
    ...(datasetName !== undefined && { datasetName }),
    ...(datasetDigest !== undefined && { datasetDigest }),
  };
}
