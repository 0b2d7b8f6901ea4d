import { resolve } from "@std/path";
import type { ArtifactRepository } from "../artifact_repository.ts";
import { openLocalArtifacts } from "../artifacts/mod.ts";
import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  Metric,
  ModelOutput,
  Page,
  Run,
  RunInfo,
  Tags,
} from "../entities.ts";
import type {
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
} from "../tracking_store.ts";
import { readArtifactSpans } from "../_artifact_spans.ts";
import { TRACE_KEYS, TRACKING_STORE } from "../_trace_keys.ts";
import type { Assessment, Trace, TraceInfo, TraceSpanInput } from "../trace_entities.ts";
import type {
  DeleteTracesOptions,
  LogExpectationOptions,
  LogFeedbackOptions,
  LogSpansOptions,
  SearchTracesOptions,
} from "../trace_store.ts";
import { Assessments } from "./assessments.ts";
import { artifactFolder } from "./_artifact_folder.ts";
import { sqlitePath } from "./path.ts";
import { logBatch } from "./batches.ts";
import { Database } from "./database.ts";
import { searchExperiments } from "./experiment_search.ts";
import { Experiments } from "./experiments.ts";
import { Inputs } from "./inputs.ts";
import { LoggedModels } from "./logged_models.ts";
import { logSpans } from "./log_spans.ts";
import { Metrics } from "./metrics.ts";
import { searchRuns } from "./run_search.ts";
import { Runs } from "./runs.ts";
import { searchTraces } from "./trace_search.ts";
import { Traces } from "./traces.ts";

/**
 * The embedded store: MLflow's SQLite database in this machine. Genuine MLflow and other processes may use the same
 * file at the same time.
 *
 * Every call that writes is one transaction, which is on the disk when its promise resolves. Artifacts are kept in
 * `mlruns` beside the file, unless an experiment has another location.
 */
export class SqliteStore implements TrackingStore {
  /** URI that it was opened by. */
  readonly uri: string;
  /** The database: for the registry, which lies in the same file. */
  readonly database: Database;
  readonly #experiments: Experiments;
  readonly #runs: Runs;
  readonly #metrics: Metrics;
  readonly #inputs: Inputs;
  readonly #loggedModels: LoggedModels;
  readonly #traces: Traces;
  readonly #assessments: Assessments;

  private constructor(uri: string, database: Database) {
    this.uri = uri;
    this.database = database;
    this.#experiments = new Experiments(database);
    this.#runs = new Runs(database);
    this.#metrics = new Metrics(database);
    this.#inputs = new Inputs(database);
    this.#loggedModels = new LoggedModels(database);
    this.#traces = new Traces(database);
    this.#assessments = new Assessments(database);
  }

  /**
   * Opens a store, and makes the file with all of MLflow's tables if there is none.
   *
   * @param uri `sqlite:///mlflow.db` (relative to the working directory) or `sqlite:////folder/mlflow.db`.
   * @returns The store, which the caller disposes of.
   * @throws {TrackingError} If the URI names no file, or the file cannot be used: no folder, no permission, no SQLite
   *   database, not MLflow's, or of a version of MLflow that has other tables.
   */
  static open(uri: string): SqliteStore {
    return new SqliteStore(uri, Database.open(sqlitePath(uri)));
  }

