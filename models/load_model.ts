import { basename, dirname, join, resolve } from "@std/path";
import type { ChatModel } from "../chat_model.ts";
import { CustomModel } from "../custom_model.ts";
import { type CallLimits, loadChatModel, type LoadedChatModel, type ModelEquipment } from "../loaded_chat_model.ts";
import type { ModelSignature } from "../signature/mod.ts";
import { loadCustomModel, type LoadedCustomModel } from "../loaded_custom_model.ts";
import type { ModelConfigValues } from "../model_config.ts";
import type { TransferOptions } from "../tracking/mod.ts";
import { ChatModelError, ValidationError } from "../types/mod.ts";
import { discardModel } from "./_cache.ts";
import { checkOptions, type OptionNames } from "./_check_options.ts";
import { abortSignal, callback, oneOf, text } from "./_option_checks.ts";
import { layeredConfig } from "./config_layers.ts";
import { type DenoFlavor, MLMODEL, type MlmodelFile, parseMlmodel } from "./mlmodel_file.ts";
import { importModelFile, modelFileName } from "./model_file.ts";
import { type LocatedModel, locateModel } from "./locate_model.ts";
import type { ModelPermissions } from "./permissions.ts";
import { importSandboxed, readSandboxOptions, sandboxOption, type SandboxOptions } from "./sandbox/mod.ts";
import { verifySources } from "./_source_files.ts";

/** Options for {@linkcode loadModel}. */
export interface LoadModelOptions extends CallLimits, TransferOptions {
  /**
   * Which kind of model is expected: a `ChatModel`, a `CustomModel`, or either.
   *
   * @default {"chat"}
   */
  readonly kind?: "chat" | "custom" | "any";
  /**
   * Configuration in place of what was logged: only keys that were logged. Over it stands nothing; under it the
   * variables `MLFLOW_PYFUNC_INFERENCE_CONFIG` and `SERVING_MODEL_CONFIG` (JSON), as far as the environment may be read,
   * and {@linkcode LoadModelOptions.modelConfigFile}. The path of a YAML or JSON file is taken as that option.
   */
  readonly modelConfig?: ModelConfigValues | string;
  /**
   * Path of a YAML or JSON file of configuration, over what was logged, under those variables and
   * {@linkcode LoadModelOptions.modelConfig}: for where both a file and values are given.
   */
  readonly modelConfigFile?: string;
  /** Name that answers carry as `model`. Default: the registered model's, else the logged one's, else the file's. */
  readonly name?: string;
  /**
   * Runs the model's code in a worker of its own, which may do only what its package declares, and ends alone when the
   * code crashes or loops for ever. Deno must be started with `--unstable-worker-options`, or have `worker-options` in
   * its configuration's `unstable`. How much memory the worker takes cannot be bounded: a model that takes all ends the
   * process. Nor does Deno stop the thread of a worker that loops: it is replaced, but takes a core until its loop ends.
   *
   * @default {false}
   */
  readonly sandbox?: boolean | SandboxOptions;
}

const LOAD_OPTIONS: OptionNames<LoadModelOptions> = {
  kind: oneOf("chat", "custom", "any"),
  modelConfig: true,
  modelConfigFile: text,
  name: text,
  sandbox: sandboxOption,
  firstTokenTimeout: true,
  idleTimeout: true,
  timeout: true,
  signal: abortSignal,
  onProgress: callback,
};

/**
 * Loads a model by URI: brings its files to this machine if need be, makes sure that they are what was saved, imports
 * its code and calls its `loadContext`. A model that is made of others loads them in its `loadContext`: its file must
 * not wait for them while it is imported.
 *
 * | URI                                                | what it names                            |
 * | -------------------------------------------------- | ---------------------------------------- |
 * | `models:/name@alias`, `models:/name/3`, `/latest`  | a version of a registered model          |
 * | `models:/m-…`                                      | a logged model                           |
 * | `runs:/id/path`                                    | a model among a run's artifacts          |
 * | `mlflow-artifacts:/…`                              | files behind a tracking server           |
 * | a folder, or `file:`                               | a folder that `saveModel` wrote          |
 * | a `.ts` or `.js` file                              | a model that was not saved               |
 *
 * The hashes that files are checked by are in the folder's `MLmodel`. It has none itself, as MLflow's own tools may
 * change it: so they tell damage, and a change of the code alone. Whoever may write to the folder can change both, so only
 * load a model from where you trust those who may write.
 *
 * @param uri The URI or path.
 * @param options What is expected, configuration, limits.
 * @returns The model, ready for use.
 * @throws {ChatModelError} With code `model_changed` if a file is not what was saved, `python_model` if it is one of
 * MLflow's Python models, `model_not_found` if there are no files (also of a logged model that is `PENDING` or `FAILED`),
 * `wrong_model_kind`, `invalid_model_config`, `invalid_mlmodel` or `invalid_model_file`. What `loadContext` throws is
 * handed on.
 * @throws {ValidationError} If an option is none, or has a value that cannot be.
 * @throws {TrackingError} If there is no such model, or the store cannot be reached.
 */
