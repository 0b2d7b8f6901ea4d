import type { ArtifactRepository } from "./artifact_repository.ts";
import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  Metric,
  ModelOutput,
  Page,
  Run,
  RunInfo,
  RunStatus,
  Tags,
  ViewType,
} from "./entities.ts";
import type { TraceStore } from "./trace_store.ts";

/** Which part of a list is wanted. */
export interface PageOptions {
  /** Most things on one page. */
  readonly maxResults?: number;
  /** What the page before gave as `nextPageToken`. */
  readonly pageToken?: string;
}

/** Options for {@linkcode TrackingStore.searchExperiments}. */
export interface SearchExperimentsOptions extends PageOptions {
  /** MLflow's filter, such as `name LIKE 'chat%' AND tags.team = 'x'`. Default: all. */
  readonly filter?: string;
  /** Such as `["last_update_time DESC"]`. Default: the newest first. */
  readonly orderBy?: readonly string[];
  /** Whether deleted ones are wanted. @default {"active"} */
  readonly viewType?: ViewType;
  /** Most experiments on one page, up to 50 000. @default {1000} */
  readonly maxResults?: number;
}

/** Options for {@linkcode TrackingStore.searchRuns}. */
export interface SearchRunsOptions extends PageOptions {
  /** Experiments to look in; at least one. */
  readonly experimentIds: readonly string[];
  /** MLflow's filter, such as `metrics.accuracy > 0.9 and params.model = 'llama3.2:1b'`. Default: all. */
  readonly filter?: string;
  /** Such as `["metrics.accuracy DESC"]`. Default: the newest first. */
  readonly orderBy?: readonly string[];
  /** Whether deleted ones are wanted. @default {"active"} */
  readonly viewType?: ViewType;
  /** Most runs on one page, up to 50 000. @default {1000} */
  readonly maxResults?: number;
}

/** Options for {@linkcode TrackingStore.searchLoggedModels}. */
export interface SearchLoggedModelsOptions extends PageOptions {
  /** Experiments to look in; at least one. */
  readonly experimentIds: readonly string[];
  /** MLflow's filter, such as `name = 'ollama_model' AND metrics.accuracy > 0.9`. Default: all. */
  readonly filter?: string;
  /** Fields to order by. Default: the newest first. */
  readonly orderBy?: readonly { readonly fieldName: string; readonly ascending?: boolean }[];
  /** Most models on one page. @default {100} */
  readonly maxResults?: number;
}

/** What {@linkcode TrackingStore.createExperiment} makes. */
export interface CreateExperimentOptions {
  /** Unique name. */
  readonly name: string;
  /** Where its artifacts are to be kept. Default: the store's choice. */
  readonly artifactLocation?: string;
  /** Tags. */
  readonly tags?: Tags;
}

/** What {@linkcode TrackingStore.createRun} makes. */
export interface CreateRunOptions {
  /** Experiment that it belongs to. */
  readonly experimentId: string;
  /** Name for people. Default: an invented one. */
  readonly runName?: string;
  /** When it started, in ms since 1970. Default: now. */
  readonly startTime?: number;
  /** Who started it. Default: empty. */
  readonly userId?: string;
  /** Tags. `mlflow.user`, `mlflow.source.name`, `mlflow.source.type` and `mlflow.runName` are added where absent, as MLflow's page needs them. */
  readonly tags?: Tags;
}

/** What is to be changed of a run; what is absent stays. */
export interface RunChanges {
  /** What it is doing. */
  readonly status?: RunStatus;
  /** When it ended, in ms since 1970. */
  readonly endTime?: number;
  /** Name for people. */
  readonly runName?: string;
}

/** What {@linkcode TrackingStore.logBatch} logs; at most 1000 metrics, 100 params and 100 tags. */
export interface Batch {
  /** Points of metrics. */
  readonly metrics?: readonly Metric[];
  /** Parameters. */
  readonly params?: Tags;
  /** Tags. */
  readonly tags?: Tags;
}

/** What {@linkcode TrackingStore.createLoggedModel} makes. */
export interface CreateLoggedModelOptions {
  /** Experiment that it belongs to. */
  readonly experimentId: string;
  /** Name, without any of `/ : . % " '`. Default: an invented one. */
  readonly name?: string;
  /** Kind of model, for people. */
  readonly modelType?: string;
  /** Run that makes it. */
  readonly sourceRunId?: string;
  /** Parameters. */
  readonly params?: Tags;
  /** Tags. */
  readonly tags?: Tags;
}

