import { OllamaChatModel, OllamaClient } from "../adapters/ollama/mod.ts";
import { DemoChatModel } from "../adapters/demo/mod.ts";
import type { ChatModel } from "../chat_model.ts";
import { type CallLimits, loadChatModel, type LoadedChatModel } from "../loaded_chat_model.ts";
import { importModelFile, modelFileName } from "../models/model_file.ts";
import { reasonOf } from "../models/reason_of.ts";
import { CommandError } from "../_command_error.ts";
import { pullWithProgress } from "./_pull.ts";
import { ChatModelError } from "../types/mod.ts";

/** A kind of model that `--model` can name. */
interface ModelKind {
  /** Whether a spec is of this kind. */
  matches(spec: string): boolean;
  /** Name it is served under, unless told otherwise. */
  name(spec: string): string;
  /** Makes the model. */
  open(spec: string): ChatModel | Promise<ChatModel>;
  /**
   * Sees to it that the model can answer, as far as that is wanted.
   * Gives what is likely to go wrong; `undefined` if nothing is. It may be right by the time it is asked.
   */
  check?(spec: string, options: LoadSpecsOptions): Promise<string | undefined>;
}

/** The first that matches is taken: files come last, as anything may be the name of a file. */
const KINDS: readonly ModelKind[] = [
  { matches: (spec) => spec === "demo", name: () => "demo", open: () => new DemoChatModel() },
  {
    matches: (spec) => spec.startsWith("ollama:"),
    name: ollamaName,
    open: (spec) => new OllamaChatModel({ model: ollamaName(spec), client: new OllamaClient() }),
    check: checkOllama,
  },
  { matches: () => true, name: modelFileName, open: importModelFile },
];

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
  readonly models: ReadonlyMap<string, LoadedChatModel>;
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
  const models = new Map<string, LoadedChatModel>();
  const warnings = new Set<string>();
  for (const text of specs) {
    const { name: given, spec } = splitName(text);
    const kind = KINDS.find((kind) => kind.matches(spec));
    if (spec === "" || kind === undefined) throw new CommandError("--model must not be empty. See --help", 2);
    const name = given ?? kind.name(spec);
    if (models.has(name)) {
      throw new CommandError(
        `Cannot serve two models as "${name}": give one of them another name, as in other=${spec}`,
        2,
      );
    }
    models.set(name, await load(await kind.open(spec), name, spec, options));
    const warning = await kind.check?.(spec, options);
    if (warning !== undefined) warnings.add(warning);
  }
  return { models, warnings: [...warnings] };
}

async function load(model: ChatModel, name: string, spec: string, limits: CallLimits): Promise<LoadedChatModel> {
  try {
    return await loadChatModel(model, { ...limits, name });
  } catch (error) {
    throw new CommandError(`Cannot load model "${spec}": ${reasonOf(error)}`, 1, { cause: error });
  }
}

/** `name=SPEC`: the name cannot hold a separator, so that paths with "=" in a folder's name stay paths. */
function splitName(text: string): { readonly name?: string; readonly spec: string } {
  const match = /^([\w.:@-]+)=(.*)$/s.exec(text);
  const [, name, spec] = match ?? [];
  return name === undefined || spec === undefined ? { spec: text } : { name, spec };
}
