import { loadModel } from "../../models/mod.ts";
import { LoadedChatModel } from "../../loaded_chat_model.ts";
import { LoadedCustomModel } from "../../loaded_custom_model.ts";
import type { CallLimits } from "../../loaded_chat_model.ts";
import type { LoadedModel } from "../directory.ts";

/** Loads a saved model. */
export type LoadSaved = (uri: string, options: LoadSavedOptions) => Promise<LoadedModel>;

/** What a saved model is loaded with. */
export interface LoadSavedOptions extends CallLimits {
  /** Name it is served under. */
  readonly name: string;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** Loads a saved model of either kind by `loadModel`. */
export async function loadSaved(uri: string, options: LoadSavedOptions): Promise<LoadedModel> {
  const { name, signal, firstTokenTimeout, idleTimeout, timeout } = options;
  return await loadModel(uri, {
    kind: "any",
    name,
    signal,
    ...(firstTokenTimeout !== undefined && { firstTokenTimeout }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(timeout !== undefined && { timeout }),
  });
}

/** Lets go of what a model holds, such as a process, if it holds anything. */
export async function disposeModel(model: LoadedModel): Promise<void> {
  if (!(Symbol.asyncDispose in model)) return;
  const dispose: unknown = model[Symbol.asyncDispose];
  if (typeof dispose === "function") await dispose.call(model);
}

/** Whether two models are of the same kind. */
export function isChat(model: LoadedModel): model is LoadedChatModel {
  return LoadedChatModel.isInstance(model) && !LoadedCustomModel.isInstance(model);
}
