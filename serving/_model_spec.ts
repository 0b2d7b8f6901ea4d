import { OllamaChatModel, OllamaClient } from "../adapters/ollama/mod.ts";
import { DemoChatModel } from "../adapters/demo/mod.ts";
import type { ChatModel } from "../chat_model.ts";
import { type CallLimits, loadChatModel, type LoadedChatModel } from "../loaded_chat_model.ts";
import { CommandError, reasonOf } from "./_command_error.ts";
import { importModelFile, modelFileName } from "./_model_file.ts";

/** A kind of model that `--model` can name. */
interface ModelKind {
  /** Whether a spec is of this kind. */
  matches(spec: string): boolean;
  /** Name it is served under, unless told otherwise. */
  name(spec: string): string;
  /** Makes the model. */
  open(spec: string): ChatModel | Promise<ChatModel>;
  /** What is likely to go wrong when it is asked; `undefined` if nothing is. It may be right by then. */
  warn?(spec: string): Promise<string | undefined>;
}

/** The first that matches is taken: files come last, as anything may be the name of a file. */
const KINDS: readonly ModelKind[] = [
  { matches: (spec) => spec === "demo", name: () => "demo", open: () => new DemoChatModel() },
  {
    matches: (spec) => spec.startsWith("ollama:"),
    name: ollamaName,
    open: (spec) => new OllamaChatModel({ model: ollamaName(spec), client: new OllamaClient() }),
    warn: warnOfOllama,
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

async function warnOfOllama(spec: string): Promise<string | undefined> {
  const client = new OllamaClient();
  try {
    await client.show(ollamaName(spec), { timeout: PROBE_TIMEOUT });
    return client.warning;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
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
  limits: CallLimits,
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
    models.set(name, await load(await kind.open(spec), name, spec, limits));
    const warning = await kind.warn?.(spec);
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
