import type { Dataset, DatasetInput, ModelOutput, Run, RunInfo, RunStatus } from "../entities.ts";
import type { Database, Row } from "./database.ts";
import { numberOf, optionalNumber, optionalText, stageOf, textOf } from "./_rows.ts";

const STATUSES: readonly RunStatus[] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

/** Whether a text is the status of a run. */
export function isRunStatus(status: string): status is RunStatus {
  return STATUSES.some((known) => known === status);
}

/** All that there is to know of a run but what it logged. */
export function toRunInfo(row: Row): RunInfo {
  const status = textOf(row, "status");
  const endTime = optionalNumber(row, "end_time");
  return {
    runId: textOf(row, "run_uuid"),
    runName: textOf(row, "name"),
    experimentId: textOf(row, "experiment_id"),
    userId: textOf(row, "user_id"),
    status: isRunStatus(status) ? status : "RUNNING",
    startTime: numberOf(row, "start_time"),
    ...(endTime === undefined ? {} : { endTime }),
    lifecycleStage: stageOf(row),
    artifactUri: textOf(row, "artifact_uri"),
  };
}

/**
 * Reads runs with all that they logged, by one query for each kind of thing, however many runs there are.
 *
 * @param database The database.
 * @param rows Rows of `runs`.
 * @returns The runs, in the same order.
 */
export function loadRuns(database: Database, rows: readonly Row[]): Run[] {
  const ids = JSON.stringify(rows.map((row) => textOf(row, "run_uuid")));
  const params = pairsByRun(database, ids, "params");
  const tags = pairsByRun(database, ids, "tags");
  const metrics = metricsByRun(database, ids);
  const datasets = datasetsByRun(database, ids);
  const inputs = modelsByRun(database, ids, "RUN_INPUT");
  const outputs = modelsByRun(database, ids, "RUN_OUTPUT");
  return rows.map((row) => {
    const info = toRunInfo(row);
    const { runId } = info;
    return {
      info,
      data: {
        metrics: Object.fromEntries(metrics.get(runId) ?? []),
        params: Object.fromEntries(params.get(runId) ?? []),
        tags: Object.fromEntries(tags.get(runId) ?? []),
      },
      inputs: {
        datasets: datasets.get(runId) ?? [],
        modelIds: (inputs.get(runId) ?? []).map((model) => model.modelId),
      },
      outputs: { models: outputs.get(runId) ?? [] },
    };
  });
}

function pairsByRun(database: Database, ids: string, table: "params" | "tags"): Map<string, [string, string][]> {
  const pairs = new Map<string, [string, string][]>();
  const sql = `SELECT run_uuid, key, value FROM ${table} WHERE run_uuid IN (SELECT value FROM json_each(?))`;
  for (const row of database.all(sql, [ids])) {
    add(pairs, textOf(row, "run_uuid"), [textOf(row, "key"), textOf(row, "value")]);
  }
  return pairs;
}

function metricsByRun(database: Database, ids: string): Map<string, [string, number][]> {
  const metrics = new Map<string, [string, number][]>();
  const sql = "SELECT run_uuid, key, value, is_nan FROM latest_metrics " +
    "WHERE run_uuid IN (SELECT value FROM json_each(?))";
  for (const row of database.all(sql, [ids])) {
    const value = numberOf(row, "is_nan") === 0 ? numberOf(row, "value") : NaN;
    add(metrics, textOf(row, "run_uuid"), [textOf(row, "key"), value]);
  }
  return metrics;
}

function datasetsByRun(database: Database, ids: string): Map<string, DatasetInput[]> {
  const sql = "SELECT inputs.input_uuid, inputs.destination_id, datasets.*, input_tags.name AS tag, input_tags.value " +
    "FROM inputs JOIN datasets ON datasets.dataset_uuid = inputs.source_id " +
    "LEFT JOIN input_tags ON input_tags.input_uuid = inputs.input_uuid " +
    "WHERE inputs.destination_type = 'RUN' AND inputs.destination_id IN (SELECT value FROM json_each(?)) " +
    "ORDER BY inputs.rowid";
  const datasets = new Map<string, DatasetInput[]>();
  const tagsByInput = new Map<string, { [key: string]: string }>();
  for (const row of database.all(sql, [ids])) {
    const inputId = textOf(row, "input_uuid");
    let tags = tagsByInput.get(inputId);
    if (tags === undefined) {
      tags = {};
      tagsByInput.set(inputId, tags);
      add(datasets, textOf(row, "destination_id"), { dataset: toDataset(row), tags });
    }
    const key = optionalText(row, "tag");
    if (key !== undefined) tags[key] = textOf(row, "value");
  }
  return datasets;
}

function toDataset(row: Row): Dataset {
  const schema = optionalText(row, "dataset_schema");
  const profile = optionalText(row, "dataset_profile");
  return {
    name: textOf(row, "name"),
    digest: textOf(row, "digest"),
    sourceType: textOf(row, "dataset_source_type"),
    source: textOf(row, "dataset_source"),
    ...(schema === undefined ? {} : { schema }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function modelsByRun(
  database: Database,
  ids: string,
  sourceType: "RUN_INPUT" | "RUN_OUTPUT",
): Map<string, ModelOutput[]> {
  const sql = "SELECT source_id, destination_id, step FROM inputs " +
    "WHERE source_type = ? AND source_id IN (SELECT value FROM json_each(?)) AND destination_type = ? ORDER BY rowid";
  const destinationType = sourceType === "RUN_INPUT" ? "MODEL_INPUT" : "MODEL_OUTPUT";
  const models = new Map<string, ModelOutput[]>();
  for (const row of database.all(sql, [sourceType, ids, destinationType])) {
    add(models, textOf(row, "source_id"), { modelId: textOf(row, "destination_id"), step: numberOf(row, "step") });
  }
  return models;
}

function add<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
