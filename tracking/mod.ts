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
