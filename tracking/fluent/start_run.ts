import { readVariable } from "../_environment.ts";
import { userName } from "../_user_name.ts";
import { TrackingError } from "../errors.ts";
import type { ActiveRun } from "./active_run.ts";
import { activeExperimentId, chosenExperimentId } from "./experiment.ts";
import { OpenRun } from "./_open_run.ts";
import { currentRun, enterScope, runInScope } from "./_scope.ts";
import { getTrackingUri, storeAt } from "./settings.ts";
import { type LoggableValue, toTags } from "./_values.ts";

const DESCRIPTION = "mlflow.note.content";

/** Options for {@linkcode startRun}. */
export interface StartRunOptions {
  /** Name for people. Default: an invented one. */
  readonly runName?: string;
  /** Whether the run may be a child of the active one. @default {false} */
  readonly nested?: boolean;
  /** Tags. */
  readonly tags?: { readonly [key: string]: LoggableValue };
  /** Text for people, as Markdown: the tag `mlflow.note.content`. */
  readonly description?: string;
  /**
   * Experiment that it belongs to. Default: its parent's, else the one of `setExperiment`, else that of
   * `MLFLOW_EXPERIMENT_NAME` or `MLFLOW_EXPERIMENT_ID`, else "Default".
   */
  readonly experimentId?: string;
  /**
   * A run to go on with: it is `RUNNING` again. Of the other options, name, tags and description are set on it. Default:
   * for the first run that the process starts `MLFLOW_RUN_ID`, else a new one.
   */
  readonly runId?: string;
}

/** Does the work of a run: what it logs goes to the run. */
export type RunCallback<Result> = (run: ActiveRun) => Result | PromiseLike<Result>;

/** Whether `MLFLOW_RUN_ID` has been used: it names one run, not all of them. */
let environmentRunUsed = false;

/**
 * Starts a run and makes it the active one, of the calling task only: tasks that run at the same time do not see each
 * other's runs.
 *
 * With a callback, the run is active in it and in all that it calls, and ends with it: `FINISHED`, or `FAILED` if it
 * throws; what it throws is rethrown as it is. Without one, the run is active in the function that awaits it, and in
 * all that it calls from then on, until it is disposed of or {@linkcode endRun} is called; when the process ends in
 * peace, it ends as `FINISHED`. A function that starts a run for its caller hands it on, or uses the other form, as the
 * caller does not see it as active.
 *
 * @example With a callback
 * ```ts
 * import { closeTracking, logMetric, logParams, searchRuns, setTrackingUri, startRun } from "@chatmodel/chat-model/tracking";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * setTrackingUri(`sqlite:///${folder}/mlflow.db`);
 *
 * await startRun({ runName: "first", experimentId: "0" }, async () => {
 *   await logParams({ model: "llama3.2:1b", temperature: 0.2 });
 *   await logMetric("accuracy", 0.9);
 * });
 *
 * const [run] = await searchRuns({ experimentIds: ["0"], filter: "metrics.accuracy > 0.8" });
 * assertEquals(run?.info.status, "FINISHED");
 * assertEquals(run?.data.params, { model: "llama3.2:1b", temperature: "0.2" });
 * await closeTracking();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @example Until the end of a block
 * ```ts
 * import { closeTracking, logMetric, setTrackingUri, startRun } from "@chatmodel/chat-model/tracking";
 *
 * const folder = await Deno.makeTempDir();
 * setTrackingUri(`sqlite:///${folder}/mlflow.db`);
 * {
 *   await using run = await startRun({ experimentId: "0" });
 *   await logMetric("accuracy", 0.4);
 *   await run.end("FAILED"); // else it is FINISHED at the end of the block
 * }
 * await closeTracking();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param options What run.
 * @returns The run, or what the callback returns.
 * @throws {TrackingError} If a run is active already and `nested` is not set (`INVALID_STATE`), if the run to go on
 *   with is deleted or of another experiment than the chosen one (`INVALID_PARAMETER_VALUE`), or as the store does.
 */
export function startRun(options?: StartRunOptions): Promise<ActiveRun>;
/**
 * Starts a run for the time of a callback.
 *
 * @param callback Does the work.
 * @returns What it returns.
 */
export function startRun<Result>(callback: RunCallback<Result>): Promise<Result>;
/**
 * Starts a run for the time of a callback.
 *
 * @param options What run.
 * @param callback Does the work.
 * @returns What it returns.
 */
