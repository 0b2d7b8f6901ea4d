/**
 * Experiments, runs, metrics, params, tags, artifacts, logged models and traces: in MLflow's SQLite database on this
 * machine, or on a genuine MLflow tracking server.
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
export type {
  Assessment,
  AssessmentError,
  AssessmentSource,
  AssessmentValue,
  SpanEvent,
  SpanLink,
  SpanStatus,
  TokenUsage,
  Trace,
  TraceInfo,
  TraceSpan,
  TraceSpanInput,
  TraceState,
} from "./trace_entities.ts";
export type {
  DeleteTracesOptions,
  LogExpectationOptions,
  LogFeedbackOptions,
  LogSpansOptions,
  SearchTracesOptions,
  TraceStore,
} from "./trace_store.ts";
