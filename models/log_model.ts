import { join } from "@std/path";
import { openModelRegistry, registerModel } from "../registry/mod.ts";
import { checkName } from "../registry/names.ts";
import {
  activeExperimentId,
  type ActiveRun,
  activeRun,
  type ArtifactRepository,
  contextTags,
  getRegistryUri,
  getTrackingStore,
  type LoggedModel,
  type OnProgress,
  type Tags,
  TrackingError,
  type TrackingStore,
} from "../tracking/mod.ts";
import type { ModelConfigValues } from "../model_config.ts";
import { ChatModelError } from "../types/mod.ts";
import { FAILURE_TAG } from "./locate_model.ts";
import type { ModelInfo } from "./model_info.ts";
import { checkOptions, type OptionNames } from "./_check_options.ts";
import { callback, text, textsByName } from "./_option_checks.ts";
import { checkModel, type ModelIdentity, SAVE_OPTIONS, type SaveModelOptions, writeModel } from "./save_model.ts";
import { writeFolder } from "./_write_folder.ts";

/** Options for {@linkcode logModel}. */
export interface LogModelOptions extends SaveModelOptions {
  /** Name of the logged model, without any of `/ : . % " '`. */
  readonly name: string;
  /** Experiment that it belongs to. Default: the active run's, else the one that a run started now would belong to. */
  readonly experimentId?: string;
  /** Tags of the logged model. */
  readonly tags?: Tags;
  /** Parameters of the logged model, beside those of the active run. */
  readonly params?: Tags;
  /** Kind of model, for people. */
  readonly modelType?: string;
  /** Registers it as the next version of this name. */
  readonly registeredModelName?: string;
  /** Told how far the upload is. */
  readonly onProgress?: OnProgress;
}

const LOG_OPTIONS: OptionNames<LogModelOptions> = {
  ...SAVE_OPTIONS,
  name: text,
  experimentId: text,
  tags: textsByName,
  params: textsByName,
  modelType: text,
  registeredModelName: text,
  onProgress: callback,
};

/** A model as it was logged. */
export interface LoggedModelInfo extends ModelInfo {
  /** Experiment that it belongs to. */
  readonly experimentId: string;
  /** Version that it was registered as, if it was. */
  readonly registeredModelVersion?: string;
  /** What may not work on another machine, and what could not be noted beside the model. */
  readonly warnings: readonly string[];
}

/**
 * Logs a model: writes it as {@linkcode saveModel} does, into the store that runs go to, and links it to the active run
 * if there is one. Without an active run none is made.
 *
 * What can be checked before is: an option, a file or a permission that is wrong leaves nothing in the store. A model
 * that fails later, such as one that refuses its example, is kept there as `FAILED`, as MLflow does it, with the reason
 * in its tag `chatmodel.failure`. If the process is killed meanwhile, the model stays `PENDING` and is never loaded;
 * files that it has left are removed by a later log into the same experiment.
 *
 * On a server that is too old for logged models (MLflow 2), it is put among the active run's artifacts instead.
 *
 * @param options The model, its name, and what goes with it.
 * @returns What was logged; its `modelUri` is what `loadModel` takes.
 * @throws {ChatModelError} As `saveModel` does, a `ValidationError` among them.
 * @throws {TrackingError} As the store does.
 */
export async function logModel(options: LogModelOptions): Promise<LoggedModelInfo> {
  return await log(checkOptions("log model", options, LOG_OPTIONS));
}