export function loadModel(
  uri: string,
  options?: LoadModelOptions & { readonly kind?: "chat" },
): Promise<LoadedChatModel>;
/**
 * Loads a custom model by URI.
 *
 * @param uri The URI or path.
 * @param options What is expected, configuration, limits.
 * @returns The model, ready for use.
 */
export function loadModel(
  uri: string,
  options: LoadModelOptions & { readonly kind: "custom" },
): Promise<LoadedCustomModel>;
/**
 * Loads a model of either kind by URI.
 *
 * @param uri The URI or path.
 * @param options What is expected, configuration, limits.
 * @returns The model, ready for use: `LoadedChatModel.isInstance` tells which it is.
 */
export function loadModel(
  uri: string,
  options: LoadModelOptions,
): Promise<LoadedChatModel | LoadedCustomModel>;
export async function loadModel(
  uri: string,
  given: LoadModelOptions = {},
): Promise<LoadedChatModel | LoadedCustomModel> {
  const options = checkOptions("load model", given, LOAD_OPTIONS);
  const found = await locateModel(uri, options);
  if (found.kind === "file") {
    const config = await layeredConfig(layersOf(options));
    const name = options.name ?? modelFileName(found.path);
    const { path } = found;
    const { permissions = {} } = readSandboxOptions(options.sandbox) ?? {};
    const imported = await importModel({ path, folder: dirname(resolve(path)), name, permissions }, options);
    return await load(imported, { uri, options, name, equipment: { modelConfig: config } });
  }
  try {
    return await loadFolder(found, { ...options, uri });
  } catch (error) {
    if (found.isKept !== true || !ChatModelError.isInstance(error) || error.code !== "model_changed") throw error;
    // A download that someone changed: brought anew, once.
    await discardModel(found.path);
    const fresh = await locateModel(uri, options);
    if (fresh.kind === "file") throw error;
    return await loadFolder(fresh, { ...options, uri });
  }
}

/** Loads a folder that `saveModel` wrote. */
async function loadFolder(
  { path: folder, name: registered, version, modelId: located }: Extract<LocatedModel, { readonly kind: "folder" }>,
  options: LoadModelOptions & { readonly uri: string },
): Promise<LoadedChatModel | LoadedCustomModel> {
  const { uri, signal } = options;
  const file = parseMlmodel(await readMlmodel(folder, uri), uri);
  const deno = runnable(file, uri);
  await verifySources(folder, deno.files, { signal });
  const config = await layeredConfig({ logged: file.config ?? {}, ...layersOf(options) });
  const artifacts = Object.entries(file.artifacts).map(([name, { path }]) => [name, join(folder, path)]);
  const name = options.name ?? registered ?? deno.name ?? basename(resolve(folder));
  if (readSandboxOptions(options.sandbox)?.permissions !== undefined) {
    throw new ValidationError("Cannot load model", [{
      path: "sandbox.permissions",
      message:
        "cannot be given for a logged model: its package says what it may do. Leave it out, or log the model anew",
    }]);
  }
  // A version may be registered whose source is a path: the package itself then says what it was logged as.
  const modelId = located ?? file.modelId;
  const path = join(folder, deno.modelPath);
  const source = { path, folder: resolve(folder), name, permissions: deno.permissions };
  const imported = await importModel(source, options, { isolated: true });
  return await load(imported, {
    uri,
    options,
    name,
    equipment: {
      modelConfig: config,
      artifacts: Object.fromEntries(artifacts),
      origin: {
        uri,
        ...(modelId !== undefined && { modelId }),
        ...(registered !== undefined && { registeredName: registered }),
        ...(version !== undefined && { registeredVersion: version }),
      },
    },
    ...(file.signature !== undefined && { signature: file.signature }),
  });
}

