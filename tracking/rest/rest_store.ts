import { openProxyArtifacts } from "../artifacts/mod.ts";
import type { ArtifactRepository } from "../artifact_repository.ts";
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
import type { Assessment, Trace, TraceInfo, TraceSpanInput } from "../trace_entities.ts";
import type {
  DeleteTracesOptions,
  LogExpectationOptions,
  LogFeedbackOptions,
  LogSpansOptions,
  SearchTracesOptions,
} from "../trace_store.ts";
import { RestAssessments } from "./assessments.ts";
import { RestExperiments } from "./experiments.ts";
import { MlflowHttp, type MlflowHttpOptions } from "./http.ts";
import { sendSpans } from "./log_spans.ts";
import { RestLoggedModels } from "./logged_models.ts";
import { RestRuns } from "./runs.ts";
import { RestTraces } from "./traces.ts";

/** Options for {@linkcode RestStore}. */
export type RestStoreOptions = MlflowHttpOptions;

/**
 * A genuine MLflow tracking server, spoken to by its REST API, artifacts by its proxy.
 *
 * Credentials, certificates, retries and time limits come from MLflow's own environment variables, which are read at
 * each request, and from `~/.mlflow/credentials`. On a server of MLflow 2, whatever is about logged models rejects with
 * `ENDPOINT_NOT_FOUND`.
 */
export class RestStore implements TrackingStore {
  readonly #http: MlflowHttp;
  readonly #experiments: RestExperiments;
  readonly #runs: RestRuns;
  readonly #loggedModels: RestLoggedModels;
  readonly #traces: RestTraces;
  readonly #assessments: RestAssessments;

  /**
   * Opens a store; nothing is sent yet.
   *
   * @param uri The tracking URI: `http:` or `https:`, perhaps with name and password, perhaps with a path.
   * @param options How to send requests.
   * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if the URI is no such one.
   */
  constructor(uri: string, options: RestStoreOptions = {}) {
    this.#http = new MlflowHttp(uri, options);
    this.#experiments = new RestExperiments(this.#http);
    this.#runs = new RestRuns(this.#http);
    this.#loggedModels = new RestLoggedModels(this.#http);
    this.#traces = new RestTraces(this.#http, (uri) => this.artifacts(uri));
    this.#assessments = new RestAssessments(this.#http);
  }

  /** URI of the server, without secrets. */
  get uri(): string {
    return this.#http.uri;
  }

  createExperiment(options: CreateExperimentOptions): Promise<string> {
    return this.#experiments.create(options);
  }

  getExperiment(experimentId: string): Promise<Experiment> {
    return this.#experiments.get(experimentId);
  }

  getExperimentByName(name: string): Promise<Experiment | undefined> {
    return this.#experiments.getByName(name);
  }

  searchExperiments(options: SearchExperimentsOptions = {}): Promise<Page<Experiment>> {
    return this.#experiments.search(options);
  }

  renameExperiment(experimentId: string, newName: string): Promise<void> {
    return this.#experiments.rename(experimentId, newName);
  }

  deleteExperiment(experimentId: string): Promise<void> {
    return this.#experiments.delete(experimentId);
  }

  restoreExperiment(experimentId: string): Promise<void> {
    return this.#experiments.restore(experimentId);
  }

  setExperimentTags(experimentId: string, tags: Tags): Promise<void> {
    return this.#experiments.setTags(experimentId, tags);
  }

  deleteExperimentTag(experimentId: string, key: string): Promise<void> {
    return this.#experiments.deleteTag(experimentId, key);
  }

  createRun(options: CreateRunOptions): Promise<Run> {
    return this.#runs.create(options);
  }

  getRun(runId: string): Promise<Run> {
    return this.#runs.get(runId);
  }

  updateRun(runId: string, changes: RunChanges): Promise<RunInfo> {
    return this.#runs.update(runId, changes);
  }

  searchRuns(options: SearchRunsOptions): Promise<Page<Run>> {
    return this.#runs.search(options);
  }

