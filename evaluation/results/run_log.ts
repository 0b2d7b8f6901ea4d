import { resolve } from "@std/path";
import { inferColumns, inferSignature } from "../../signature/mod.ts";
import {
  activeExperimentId,
  contextTags,
  type Dataset,
  getTrackingStore,
  type Metric,
  TrackingError,
  type TrackingStore,
} from "../../tracking/mod.ts";
import { canonicalJson, isRecord, sha256 } from "../_canonical_json.ts";
import type { EvaluationConfig } from "../run/config.ts";
import type { JournalRun } from "../run/journal.ts";
import type { EvaluationResult } from "./evaluation_result.ts";
import { assessTraces } from "./assess_traces.ts";
import { TABLE_FILE, tableOf } from "./table.ts";

const METRICS_AT_ONCE = 1000;
const PARAMS_AT_ONCE = 100;
/** Digits of a dataset's digest, as MLflow has them. */
const DIGEST_LENGTH = 8;
const LOGGED_ARTIFACTS = "mlflow.loggedArtifacts";
/** How many rows have a trace that did not come to the store. */
const LOST_TAG = "chatmodel.evaluation.lost_traces";
const DEFAULT_EXPERIMENT_ID = "0";

/** What an evaluation's run is told when it begins. */
export interface RunLogOptions {
  /** The store. Default: the one that runs go to. */
  readonly trackingStore: TrackingStore | undefined;
  /** Name of the experiment. Default: the one that is active. */
  readonly experiment: string | undefined;
  /** Name of the run. */
  readonly runName: string | undefined;
  /** What is evaluated how. */
  readonly config: EvaluationConfig;
  /** Path of the data, if it is in a file. */
  readonly path: string | undefined;
  /** The first row as it stands in the data. */
  readonly example: unknown;
  /** A run that was begun before: it is gone on with, if it is in the same store. */
  readonly before: JournalRun | undefined;
}

/** The run that an evaluation is logged to. */
export class RunLog {
  /** Id of the run. */
  readonly runId: string;
  /** URI of the store. */
  readonly storeUri: string;
  readonly #store: TrackingStore;
  readonly #dataset: Dataset;
  /** The logged model, if this store has it. */
  readonly #modelId: string | undefined;

  private constructor(
    store: TrackingStore,
    { runId, dataset, modelId }: {
      readonly runId: string;
      readonly dataset: Dataset;
      readonly modelId: string | undefined;
    },
  ) {
    this.#store = store;
    this.storeUri = store.uri;
    this.runId = runId;
    this.#dataset = dataset;
    this.#modelId = modelId;
  }

  /**
   * Begins a run, or goes on with one: with its params, its tags, its dataset and its model.
   *
   * @param options What is evaluated, and where the run belongs.
   * @returns The run.
   * @throws {TrackingError} As the store does.
   */
  static async begin(options: RunLogOptions): Promise<RunLog> {
    const { config, before } = options;
    const store = options.trackingStore ?? getTrackingStore();
    const dataset = datasetOf(options);
    const modelId = await knownModel(store, config.model.modelId);
    if (before !== undefined && before.store === store.uri) {
      await store.updateRun(before.runId, { status: "RUNNING" });
      return new RunLog(store, { runId: before.runId, dataset, modelId });
    }
    const { runName } = options;
    const { info } = await store.createRun({
      experimentId: await experimentIdOf(store, options),
      ...(runName !== undefined && { runName }),
      tags: { ...contextTags(), ...tagsOf(config) },
    });
    const log = new RunLog(store, { runId: info.runId, dataset, modelId });
    try {
      const params = Object.entries(paramsOf(config));
      for (let i = 0; i < params.length; i += PARAMS_AT_ONCE) {
        await store.logBatch(info.runId, { params: Object.fromEntries(params.slice(i, i + PARAMS_AT_ONCE)) });
      }
      await store.logInputs(info.runId, {
        datasets: [{ dataset, tags: {} }],
        ...(modelId !== undefined && { modelIds: [modelId] }),
      });
    } catch (error) {
      await log.fail("FAILED");
      throw error;
    }
    return log;
  }