  createExperiment(options: CreateExperimentOptions): Promise<string> {
    return Promise.try(() => this.#experiments.create(options));
  }

  getExperiment(experimentId: string): Promise<Experiment> {
    return Promise.try(() => this.#experiments.get(experimentId));
  }

  getExperimentByName(name: string): Promise<Experiment | undefined> {
    return Promise.try(() => this.#experiments.getByName(name));
  }

  searchExperiments(options: SearchExperimentsOptions = {}): Promise<Page<Experiment>> {
    const { database } = this;
    return Promise.try(() => searchExperiments({ database, experiments: this.#experiments }, options));
  }

  renameExperiment(experimentId: string, newName: string): Promise<void> {
    return Promise.try(() => this.#experiments.rename(experimentId, newName));
  }

  deleteExperiment(experimentId: string): Promise<void> {
    return Promise.try(() => this.#experiments.delete(experimentId));
  }

  restoreExperiment(experimentId: string): Promise<void> {
    return Promise.try(() => this.#experiments.restore(experimentId));
  }

  setExperimentTags(experimentId: string, tags: Tags): Promise<void> {
    return Promise.try(() => this.#experiments.setTags(experimentId, tags));
  }

  deleteExperimentTag(experimentId: string, key: string): Promise<void> {
    return Promise.try(() => this.#experiments.deleteTag(experimentId, key));
  }

  createRun(options: CreateRunOptions): Promise<Run> {
    return Promise.try(() => this.#runs.create(options));
  }

  getRun(runId: string): Promise<Run> {
    return Promise.try(() => this.#runs.get(runId));
  }

  updateRun(runId: string, changes: RunChanges): Promise<RunInfo> {
    return Promise.try(() => this.#runs.update(runId, changes));
  }

  searchRuns(options: SearchRunsOptions): Promise<Page<Run>> {
    return Promise.try(() => searchRuns(this.database, options));
  }

  deleteRun(runId: string): Promise<void> {
    return Promise.try(() => this.#runs.delete(runId));
  }

  restoreRun(runId: string): Promise<void> {
    return Promise.try(() => this.#runs.restore(runId));
  }

  logBatch(runId: string, batch: Batch): Promise<void> {
    const { database } = this;
    return Promise.try(() => logBatch({ database, runs: this.#runs, metrics: this.#metrics }, runId, batch));
  }

  deleteTag(runId: string, key: string): Promise<void> {
    return Promise.try(() => this.#runs.deleteTag(runId, key));
  }

  getMetricHistory(runId: string, key: string, options: PageOptions = {}): Promise<Page<Metric>> {
    return Promise.try(() => this.#metrics.history(runId, key, options));
  }

  logInputs(
    runId: string,
    inputs: { readonly datasets?: readonly DatasetInput[]; readonly modelIds?: readonly string[] },
  ): Promise<void> {
    return Promise.try(() => this.#inputs.logInputs(runId, inputs));
  }

  logOutputs(runId: string, models: readonly ModelOutput[]): Promise<void> {
    return Promise.try(() => this.#inputs.logOutputs(runId, models));
  }

  createLoggedModel(options: CreateLoggedModelOptions): Promise<LoggedModel> {
    return Promise.try(() => this.#loggedModels.createLoggedModel(options));
  }

  finalizeLoggedModel(modelId: string, status: "READY" | "FAILED"): Promise<LoggedModel> {
    return Promise.try(() => this.#loggedModels.finalizeLoggedModel(modelId, status));
  }

  getLoggedModel(modelId: string): Promise<LoggedModel> {
    return Promise.try(() => this.#loggedModels.getLoggedModel(modelId));
  }

  deleteLoggedModel(modelId: string): Promise<void> {
    return Promise.try(() => this.#loggedModels.deleteLoggedModel(modelId));
  }

  searchLoggedModels(options: SearchLoggedModelsOptions): Promise<Page<LoggedModel>> {
    return Promise.try(() => this.#loggedModels.searchLoggedModels(options));
  }

  setLoggedModelTags(modelId: string, tags: Tags): Promise<void> {
    return Promise.try(() => this.#loggedModels.setLoggedModelTags(modelId, tags));
  }

  deleteLoggedModelTag(modelId: string, key: string): Promise<void> {
    return Promise.try(() => this.#loggedModels.deleteLoggedModelTag(modelId, key));
  }

  logLoggedModelParams(modelId: string, params: Tags): Promise<void> {
    return Promise.try(() => this.#loggedModels.logLoggedModelParams(modelId, params));
  }

  logSpans(
    experimentId: string,
    spans: readonly TraceSpanInput[],
    options: LogSpansOptions = {},
  ): Promise<void> {
    return Promise.try(() => logSpans(this.database, experimentId, { spans, options }));
  }

  async getTrace(traceId: string): Promise<Trace> {
    const trace = await Promise.try(() => this.#traces.get(traceId));
    if (trace.spans.length > 0 || trace.info.tags[TRACE_KEYS.spansLocation] === TRACKING_STORE) return trace;
    return { info: trace.info, spans: await readArtifactSpans(trace.info, (uri) => this.artifacts(uri)) };
  }

  searchTraces(options: SearchTracesOptions): Promise<Page<TraceInfo>> {
    return Promise.try(() => searchTraces(this.database, options));
  }

  setTraceTag(traceId: string, tag: { readonly key: string; readonly value: string }): Promise<void> {
    return Promise.try(() => this.#traces.setTag(traceId, tag));
  }

  deleteTraceTag(traceId: string, key: string): Promise<void> {
    return Promise.try(() => this.#traces.deleteTag(traceId, key));
  }

  deleteTraces(options: DeleteTracesOptions): Promise<number> {
    return Promise.try(() => this.#traces.delete(options));
  }

  linkTracesToRun(runId: string, traceIds: readonly string[]): Promise<void> {
    return Promise.try(() => this.#traces.linkToRun(runId, traceIds));
  }

  logFeedback(traceId: string, feedback: LogFeedbackOptions): Promise<Assessment> {
    return Promise.try(() => this.#assessments.logFeedback(traceId, feedback));
  }

  logExpectation(traceId: string, expectation: LogExpectationOptions): Promise<Assessment> {
    return Promise.try(() => this.#assessments.logExpectation(traceId, expectation));
  }

  getAssessments(traceId: string): Promise<readonly Assessment[]> {
    return Promise.try(() => this.#assessments.list(traceId));
  }

  deleteAssessment(traceId: string, assessmentId: string): Promise<void> {
    return Promise.try(() => this.#assessments.delete(traceId, assessmentId));
  }

  /**
   * The files under an artifact URI. Those that a local `mlflow server` on the same database keeps behind
   * `mlflow-artifacts:` are found in `mlartifacts` beside it.
   *
   * @param uri A path, or a `file:` or `mlflow-artifacts:` URI.
   * @returns The repository.
   * @throws {TrackingError} If the files are not on this machine.
   */
  artifacts(uri: string): ArtifactRepository {
    return openLocalArtifacts(artifactFolder(uri, resolve(this.database.path, "..")));
  }

  /** Closes the file. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.try(() => this.database.close());
  }
}