/**
 * Where experiments, runs, logged models and traces are kept: MLflow's SQLite database in this machine, or a genuine MLflow
 * tracking server. Both behave alike.
 *
 * Every method rejects with a {@linkcode TrackingError}: `RESOURCE_DOES_NOT_EXIST` where there is no such thing,
 * `INVALID_PARAMETER_VALUE` for what MLflow's limits forbid, `INVALID_STATE` or what the server says for what cannot be
 * done with a deleted thing.
 */
export interface TrackingStore extends TraceStore, AsyncDisposable {
  /** URI that it was opened by, without secrets. */
  readonly uri: string;

  /** Makes an experiment. Rejects with `RESOURCE_ALREADY_EXISTS` if the name is taken, also by a deleted one. */
  createExperiment(options: CreateExperimentOptions): Promise<string>;
  /** The experiment of an id, deleted or not. */
  getExperiment(experimentId: string): Promise<Experiment>;
  /** The experiment of a name, deleted or not; `undefined` if there is none. */
  getExperimentByName(name: string): Promise<Experiment | undefined>;
  /** Looks for experiments. */
  searchExperiments(options?: SearchExperimentsOptions): Promise<Page<Experiment>>;
  /** Gives an experiment another name. */
  renameExperiment(experimentId: string, newName: string): Promise<void>;
  /** Puts an experiment and its runs in the bin. */
  deleteExperiment(experimentId: string): Promise<void>;
  /** Takes an experiment and its runs out of the bin. */
  restoreExperiment(experimentId: string): Promise<void>;
  /** Sets tags of an experiment. */
  setExperimentTags(experimentId: string, tags: Tags): Promise<void>;
  /** Removes a tag of an experiment. */
  deleteExperimentTag(experimentId: string, key: string): Promise<void>;

  /** Makes a run, in state `RUNNING`. */
  createRun(options: CreateRunOptions): Promise<Run>;
  /** The run of an id, deleted or not. */
  getRun(runId: string): Promise<Run>;
  /** Changes a run. */
  updateRun(runId: string, changes: RunChanges): Promise<RunInfo>;
  /** Looks for runs. */
  searchRuns(options: SearchRunsOptions): Promise<Page<Run>>;
  /** Puts a run in the bin. */
  deleteRun(runId: string): Promise<void>;
  /** Takes a run out of the bin. */
  restoreRun(runId: string): Promise<void>;
  /**
   * Logs metrics, params and tags: all or, where an error is thrown, as little as the store can (the embedded one:
   * nothing). A param keeps its first value: another one is refused.
   */
  logBatch(runId: string, batch: Batch): Promise<void>;
  /** Removes a tag of a run. */
  deleteTag(runId: string, key: string): Promise<void>;
  /** All points of a metric, in the order of their timestamps. */
  getMetricHistory(runId: string, key: string, options?: PageOptions): Promise<Page<Metric>>;
  /** Notes what a run uses. */
  logInputs(
    runId: string,
    inputs: { readonly datasets?: readonly DatasetInput[]; readonly modelIds?: readonly string[] },
  ): Promise<void>;
  /** Notes which logged models a run made. */
  logOutputs(runId: string, models: readonly ModelOutput[]): Promise<void>;

  /** Makes a logged model, in state `PENDING`. */
  createLoggedModel(options: CreateLoggedModelOptions): Promise<LoggedModel>;
  /** Says whether a logged model is complete. */
  finalizeLoggedModel(modelId: string, status: "READY" | "FAILED"): Promise<LoggedModel>;
  /** The logged model of an id. */
  getLoggedModel(modelId: string): Promise<LoggedModel>;
  /** Puts a logged model in the bin. */
  deleteLoggedModel(modelId: string): Promise<void>;
  /** Looks for logged models. */
  searchLoggedModels(options: SearchLoggedModelsOptions): Promise<Page<LoggedModel>>;
  /** Sets tags of a logged model. */
  setLoggedModelTags(modelId: string, tags: Tags): Promise<void>;
  /** Removes a tag of a logged model. */
  deleteLoggedModelTag(modelId: string, key: string): Promise<void>;
  /** Logs parameters of a logged model. */
  logLoggedModelParams(modelId: string, params: Tags): Promise<void>;

  /**
   * The files under an artifact URI, as runs, experiments and logged models of this store name them: `file:`, a plain
   * path, `mlflow-artifacts:`.
   */
  artifacts(uri: string): ArtifactRepository;
}