async function log(options: LogModelOptions): Promise<LoggedModelInfo> {
  const { name, registeredModelName, signal } = options;
  signal?.throwIfAborted();
  checkLoggedName(name);
  if (registeredModelName !== undefined) checkName(`log model "${name}" as a registered one`, registeredModelName);
  await checkModel(options);
  const run = activeRun();
  const store = run?.store ?? getTrackingStore();
  const experimentId = options.experimentId ?? run?.info.experimentId ?? await activeExperimentId();
  const model = await create(store, experimentId, run, options);
  const logged = model === undefined
    ? await logToRun(store, run, options)
    : await logToModel(store, model, run, options);
  const warnings = [...logged.warnings, ...run === undefined ? [] : await logConfig(run, logged.modelConfig)];
  if (registeredModelName === undefined) return { ...logged, warnings, experimentId };
  await using registry = openModelRegistry(getRegistryUri());
  const { version } = await registerModel(logged.modelUri, registeredModelName, {
    store,
    registry,
    ...(signal !== undefined && { signal }),
  });
  return { ...logged, warnings, experimentId, registeredModelVersion: version };
}

/**
 * Refuses a logged model's name that is none, as servers do that know logged models: anything else is a path, and may
 * lead elsewhere.
 *
 * @param name The name.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE`.
 */
