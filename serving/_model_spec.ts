import { OllamaChatModel, OllamaClient } from "../adapters/ollama/mod.ts";
import { DemoChatModel } from "../adapters/demo/mod.ts";
import { type CallLimits, loadChatModel } from "../loaded_chat_model.ts";
import { CustomModel } from "../custom_model.ts";
import { loadCustomModel } from "../loaded_custom_model.ts";
import { importModelFile, modelFileName } from "../models/model_file.ts";
import type { LoadedModel } from "./directory.ts";
import { reasonOf } from "../models/reason_of.ts";
import { CommandError } from "../_command_error.ts";
import { checkOpenAI, checkUpstreamKey, loadOpenAI, parseOpenAISpec } from "./_openai_spec.ts";
import { pullWithProgress } from "./_pull.ts";
import { ChatModelError } from "../types/mod.ts";

/** What a model is loaded with. */
interface LoadKindOptions extends CallLimits {
  /** Name that it is served under; absent where it tells that itself. */
  readonly name?: string;
}

/** A kind of model that `--model` can name. */
interface ModelKind {
  /** Whether a spec is of this kind. */
  matches(spec: string): boolean;
  /** Name it is served under, unless told otherwise. Absent where the model has one, which is known once it is loaded. */
  name?(spec: string): string;
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
  { matches: (spec) => !CODE.test(spec) && (STORE_URI.test(spec) || isFolder(spec)), load: loadSaved },
  { matches: () => true, name: modelFileName, load: loadFile },
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

async function loadSaved(spec: string, options: LoadKindOptions): Promise<LoadedModel> {
  // Stores are of no use to most servers, and take time to be loaded.
  const { loadModel } = await import("../models/mod.ts");
  return await loadModel(spec, { ...options, kind: "any" });
}

async function loadFile(spec: string, options: LoadKindOptions): Promise<LoadedModel> {
  const model = await importModelFile(spec);
  return CustomModel.isInstance(model) ? await loadCustomModel(model, options) : await loadChatModel(model, options);
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
}

/** Models by name, and what is likely to go wrong with them. */
export interface LoadedSpecs {
  readonly models: ReadonlyMap<string, LoadedModel>;
  readonly warnings: readonly string[];
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
  const models = new Map<string, LoadedModel>();
  const warnings = new Set<string>();
  checkUpstreamKey(specs.map((text) => splitName(text).spec));
  for (const text of specs) {
    const { name: given, spec } = splitName(text);
    const kind = KINDS.find((kind) => kind.matches(spec));
    if (spec === "" || kind === undefined) throw new CommandError("--model must not be empty. See --help", 2);
    const told = given ?? kind.name?.(spec);
    // Before it is loaded, if that can be: it may take a while.
    if (told !== undefined) checkFree(models, told, spec);
    const model = await load(kind, spec, { ...limitsOf(options), ...(told !== undefined && { name: told }) });
    const name = told ?? model.name;
    checkFree(models, name, spec);
    models.set(name, model);
    const warning = await kind.check?.(spec, options);
    if (warning !== undefined) warnings.add(warning);
  }
  return { models, warnings: [...warnings] };
}

function checkFree(models: ReadonlyMap<string, LoadedModel>, name: string, spec: string): void {
  if (!models.has(name)) return;
  throw new CommandError(
    `Cannot serve two models as "${name}": give one of them another name, as in other=${spec}`,
    2,
  );
}

/** Only these: what else there is, such as flags, is no option of a model. */
function limitsOf({ firstTokenTimeout, idleTimeout, timeout }: CallLimits): CallLimits {
  return {
    ...(firstTokenTimeout !== undefined && { firstTokenTimeout }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(timeout !== undefined && { timeout }),
  };
}

async function load(kind: ModelKind, spec: string, options: LoadKindOptions): Promise<LoadedModel> {
  try {
    return await kind.load(spec, options);
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