  deleteRun(runId: string): Promise<void> {
    return this.#runs.delete(runId);
  }

  restoreRun(runId: string): Promise<void> {
    return this.#runs.restore(runId);
  }

  logBatch(runId: string, batch: Batch): Promise<void> {
    return this.#runs.logBatch(runId, batch);
  }

  deleteTag(runId: string, key: string): Promise<void> {
    return this.#runs.deleteTag(runId, key);
  }

  getMetricHistory(runId: string, key: string, options: PageOptions = {}): Promise<Page<Metric>> {
    return this.#runs.getMetricHistory(runId, key, options);
  }

  logInputs(
    runId: string,
    inputs: { readonly datasets?: readonly DatasetInput[]; readonly modelIds?: readonly string[] },
  ): Promise<void> {
    return this.#runs.logInputs(runId, inputs);
  }

  logOutputs(runId: string, models: readonly ModelOutput[]): Promise<void> {
    return this.#runs.logOutputs(runId, models);
  }

  createLoggedModel(options: CreateLoggedModelOptions): Promise<LoggedModel> {
    return this.#loggedModels.create(options);
  }

  finalizeLoggedModel(modelId: string, status: "READY" | "FAILED"): Promise<LoggedModel> {
    return this.#loggedModels.finalize(modelId, status);
  }

  getLoggedModel(modelId: string): Promise<LoggedModel> {
    return this.#loggedModels.get(modelId);
  }

  deleteLoggedModel(modelId: string): Promise<void> {
    return this.#loggedModels.delete(modelId);
  }

  searchLoggedModels(options: SearchLoggedModelsOptions): Promise<Page<LoggedModel>> {
    return this.#loggedModels.search(options);
  }

  setLoggedModelTags(modelId: string, tags: Tags): Promise<void> {
    return this.#loggedModels.setTags(modelId, tags);
  }

  deleteLoggedModelTag(modelId: string, key: string): Promise<void> {
    return this.#loggedModels.deleteTag(modelId, key);
  }

  logLoggedModelParams(modelId: string, params: Tags): Promise<void> {
    return this.#loggedModels.logParams(modelId, params);
  }

  logSpans(
    experimentId: string,
    spans: readonly TraceSpanInput[],
    options: LogSpansOptions = {},
  ): Promise<void> {
    return sendSpans(this.#http, experimentId, { spans, options });
  }

  getTrace(traceId: string): Promise<Trace> {
    return this.#traces.get(traceId);
  }

  searchTraces(options: SearchTracesOptions): Promise<Page<TraceInfo>> {
    return this.#traces.search(options);
  }

  setTraceTag(traceId: string, tag: { readonly key: string; readonly value: string }): Promise<void> {
    return this.#traces.setTag(traceId, tag);
  }

  deleteTraceTag(traceId: string, key: string): Promise<void> {
    return this.#traces.deleteTag(traceId, key);
  }

  deleteTraces(options: DeleteTracesOptions): Promise<number> {
    return this.#traces.delete(options);
  }

  linkTracesToRun(runId: string, traceIds: readonly string[]): Promise<void> {
    return this.#traces.linkToRun(runId, traceIds);
  }

  logFeedback(traceId: string, feedback: LogFeedbackOptions): Promise<Assessment> {
    return Promise.try(() => this.#assessments.logFeedback(traceId, feedback));
  }

  logExpectation(traceId: string, expectation: LogExpectationOptions): Promise<Assessment> {
    return Promise.try(() => this.#assessments.logExpectation(traceId, expectation));
  }

  async getAssessments(traceId: string): Promise<readonly Assessment[]> {
    return (await this.#traces.getInfo(`get assessments of trace "${traceId}"`, traceId)).assessments;
  }

  deleteAssessment(traceId: string, assessmentId: string): Promise<void> {
    return this.#assessments.delete(traceId, assessmentId);
  }

  artifacts(uri: string): ArtifactRepository {
    return openProxyArtifacts(uri, this.#http);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#http[Symbol.dispose]();
    return Promise.resolve();
  }
}
