import type { Dataset, Metric } from "../entities.ts";
import { type Target, targetOf, type TargetOptions } from "./_target.ts";
import { inBatches, type LoggableValue, toTags } from "./_values.ts";

/** Most params or tags that a store takes at once. */
const TAGS_AT_ONCE = 100;
/** Most metrics that a store takes at once. */
const METRICS_AT_ONCE = 1000;

/** Options for logging metrics. */
export interface LogMetricOptions extends TargetOptions {
  /** Step, such as of a training. @default {0} */
  readonly step?: number;
  /** When it was measured, in ms since 1970. Default: now. */
  readonly timestamp?: number;
  /** Logged model that it tells of; linked to the run if it is not yet. */
  readonly modelId?: string | undefined;
}

/**
 * Logs a parameter. It keeps its first value.
 *
 * @param key Its name.
 * @param value Its value: text as it is, objects as JSON.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If it has another value already, or if name or value are longer than MLflow's limits
 *   (`INVALID_PARAMETER_VALUE`).
 */
export async function logParam(key: string, value: LoggableValue, options: TargetOptions = {}): Promise<void> {
  await logParams({ [key]: value }, options);
}

/**
 * Logs parameters, 100 at a time.
 *
 * @param params Names and values, as for {@linkcode logParam}.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} As {@linkcode logParam} does.
 */
export async function logParams(
  params: { readonly [key: string]: LoggableValue },
  options: TargetOptions = {},
): Promise<void> {
  const batches = inBatches(Object.entries(toTags(params)), TAGS_AT_ONCE);
  const { store, runId } = await targetOf(options);
  for (const batch of batches) await store.logBatch(runId, { params: Object.fromEntries(batch) });
}

/**
 * Logs one point of a metric.
 *
 * @param key Its name.
 * @param value Its value. Infinities are kept as the largest numbers there are.
 * @param options Step, time, model, and which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If the name is none or longer than MLflow's limit (`INVALID_PARAMETER_VALUE`).
 */
export async function logMetric(key: string, value: number, options: LogMetricOptions = {}): Promise<void> {
  await logMetrics({ [key]: value }, options);
}

/**
 * Logs one point of each of some metrics, 1000 at a time.
 *
 * @param metrics Names and values, as for {@linkcode logMetric}.
 * @param options Step, time, model, and which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} As {@linkcode logMetric} does.
 */
export async function logMetrics(
  metrics: { readonly [key: string]: number },
  options: LogMetricOptions = {},
): Promise<void> {
  const { step = 0, timestamp = Date.now(), modelId } = options;
  const points: readonly Metric[] = Object.entries(metrics).map(([key, value]) => ({
    key,
    value,
    timestamp,
    step,
    ...(modelId !== undefined && { modelId }),
  }));
  const target = await targetOf(options);
  if (modelId !== undefined) await linkModel(target, modelId);
  for (const batch of inBatches(points, METRICS_AT_ONCE)) {
    await target.store.logBatch(target.runId, { metrics: batch });
  }
}

/** A model that is measured is an input of the run, unless the run has made it, as MLflow sees it. */
async function linkModel({ store, runId, run }: Target, modelId: string): Promise<void> {
  if (run?.linkedModels.has(modelId)) return;
  const { inputs, outputs } = await store.getRun(runId);
  const isLinked = inputs.modelIds.includes(modelId) || outputs.models.some((model) => model.modelId === modelId);
  if (!isLinked) await store.logInputs(runId, { modelIds: [modelId] });
  run?.linkedModels.add(modelId);
}

/**
 * Sets a tag, in place of what it was.
 *
 * @param key Its name.
 * @param value Its value: text as it is, objects as JSON.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If name or value are longer than MLflow's limits (`INVALID_PARAMETER_VALUE`).
 */
export async function setTag(key: string, value: LoggableValue, options: TargetOptions = {}): Promise<void> {
  await setTags({ [key]: value }, options);
}

/**
 * Sets tags, 100 at a time.
 *
 * @param tags Names and values, as for {@linkcode setTag}.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} As {@linkcode setTag} does.
 */
export async function setTags(
  tags: { readonly [key: string]: LoggableValue },
  options: TargetOptions = {},
): Promise<void> {
  const batches = inBatches(Object.entries(toTags(tags)), TAGS_AT_ONCE);
  const { store, runId } = await targetOf(options);
  for (const batch of batches) await store.logBatch(runId, { tags: Object.fromEntries(batch) });
}

/**
 * Removes a tag.
 *
 * @param key Its name.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If there is no such tag (`RESOURCE_DOES_NOT_EXIST`).
 */
export async function deleteTag(key: string, options: TargetOptions = {}): Promise<void> {
  const { store, runId } = await targetOf(options);
  await store.deleteTag(runId, key);
}

/** Options for {@linkcode logInput}. */
export interface LogInputOptions extends TargetOptions {
  /** What it is used for, such as `training` or `evaluation`: the tag `mlflow.data.context`. */
  readonly context?: string;
  /** Tags. */
  readonly tags?: { readonly [key: string]: LoggableValue };
}

/**
 * Notes that a run uses a dataset.
 *
 * @param dataset The dataset.
 * @param options Context, tags, and which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If a part of it is longer than MLflow's limits (`INVALID_PARAMETER_VALUE`).
 */
export async function logInput(dataset: Dataset, options: LogInputOptions = {}): Promise<void> {
  const { context, tags = {} } = options;
  const texts = toTags({ ...tags, ...(context !== undefined && { "mlflow.data.context": context }) });
  const { store, runId } = await targetOf(options);
  await store.logInputs(runId, { datasets: [{ dataset, tags: texts }] });
}
