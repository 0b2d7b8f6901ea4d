import type {
  Experiment,
  LifecycleStage,
  LoggedModel,
  LoggedModelStatus,
  Metric,
  Page,
  Run,
  RunInfo,
  Tags,
  ViewType,
} from "../entities.ts";
import type { WireExperiment, WireLoggedModel, WireMetric, WirePairs, WireRun, WireRunInfo } from "./_schemas.ts";

const VIEW_TYPES: { readonly [type in ViewType]: string } = {
  active: "ACTIVE_ONLY",
  deleted: "DELETED_ONLY",
  all: "ALL",
};

const MODEL_STATUS: { readonly [status: string]: LoggedModelStatus } = {
  LOGGED_MODEL_PENDING: "PENDING",
  LOGGED_MODEL_READY: "READY",
  LOGGED_MODEL_UPLOAD_FAILED: "FAILED",
};

/** The word for a view type. */
export function toWireView(viewType: ViewType = "active"): string {
  return VIEW_TYPES[viewType];
}

/** Names and values as a list. */
export function toWirePairs(tags: Tags = {}): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** A point of a metric. JSON has no numbers for what is not finite. */
export function toWireMetric(metric: Metric): { readonly [name: string]: string | number | undefined } {
  const { key, value, timestamp, step, modelId, datasetName, datasetDigest } = metric;
  return {
    key,
    value: Number.isFinite(value) ? value : String(value),
    timestamp,
    step,
    model_id: modelId,
    dataset_name: datasetName,
    dataset_digest: datasetDigest,
  };
}

/** A page of things. */
export function toPage<Wire, Item>(
  items: readonly Wire[] | null | undefined,
  token: string | null | undefined,
  convert: (item: Wire) => Item,
): Page<Item> {
  return { items: (items ?? []).map((item) => convert(item)), ...(token && { nextPageToken: token }) };
}

/** An experiment. */
export function toExperiment(wire: WireExperiment): Experiment {
  const { creation_time: creationTime, last_update_time: lastUpdateTime } = wire;
  return {
    experimentId: wire.experiment_id,
    name: wire.name,
    artifactLocation: wire.artifact_location ?? "",
    lifecycleStage: toStage(wire.lifecycle_stage),
    ...(isNumber(creationTime) && { creationTime }),
    ...(isNumber(lastUpdateTime) && { lastUpdateTime }),
    tags: toTags(wire.tags),
  };
}

/** A run, without what it logged. */
export function toRunInfo(wire: WireRunInfo): RunInfo {
  const { end_time: endTime } = wire;
  return {
    runId: wire.run_id ?? wire.run_uuid ?? "",
    runName: wire.run_name ?? "",
    experimentId: wire.experiment_id,
    userId: wire.user_id ?? "",
    status: wire.status ?? "RUNNING",
    startTime: wire.start_time ?? 0,
    // 0 is what protocol buffers have for a time that is not set.
    ...(isNumber(endTime) && endTime !== 0 && { endTime }),
    lifecycleStage: toStage(wire.lifecycle_stage),
    artifactUri: wire.artifact_uri ?? "",
  };
}

/** A run. */
export function toRun(wire: WireRun): Run {
  const { info, data, inputs, outputs } = wire;
  return {
    info: toRunInfo(info),
    data: {
      metrics: Object.fromEntries((data?.metrics ?? []).map(({ key, value }) => [key, value ?? 0])),
      params: toTags(data?.params),
      tags: toTags(data?.tags),
    },
    inputs: {
      datasets: (inputs?.dataset_inputs ?? []).map(({ dataset, tags }) => ({
        dataset: {
          name: dataset.name,
          digest: dataset.digest,
          sourceType: dataset.source_type ?? "",
          source: dataset.source ?? "",
          ...(dataset.schema && { schema: dataset.schema }),
          ...(dataset.profile && { profile: dataset.profile }),
        },
        tags: toTags(tags),
      })),
      modelIds: (inputs?.model_inputs ?? []).map((model) => model.model_id),
    },
    outputs: {
      models: (outputs?.model_outputs ?? []).map(({ model_id: modelId, step }) => ({ modelId, step: step ?? 0 })),
    },
  };
}

/** A point of a metric. */
export function toMetric(wire: WireMetric): Metric {
  return {
    key: wire.key,
    value: wire.value ?? 0,
    timestamp: wire.timestamp ?? 0,
    step: wire.step ?? 0,
    ...(wire.model_id && { modelId: wire.model_id }),
    ...(wire.dataset_name && { datasetName: wire.dataset_name }),
    ...(wire.dataset_digest && { datasetDigest: wire.dataset_digest }),
  };
}

/** A logged model. */
export function toLoggedModel(wire: WireLoggedModel): LoggedModel {
  const { info, data } = wire;
  return {
    modelId: info.model_id,
    experimentId: info.experiment_id,
    name: info.name ?? "",
    ...(info.model_type && { modelType: info.model_type }),
    ...(info.source_run_id && { sourceRunId: info.source_run_id }),
    status: MODEL_STATUS[info.status ?? ""] ?? "UNSPECIFIED",
    artifactLocation: info.artifact_uri ?? "",
    creationTimestamp: info.creation_timestamp_ms ?? 0,
    lastUpdatedTimestamp: info.last_updated_timestamp_ms ?? 0,
    tags: toTags(info.tags),
    params: toTags(data?.params),
    metrics: (data?.metrics ?? []).map((metric) => ({
      ...toMetric(metric),
      modelId: info.model_id,
      runId: metric.run_id ?? "",
    })),
  };
}

function toTags(pairs: WirePairs): Tags {
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value ?? ""]));
}

function toStage(stage: string | null | undefined): LifecycleStage {
  return stage === "deleted" ? "deleted" : "active";
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number";
}