export function checkLoggedName(name: string): void {
  if (typeof name === "string" && name.trim() !== "" && !/[/:.%"']/.test(name)) return;
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot log model "${name}": its name must be without any of / : . % " ', and not empty`,
    { param: "name" },
  );
}

/** The logged model, yet without files; `undefined` where the server has no such thing. */
async function create(
  store: TrackingStore,
  experimentId: string,
  run: ActiveRun | undefined,
  options: LogModelOptions,
): Promise<LoggedModel | undefined> {
  const { name, tags = {}, params = {}, modelType } = options;
  const data = run && (await store.getRun(run.info.runId)).data;
  try {
    return await store.createLoggedModel({
      experimentId,
      name,
      // As MLflow's client does: a model is found by what its run was about.
      params: { ...data?.params, ...params },
      tags: { ...contextTags(), ...tags },
      ...(run !== undefined && { sourceRunId: run.info.runId }),
      ...(modelType !== undefined && { modelType }),
    });
  } catch (error) {
    if (error instanceof TrackingError && error.errorCode === "ENDPOINT_NOT_FOUND") return undefined;
    throw error;
  }
}

async function logToModel(
  store: TrackingStore,
  model: LoggedModel,
  run: ActiveRun | undefined,
  options: LogModelOptions,
): Promise<ModelInfo & { readonly warnings: readonly string[] }> {
  const { modelId, artifactLocation } = model;
  const modelUri = `models:/${modelId}`;
  try {
    if (run !== undefined) await store.logOutputs(run.info.runId, [{ modelId, step: 0 }]);
    const written = await writeTo(store.artifacts(artifactLocation), options, {
      modelUri,
      modelId,
      name: model.name,
      artifactPath: artifactLocation,
      ...(run !== undefined && { runId: run.info.runId }),
    });
    await store.finalizeLoggedModel(modelId, "READY");
    return written;
  } catch (error) {
    // What went wrong first tells more than what may go wrong here: that the model never became ready is seen anyway.
    await store.setLoggedModelTags(modelId, { [FAILURE_TAG]: failureOf(error, options.signal) }).catch(() => {});
    await store.finalizeLoggedModel(modelId, "FAILED").catch(() => {});
    throw error;
  }
}

/** Characters of a reason that are kept: less than any store takes. */
const LONGEST_REASON = 1_000;

/** Why a model could not be logged, for the store. What a model throws may hold what it works with: it stays here. */
function failureOf(error: unknown, signal: AbortSignal | undefined): string {
  if (signal?.aborted) return "Aborted";
  const reason = ChatModelError.isInstance(error)
    ? error.message
    : `The model's code failed with ${error instanceof Error ? error.name : typeof error}`;
  return reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON)}…`;
}

async function logToRun(
  store: TrackingStore,
  run: ActiveRun | undefined,
  options: LogModelOptions,
): Promise<ModelInfo & { readonly warnings: readonly string[] }> {
  if (run === undefined) {
    throw new TrackingError(
      "ENDPOINT_NOT_FOUND",
      `Cannot log model "${options.name}": the server at ${store.uri} is too old for models outside of runs. ` +
        "Log it in a run, by startRun(), or use MLflow 3",
    );
  }
  const { runId, artifactUri } = run.info;
  const { name } = options;
  const artifactPath = `${artifactUri.replace(/\/+$/, "")}/${name}`;
  const written = await writeTo(store.artifacts(artifactPath), options, {
    modelUri: `runs:/${runId}/${name}`,
    name,
    runId,
    artifactPath,
  });
  const lost = (["tags", "params", "modelType"] as const).filter((key) => options[key] !== undefined);
  if (lost.length === 0) return written;
  const warning = `Not kept, as the server at ${store.uri} is too old for logged models: ${lost.join(", ")}`;
  return { ...written, warnings: [...written.warnings, warning] };
}

/** Writes the model where it is to be, or writes it here and brings it there. */
async function writeTo(
  repository: ArtifactRepository,
  options: LogModelOptions,
  identity: ModelIdentity,
): Promise<ModelInfo & { readonly warnings: readonly string[] }> {
  const { signal, onProgress } = options;
  if (repository.localPath !== undefined) {
    return await writeFolder(repository.localPath, (folder) => writeModel(folder, options, identity), {
      signal,
      // Beside the folders of all models: there the next log finds what a killed one has left.
      staging: join(repository.localPath, "..", ".."),
    });
  }
  const parent = await Deno.makeTempDir({ prefix: "chat-model-" });
  try {
    const folder = join(parent, "model");
    await Deno.mkdir(folder);
    const written = await writeModel(folder, options, identity);
    await repository.upload(folder, "", { ...(signal && { signal }), ...(onProgress && { onProgress }) });
    return written;
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/**
 * The configuration as params of the run, as MLflow logs it: nested keys with `/` between them. A run has each param
 * once: of a second model with other values what is left out is told. So is what the store refuses: the model is there
 * by now, and worth more than its params.
 */
async function logConfig(run: ActiveRun, config: ModelConfigValues | undefined): Promise<string[]> {
  if (config === undefined) return [];
  const { params: known } = (await run.store.getRun(run.info.runId)).data;
  const params = flatten(config, "");
  const warnings: string[] = [];
  const taken = params.filter(([name, value]) => Object.hasOwn(known, name) && known[name] !== value);
  const fresh = params.filter(([name]) => !Object.hasOwn(known, name));
  for (let start = 0; start < fresh.length; start += LARGEST_BATCH) {
    warnings.push(...await logParams(run, fresh.slice(start, start + LARGEST_BATCH)));
  }
  if (taken.length === 0) return warnings;
  const names = taken.map(([name]) => `"${name}"`).join(", ");
  return [
    ...warnings,
    `The run has params ${names} with other values already: the model's are in its configuration only`,
  ];
}

/** Logs params; gives a warning for each that is refused. */
async function logParams(run: ActiveRun, params: readonly [string, string][]): Promise<string[]> {
  try {
    await run.store.logBatch(run.info.runId, { params: Object.fromEntries(params) });
    return [];
  } catch (error) {
    if (!(error instanceof TrackingError)) throw error;
    const [first, ...others] = params;
    if (first === undefined) return [];
    if (others.length === 0) return [`"${first[0]}" of modelConfig is no param of the run: ${error.message}`];
    // One that is refused, such as a prompt that is too long, takes all of its batch with it.
    const results: string[] = [];
    for (const param of params) results.push(...await logParams(run, [param]));
    return results;
  }
}

/** Params that MLflow takes at once. */
const LARGEST_BATCH = 100;

function flatten(values: ModelConfigValues, path: string): [string, string][] {
  return Object.entries(values).flatMap(([key, value]): [string, string][] => {
    const here = path === "" ? key : `${path}/${key}`;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return flatten(Object.fromEntries(Object.entries(value)), here);
    }
    return [[here, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}
