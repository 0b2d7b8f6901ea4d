import { basename, resolve } from "@std/path";
import { OllamaChatModel, OllamaClient } from "../adapters/ollama/mod.ts";
import { DemoChatModel } from "../adapters/demo/mod.ts";
import { type CallLimits, loadChatModel } from "../loaded_chat_model.ts";
import { CustomModel } from "../custom_model.ts";
import { loadCustomModel } from "../loaded_custom_model.ts";
import { importModelFile, modelFileName } from "../models/model_file.ts";
import type { LoadedModel, ModelDirectory } from "./directory.ts";
import { reasonOf } from "../models/reason_of.ts";
import { CommandError } from "../_command_error.ts";
import { checkOpenAI, checkUpstreamKey, loadOpenAI, parseOpenAISpec } from "./_openai_spec.ts";
import { pullWithProgress } from "./_pull.ts";
import { ChatModelError } from "../types/mod.ts";

/** What a model is loaded with. */
interface LoadKindOptions extends CallLimits {
  /** Name that it is served under. */
  readonly name: string;
  /** Whether its code runs apart from the server's. */
  readonly sandbox: boolean;
}

/** A kind of model that `--model` can name. */
interface ModelKind {
  /** Whether a spec is of this kind. */
  matches(spec: string): boolean;
  /** Name it is served under, unless told otherwise. */
  name(spec: string): string | Promise<string>;
  /** Whether new versions of it can come up. @default {false} */
  readonly isWatched?: boolean;
  /** Makes the model ready. */
  load(spec: string, options: LoadKindOptions): Promise<LoadedModel>;
  /**
   * Sees to it that the model can answer, as far as that is wanted.
   * Gives what is likely to go wrong; `undefined` if nothing is. It may be right by the time it is asked.
   */
  check?(spec: string, options: LoadSpecsOptions): Promise<string | undefined>;
}

/** The first that matches is taken: files come last, as anything may be the name of a file. */
const KINDS: readonly ModelKind[] = [
  {
    matches: (spec) => spec === "demo",
    name: () => "demo",
    load: (_spec, options) => loadChatModel(DemoChatModel, options),
  },
  {
    matches: (spec) => spec.startsWith("ollama:"),
    name: ollamaName,
    load: (spec, options) =>
      loadChatModel(new OllamaChatModel({ model: ollamaName(spec), client: new OllamaClient() }), options),
    check: checkOllama,
  },
  {
    matches: (spec) => spec.startsWith("openai:"),
    name: (spec) => parseOpenAISpec(spec).model,
    load: loadOpenAI,
    check: (spec) => checkOpenAI(spec),
  },
  {
    matches: (spec) => !CODE.test(spec) && (STORE_URI.test(spec) || isFolder(spec)),
    name: savedName,
    isWatched: true,
    load: loadSaved,
  },
  { matches: () => true, name: modelFileName, isWatched: true, load: loadFile },
];

/** Endings of files that are models themselves. */
const CODE = /\.[mc]?[jt]sx?$/i;

const STORE_URI = /^(?:models|runs|mlflow-artifacts|file):/;

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // Loading it as a file tells what is wrong with it.
  }
}

/** The name that a saved model has by itself, without loading it. */
async function savedName(spec: string): Promise<string> {
  const [, registered] = /^models:\/([^/@]+)[/@]/.exec(spec) ?? [];
  if (registered !== undefined) return decodeURIComponent(registered);
  const { getModelInfo } = await import("../models/mod.ts");
  try {
    return (await getModelInfo(spec)).name ?? basename(resolve(spec));
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    const reason = error.message.replace(/^Cannot tell of model ".*?": /, "");
    throw new CommandError(`Cannot load model "${spec}": ${reason}`, 1, { cause: error });
  }
}

async function loadSaved(spec: string, { sandbox, ...options }: LoadKindOptions): Promise<LoadedModel> {
  // Stores are of no use to most servers, and take time to be loaded.
  const { loadModel } = await import("../models/mod.ts");
  return await loadModel(spec, { ...options, kind: "any", ...(sandbox && { sandbox }) });
}

async function loadFile(spec: string, { sandbox, ...options }: LoadKindOptions): Promise<LoadedModel> {
  if (sandbox) return await loadSaved(spec, { ...options, sandbox });
  const model = await importModelFile(spec);
  // It can read YAML, which takes time to be loaded.
  const { layeredConfig } = await import("../models/config_layers.ts");
  const equipped = { ...options, modelConfig: await layeredConfig({}) };
  return CustomModel.isInstance(model) ? await loadCustomModel(model, equipped) : await loadChatModel(model, equipped);
}

function ollamaName(spec: string): string {
  const name = spec.slice("ollama:".length);
  if (name !== "") return name;
  throw new CommandError('Cannot load model "ollama:": the name is missing. Write it as in ollama:llama3.2:1b', 2);
}

/** Milliseconds in which an Ollama has to show that it has a model. */
const PROBE_TIMEOUT = 3_000;

async function checkOllama(spec: string, { pull }: LoadSpecsOptions): Promise<string | undefined> {
  const model = ollamaName(spec);
  const client = new OllamaClient();
  try {
    await client.show(model, { timeout: PROBE_TIMEOUT });
    return client.warning;
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    if (error.code === "invalid_host") throw new CommandError(error.message, 1, { cause: error });
    if (!pull || error.code !== "model_not_found") return error.message;
  }
  try {
    await pullWithProgress(client, model);
    return undefined;
  } catch (error) {
    throw new CommandError(`Cannot load model "${spec}": ${reasonOf(error)}`, 1, { cause: error });
  }
}

