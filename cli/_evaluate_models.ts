import { CommandError } from "../_command_error.ts";
import { LoadedChatModel } from "../loaded_chat_model.ts";
import { type ModelRegistry, parseModelUri, resolveModelUri } from "../registry/mod.ts";
import { loadSpecs } from "../serving/_model_spec.ts";
import { TrackingError } from "../tracking/mod.ts";
import type { Stores } from "./_stores.ts";

/** A model that a line names, as it is evaluated. */
export interface NamedModel {
  /** What is evaluated: a registered model by its version, so that none of its aliases can move meanwhile. */
  readonly model: string | LoadedChatModel;
  /** As it was named, with the version that this is. */
  readonly title: string;
  /** The registered version, if it is one. */
  readonly registered?: { readonly name: string; readonly version: string };
  /** The alias that it was named by. */
  readonly alias?: string;
}

/** Models that are no files, folders or URIs, as serve.ts has them. */
const SPEC = /^(?:demo$|ollama:|openai:)/;

/**
 * Finds a model that a line names. A registered one is not loaded yet.
 *
 * @param text `models:/NAME/3`, another URI, a folder, a file, `demo`, `ollama:NAME` or `openai:NAME@URL`.
 * @param stores Where models are registered.
 * @returns The model.
 * @throws {CommandError} If it is none. What the stores throw is handed on.
 */
export async function findModel(text: string, stores: Stores): Promise<NamedModel> {
  if (SPEC.test(text)) return { model: await loadSpec(text), title: text };
  const { kind } = parseModelUri(text);
  if (kind === "logged" || kind === "run" || kind === "artifacts") return { model: text, title: text };
  const { store, registry } = stores;
  const { name, version, alias } = await resolveModelUri(text, { store, registry });
  if (name === undefined || version === undefined) return { model: text, title: text };
  const model = `models:/${name}/${version}`;
  return {
    model,
    title: model === text ? text : `${text} (version ${version})`,
    registered: { name, version },
    ...(alias !== undefined && { alias }),
  };
}

/** The version that an alias stands for; `undefined` if there is no such alias. */
export async function versionOfAlias(
  registry: ModelRegistry,
  { name, alias }: { readonly name: string; readonly alias: string },
): Promise<string | undefined> {
  try {
    return (await registry.getModelVersionByAlias(name, alias)).version;
  } catch (error) {
    // What MLflow answers where there is the model, but no such alias, depends on its version.
    const isMissing = error instanceof TrackingError &&
      ["RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"].includes(error.errorCode);
    if (!isMissing) throw error;
    const { aliases } = await registry.getRegisteredModel(name);
    return aliases[alias];
  }
}

/**
 * Loads a model by the names that `--model` of serve.ts knows.
 *
 * @throws {CommandError} If it cannot be loaded, or is no chat model.
 */
export async function loadSpec(spec: string): Promise<LoadedChatModel> {
  const { models, warnings } = await loadSpecs([spec], {
    pull: false,
    watch: false,
    sandbox: false,
    modelLimits: new Map(),
    drainTimeout: 0,
    onEvent: () => {},
  });
  const [warning] = warnings;
  if (warning !== undefined) throw new CommandError(`Cannot evaluate "${spec}": ${warning}`, 1);
  const [model] = models instanceof Map ? models.values() : [];
  if (LoadedChatModel.isInstance(model)) return model;
  throw new CommandError(`Cannot evaluate "${spec}": it is no chat model`, 1);
}

/** Whether a text names a model that serve.ts would load itself. */
export function isSpec(text: string): boolean {
  return SPEC.test(text);
}
