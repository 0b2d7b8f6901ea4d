/**
 * Experiments, runs, metrics, params, tags, artifacts and logged models: in MLflow's SQLite database on this machine,
 * or on a genuine MLflow tracking server.
 *
 * @module
 */
export type { ArtifactRepository, OnProgress, TransferOptions } from "./artifact_repository.ts";
export type {
  Dataset,
  DatasetInput,
  Experiment,
  FileInfo,
  LifecycleStage,
  LoggedModel,
  LoggedModelStatus,
  Metric,
  ModelOutput,
  Page,
  Run,
  RunInfo,
  RunStatus,
  Tags,
  ViewType,
} from "./entities.ts";
export { TrackingError } from "./errors.ts";
export { contextTags } from "./context_tags.ts";
export {
  activeExperimentId,
  type ActiveRun,
  activeRun,
  closeTracking,
  deleteTag,
  endRun,
  type EndStatus,
  getRegistryUri,
  getTrackingStore,
  getTrackingUri,
  lastActiveRun,
  logArtifact,
  type LogArtifactOptions,
  logArtifacts,
  type LogContentOptions,
  logDict,
  type LoggableValue,
  logInput,
  type LogInputOptions,
  logMetric,
  type LogMetricOptions,
  logMetrics,
  logParam,
  logParams,
  logTable,
  logText,
  type RunCallback,
  type SearchAllRunsOptions,
  searchRuns,
  setExperiment,
  setRegistryUri,
  setTag,
  setTags,
  setTrackingUri,
  startRun,
  type StartRunOptions,
  type TableData,
  type TargetOptions,
} from "./fluent/mod.ts";
export { openTrackingStore } from "./open_store.ts";
export type {
  Batch,
  CreateExperimentOptions,
  CreateLoggedModelOptions,
  CreateRunOptions,
  PageOptions,
  RunChanges,
  SearchExperimentsOptions,
  SearchLoggedModelsOptions,
  SearchRunsOptions,
  TrackingStore,
} from "./tracking_store.ts";