/** A model's code, imported. */
interface Imported {
  readonly model: ChatModel | CustomModel;
  /** Ends its sandbox, if it has one. */
  readonly stop?: () => void;
}

interface ModelSource {
  readonly path: string;
  readonly folder: string;
  readonly name: string;
  readonly permissions: ModelPermissions;
}

async function importModel(
  source: ModelSource,
  options: LoadModelOptions,
  { isolated = false }: { readonly isolated?: boolean } = {},
): Promise<Imported> {
  const sandbox = readSandboxOptions(options.sandbox);
  if (sandbox === undefined) return { model: await importModelFile(source.path, { isolated }) };
  const { unresponsiveAfter, signal } = sandbox;
  return await importSandboxed({
    ...source,
    path: resolve(source.path),
    unresponsiveAfter,
    ...(signal !== undefined && { signal }),
    ...(options.signal !== undefined && { loading: options.signal }),
  });
}

async function readMlmodel(folder: string, uri: string): Promise<string> {
  try {
    return await Deno.readTextFile(join(folder, MLMODEL));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ChatModelError(
      `Cannot load model "${uri}": it has no file "${MLMODEL}". Name a folder that saveModel() or logModel() wrote`,
      { code: "invalid_mlmodel", cause },
    );
  }
}

function runnable(file: MlmodelFile, uri: string): DenoFlavor {
  if (file.deno !== undefined) return file.deno;
  const loader = file.loaderModule === undefined ? "" : ` (its loader is "${file.loaderModule}")`;
  throw new ChatModelError(
    `Cannot load model "${uri}": it is a Python model of MLflow's${loader}, and Python code cannot be run here. ` +
      "Serve it by 'mlflow models serve', or write it anew as a ChatModel; getModelInfo() reads what is known of it",
    { code: "python_model" },
  );
}

function layersOf({ modelConfig, modelConfigFile }: LoadModelOptions) {
  if (typeof modelConfig !== "string") {
    return {
      ...(modelConfigFile !== undefined && { file: modelConfigFile }),
      ...(modelConfig !== undefined && { call: modelConfig }),
    };
  }
  if (modelConfigFile === undefined) return { file: modelConfig };
  throw new ValidationError("Cannot load model", [{
    path: "modelConfigFile",
    message: "cannot be given beside a file as modelConfig: name one file, or give the values",
  }]);
}

interface Loading {
  readonly uri: string;
  readonly options: LoadModelOptions;
  readonly name: string;
  readonly equipment: ModelEquipment;
  readonly signature?: ModelSignature;
}

async function load(
  { model, stop }: Imported,
  loading: Loading,
): Promise<LoadedChatModel | LoadedCustomModel> {
  try {
    return await makeReady({ model, ...(stop !== undefined && { stop }) }, loading);
  } catch (error) {
    stop?.();
    throw error;
  }
}

async function makeReady(
  { model, stop }: Imported,
  { uri, options, name, equipment, signature }: Loading,
): Promise<LoadedChatModel | LoadedCustomModel> {
  const { kind = "chat", firstTokenTimeout, idleTimeout, timeout, signal } = options;
  const isCustom = CustomModel.isInstance(model);
  if (kind !== "any" && isCustom !== (kind === "custom")) {
    const found = isCustom ? "custom" : "chat";
    throw new ChatModelError(
      `Cannot load model "${uri}": it is a ${found} model, and a ${kind} model is expected. ` +
        `Write loadModel(uri, { kind: "${found}" })`,
      { code: "wrong_model_kind" },
    );
  }
  const common = {
    ...equipment,
    name,
    ...(firstTokenTimeout !== undefined && { firstTokenTimeout }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(timeout !== undefined && { timeout }),
    ...(signal !== undefined && { signal }),
    ...(stop !== undefined && { onDispose: stop }),
  };
  if (!isCustom) return await loadChatModel(model, common);
  return await loadCustomModel(model, { ...common, ...(signature !== undefined && { signature }) });
}