/** Options for {@linkcode loadSpecs}. */
export interface LoadSpecsOptions extends CallLimits {
  /** Whether to have Ollama download models that it lacks. */
  readonly pull: boolean;
  /** Whether to take up new versions. */
  readonly watch: boolean;
  /** Whether the code of files and saved models runs apart from the server's. */
  readonly sandbox: boolean;
  /** Limits of single models. */
  readonly modelLimits: ReadonlyMap<string, CallLimits>;
  /** Milliseconds that calls of an old version get to finish. */
  readonly drainTimeout: number;
  /** Told what happens to models that are watched. */
  readonly onEvent: (message: string) => void;
}

/** Models by name, and what is likely to go wrong with them. */
export interface LoadedSpecs {
  readonly models: ReadonlyMap<string, LoadedModel> | ModelDirectory;
  /** Their names, the default first. */
  readonly names: readonly string[];
  readonly warnings: readonly string[];
  /** Lets go of them. */
  readonly close: () => Promise<void>;
}

/**
 * Loads the models that `--model` names.
 *
 * @throws {CommandError} If a spec is wrong, a name is given twice, or a model cannot be loaded.
 */
export async function loadSpecs(
  specs: readonly string[],
  options: LoadSpecsOptions,
): Promise<LoadedSpecs> {
  const models = new Map<string, LoadedModel | string>();
  const warnings = new Set<string>();
  checkUpstreamKey(specs.map((text) => splitName(text).spec));
  for (const text of specs) {
    const { name: given, spec } = splitName(text);
    const kind = KINDS.find((kind) => kind.matches(spec));
    if (spec === "" || kind === undefined) throw new CommandError("--model must not be empty. See --help", 2);
    const name = given ?? await guard(spec, () => kind.name(spec));
    // Before it is loaded: it may take a while.
    checkFree(models, name, spec);
    if (options.watch && kind.isWatched) {
      if (options.sandbox && kind.load === loadFile) throw notBoth(spec);
      models.set(name, spec);
      continue;
    }
    const { sandbox } = options;
    models.set(name, await guard(spec, () => kind.load(spec, { ...limitsOf(name, options), name, sandbox })));
    const warning = await kind.check?.(spec, options);
    if (warning !== undefined) warnings.add(warning);
  }
  const names = [...models.keys()];
  for (const name of options.modelLimits.keys()) checkServed(name, names);
  return { ...await open(models, options), names, warnings: [...warnings] };
}

/** Puts models together: those that are watched are loaded now. */
async function open(
  models: ReadonlyMap<string, LoadedModel | string>,
  options: LoadSpecsOptions,
): Promise<Pick<LoadedSpecs, "models" | "close">> {
  const loaded = new Map([...models].filter((entry): entry is [string, LoadedModel] => typeof entry[1] !== "string"));
  if (loaded.size === models.size) return { models: loaded, close: () => Promise.resolve() };
  const { WatchedModels, describeWatchEvent } = await import("./watch/mod.ts");
  const { modelLimits, drainTimeout, sandbox, onEvent } = options;
  const specs = [...models.values()].filter((spec) => typeof spec === "string");
  const watched = await guard(specs.join('", "'), () =>
    WatchedModels.open(models, {
      ...onlyLimits(options),
      modelLimits,
      drainTimeout,
      ...(sandbox && { load: loadWatchedSandboxed }),
      onEvent: (event) => onEvent(describeWatchEvent(event)),
    }));
  return { models: watched, close: () => watched.close() };
}

/** A saved model in a sandbox, of whichever version. */
async function loadWatchedSandboxed(
  uri: string,
  options: CallLimits & { readonly name: string; readonly signal: AbortSignal },
): Promise<LoadedModel> {
  const { loadModel } = await import("../models/mod.ts");
  return await loadModel(uri, { ...options, kind: "any", sandbox: true });
}

function notBoth(spec: string): CommandError {
  return new CommandError(
    `Cannot serve "${spec}" with both --watch and --sandbox: a file that was not saved can have one of them. ` +
      "Save it with 'cli.ts log', and serve the model's alias",
    2,
  );
}

function checkServed(name: string, served: readonly string[]): void {
  if (served.includes(name)) return;
  throw new CommandError(
    `A limit is given for model "${name}", which is not served: there are ${served.join(", ")}`,
    2,
  );
}

function checkFree(models: ReadonlyMap<string, unknown>, name: string, spec: string): void {
  if (!models.has(name)) return;
  throw new CommandError(
    `Cannot serve two models as "${name}": give one of them another name, as in other=${spec}`,
    2,
  );
}

/** Only these: what else there is, such as flags, is no option of a model. */
function limitsOf(name: string, options: LoadSpecsOptions): CallLimits {
  return onlyLimits({ ...options, ...options.modelLimits.get(name) });
}

function onlyLimits({ firstTokenTimeout, idleTimeout, timeout }: CallLimits): CallLimits {
  return {
    ...(firstTokenTimeout !== undefined && { firstTokenTimeout }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(timeout !== undefined && { timeout }),
  };
}

async function guard<T>(spec: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    // Ours may say by themselves of what model they speak.
    if (error instanceof CommandError || (ChatModelError.isInstance(error) && error.message.includes(spec))) {
      throw error;
    }
    throw new CommandError(`Cannot load model "${spec}": ${reasonOf(error)}`, 1, { cause: error });
  }
}

/** `name=SPEC`: the name cannot hold a separator, so that paths with "=" in a folder's name stay paths. */
function splitName(text: string): { readonly name?: string; readonly spec: string } {
  const match = /^([\w.:@-]+)=(.*)$/s.exec(text);
  const [, name, spec] = match ?? [];
  return name === undefined || spec === undefined ? { spec: text } : { name, spec };
}