export function startRun<Result>(options: StartRunOptions, callback: RunCallback<Result>): Promise<Result>;
export function startRun<Result>(
  first: StartRunOptions | RunCallback<Result> = {},
  callback?: RunCallback<Result>,
): Promise<ActiveRun | Result> {
  if (typeof first === "function") return runCallback({}, first);
  if (callback !== undefined) return runCallback(first, callback);
  // Not in an async function of its own, as the context that is entered must be the caller's.
  const parent = currentRun();
  return open(first, parent, enterScope());
}

async function open(
  options: StartRunOptions,
  parent: OpenRun | undefined,
  fill: (run: OpenRun) => void,
): Promise<ActiveRun> {
  const run = await begin(options, parent);
  fill(run);
  return run;
}

async function runCallback<Result>(options: StartRunOptions, callback: RunCallback<Result>): Promise<Result> {
  const run = await begin(options, currentRun());
  let result: Result;
  try {
    result = await runInScope(run, () => callback(run));
  } catch (error) {
    // What the callback threw says more than what may go wrong now; that the run never ended can be seen in the store.
    await run.end("FAILED").catch(() => {});
    throw error;
  }
  await run.end();
  return result;
}

/**
 * Starts or resumes a run, without making it active.
 *
 * @param options What run.
 * @param parent The active run, if any.
 * @returns The run.
 */
export async function begin(options: StartRunOptions, parent: OpenRun | undefined): Promise<OpenRun> {
  if (parent !== undefined && options.nested !== true) {
    throw new TrackingError(
      "INVALID_STATE",
      `Cannot start a run: run "${parent.info.runId}" is active. End it by endRun(), or start a child of it by ` +
        "startRun({ nested: true }); tasks that run at the same time use startRun(options, callback)",
      { status: 400 },
    );
  }
  if (options.runId !== undefined) return await resume(options.runId, options);
  const environmentRunId = environmentRunUsed ? undefined : readVariable("MLFLOW_RUN_ID");
  if (environmentRunId === undefined) return await create(options, parent);
  environmentRunUsed = true;
  try {
    return await resume(environmentRunId, options);
  } catch (error) {
    environmentRunUsed = false;
    throw error;
  }
}

async function create(options: StartRunOptions, parent: OpenRun | undefined): Promise<OpenRun> {
  const { runName } = options;
  const trackingUri = getTrackingUri();
  const store = storeAt(trackingUri);
  const tags = { ...tagsOf(options), ...(parent && { "mlflow.parentRunId": parent.info.runId }) };
  const parentsExperiment = parent?.trackingUri === trackingUri ? parent.info.experimentId : undefined;
  const experimentId = options.experimentId ?? parentsExperiment ?? await activeExperimentId();
  const run = await store.createRun({
    experimentId,
    ...(runName !== undefined && { runName }),
    userId: userName(),
    tags,
  });
  return new OpenRun(run, trackingUri);
}

async function resume(runId: string, options: StartRunOptions): Promise<OpenRun> {
  const { runName } = options;
  const trackingUri = getTrackingUri();
  const store = storeAt(trackingUri);
  const { info } = await store.getRun(runId);
  const experimentId = options.experimentId ?? chosenExperimentId();
  if (experimentId !== undefined && experimentId !== info.experimentId) {
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot resume run "${runId}": it belongs to experiment "${info.experimentId}", but "${experimentId}" is chosen. ` +
        `Choose by setExperiment({ experimentId: "${info.experimentId}" })`,
    );
  }
  if (info.lifecycleStage === "deleted") {
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot resume run "${runId}": it is deleted. Restore it by getTrackingStore().restoreRun("${runId}")`,
    );
  }
  const tags = tagsOf(options);
  await store.updateRun(runId, { status: "RUNNING", ...(runName !== undefined && { runName }) });
  if (Object.keys(tags).length > 0) await store.logBatch(runId, { tags });
  return new OpenRun(await store.getRun(runId), trackingUri);
}

function tagsOf({ tags = {}, description }: StartRunOptions): { [key: string]: string } {
  if (description === undefined) return toTags(tags);
  if (DESCRIPTION in tags) {
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot start a run: it has both a description and a tag "${DESCRIPTION}", which are the same. Leave one out`,
    );
  }
  return { ...toTags(tags), [DESCRIPTION]: description };
}