  /** What the spans of rows tell, so that their traces belong to the run and to the model. */
  get spanAttributes(): { readonly [name: string]: string } {
    return {
      "mlflow.sourceRun": this.runId,
      ...(this.#modelId !== undefined && { "mlflow.modelId": this.#modelId }),
    };
  }

  /**
   * Logs scores and expectations to the traces of the rows. How many rows have a trace that did not come to the store is
   * noted in a tag.
   *
   * @param result What the evaluation came to.
   * @param signal Gives up.
   */
  async assess(result: EvaluationResult, signal: AbortSignal): Promise<void> {
    const lost = await assessTraces(this.#store, result, { runId: this.runId, signal });
    if (lost > 0) await this.#store.logBatch(this.runId, { tags: { [LOST_TAG]: String(lost) } });
  }

  /** Logs what the evaluation came to, and ends the run. */
  async finish(result: EvaluationResult): Promise<void> {
    const { runId } = this;
    const { info, data } = await this.#store.getRun(runId);
    await this.#store.artifacts(info.artifactUri).put(TABLE_FILE, await tableOf(result));
    const tables = withTable(data.tags[LOGGED_ARTIFACTS]);
    if (tables !== undefined) await this.#store.logBatch(runId, { tags: { [LOGGED_ARTIFACTS]: tables } });
    const timestamp = Date.now();
    const metrics = Object.entries(result.metrics).map(([key, value]): Metric => ({
      key,
      value,
      timestamp,
      step: 0,
      datasetName: this.#dataset.name,
      datasetDigest: this.#dataset.digest,
      ...(this.#modelId !== undefined && { modelId: this.#modelId }),
    }));
    for (let i = 0; i < metrics.length; i += METRICS_AT_ONCE) {
      await this.#store.logBatch(runId, { metrics: metrics.slice(i, i + METRICS_AT_ONCE) });
    }
    await this.#store.updateRun(runId, { status: "FINISHED", endTime: Date.now() });
  }

  /**
   * Ends the run of an evaluation that failed or was given up.
   *
   * @param status How it ended.
   */
  async fail(status: "FAILED" | "KILLED"): Promise<void> {
    // What ended the evaluation says more than what may go wrong now; that the run never ended can be seen in the store.
    await this.#store.updateRun(this.runId, { status, endTime: Date.now() }).catch(() => {});
  }
}

async function experimentIdOf(store: TrackingStore, { experiment, trackingStore }: RunLogOptions): Promise<string> {
  if (experiment === undefined) {
    return trackingStore === undefined ? await activeExperimentId() : DEFAULT_EXPERIMENT_ID;
  }
  const found = await store.getExperimentByName(experiment);
  if (found !== undefined) return found.experimentId;
  try {
    return await store.createExperiment({ name: experiment });
  } catch (error) {
    // Another process was quicker: theirs is as good.
    if (!(error instanceof TrackingError) || error.errorCode !== "RESOURCE_ALREADY_EXISTS") throw error;
    const made = await store.getExperimentByName(experiment);
    if (made === undefined) throw error;
    return made.experimentId;
  }
}

/** A model may be evaluated in another store than it was logged to: then there is nothing to link to. */
async function knownModel(store: TrackingStore, modelId: string | undefined): Promise<string | undefined> {
  if (modelId === undefined) return undefined;
  try {
    return (await store.getLoggedModel(modelId)).modelId;
  } catch (error) {
    if (error instanceof TrackingError && error.status === 404) return undefined;
    throw error;
  }
}

/** Tags that MLflow gives to the runs of its own `mlflow.genai.evaluate`. */
function tagsOf({ model, scorers }: EvaluationConfig): { readonly [key: string]: string } {
  const digest = { digest: `sha256:${sha256(canonicalJson(scorers))}`, hashed: scorers.length, total: scorers.length };
  return {
    "mlflow.runType": "genai_evaluate",
    "mlflow.genaiEvaluate.agent.function": model.name,
    ...(scorers.length > 0 && { "mlflow.genaiEvaluate.scorersDigest": JSON.stringify(digest) }),
  };
}

function paramsOf(
  { model, dataset, scorers, params, seed, maxTurns }: EvaluationConfig,
): { readonly [key: string]: string } {
  return {
    model: model.name,
    ...(model.uri !== undefined && { model_uri: model.uri }),
    ...(model.modelId !== undefined && { model_id: model.modelId }),
    dataset: dataset.name,
    dataset_digest: dataset.digest.slice(0, DIGEST_LENGTH),
    scorers: scorers.map(({ name }) => name).join(", "),
    ...(seed !== undefined && { seed: String(seed) }),
    ...(maxTurns !== undefined && { max_turns: String(maxTurns) }),
    ...Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        `params.${name}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  };
}

function datasetOf({ config: { dataset }, path, example }: RunLogOptions): Dataset {
  const schema: unknown = JSON.parse(inferSignature(example).inputs ?? "[]");
  return {
    name: dataset.name,
    digest: dataset.digest.slice(0, DIGEST_LENGTH),
    sourceType: path === undefined ? "code" : "local",
    source: JSON.stringify(path === undefined ? { tags: contextTags() } : { uri: resolve(path) }),
    schema: JSON.stringify({ mlflow_colspec: schema }),
    profile: JSON.stringify({ num_rows: dataset.count, num_elements: dataset.count * inferColumns(example).length }),
  };
}

/** The tag that tells MLflow's page which tables a run has; `undefined` if it says so already. */
function withTable(text: string | undefined): string | undefined {
  let noted: unknown;
  try {
    noted = JSON.parse(text ?? "[]");
  } catch {
    noted = []; // Of no use to anyone: written anew.
  }
  const notes: readonly unknown[] = Array.isArray(noted) ? noted : [];
  if (notes.some((note) => isRecord(note) && note.path === TABLE_FILE)) return undefined;
  return JSON.stringify([...notes, { path: TABLE_FILE, type: "table" }]);
}
