import { type ChatModelSource, toChatModel } from "../../chat_model.ts";
import { loadChatModel, LoadedChatModel } from "../../loaded_chat_model.ts";
import { getModelInfo, loadModel } from "../../models/mod.ts";
import { isStoreUri } from "../../models/locate_model.ts";
import { ValidationError } from "../../types/mod.ts";
import type { EvaluationInputs, RowPurpose } from "../data/mod.ts";

/** What surrounds a call of a function that is evaluated. */
export interface PredictContext {
  /** Fires when the row takes too long, or the evaluation is given up. */
  readonly signal: AbortSignal;
  /** Names the row. */
  readonly id: string;
  /** Position of the row, from 0. */
  readonly index: number;
  /** Seed of the row, if the evaluation has one. */
  readonly seed: number | undefined;
}

/**
 * A function that is evaluated in place of a model: it takes what stands in a row's `inputs`.
 *
 * @param inputs The row's inputs.
 * @param context What surrounds the call.
 * @returns The answer: text, a message, a response, or any other JSON.
 */
export type PredictFunction = (inputs: EvaluationInputs, context: PredictContext) => unknown;

/** What can be evaluated: the URI of a model, a loaded model, a model or its class, a function. */
export type EvaluatedModel = string | LoadedChatModel | ChatModelSource | PredictFunction;

/** What is evaluated. */
export type Subject =
  & {
    /** Name for people. */
    readonly name: string;
    /** URI that it was loaded by. */
    readonly uri?: string;
    /** Id of the logged model. */
    readonly modelId?: string;
  }
  & (
    | { readonly kind: "chat"; readonly model: LoadedChatModel }
    | { readonly kind: "function"; readonly predict: PredictFunction }
    | { readonly kind: "outputs" }
  );

/**
 * What rows are for, without loading anything.
 *
 * @param model What is evaluated.
 * @returns The purpose.
 * @throws {ValidationError} If it is nothing that can be evaluated.
 */
export function purposeOf(model: EvaluatedModel | undefined): RowPurpose {
  if (model === undefined) return "outputs";
  if (typeof model === "string" || LoadedChatModel.isInstance(model) || isChatModelSource(model)) return "chat";
  if (typeof model === "function") return "function";
  throw new ValidationError("Cannot evaluate", [{
    path: "model",
    message: "must be the URI of a model, a loaded model, a ChatModel or its class, or a function",
  }]);
}

/**
 * Loads what is evaluated.
 *
 * @param model What is evaluated.
 * @param signal Gives up loading.
 * @returns It, ready to be asked. What loading throws is handed on.
 */
export async function loadSubject(model: EvaluatedModel | undefined, signal: AbortSignal): Promise<Subject> {
  if (model === undefined) return { kind: "outputs", name: "outputs" };
  if (typeof model === "string") return await loadUri(model, signal);
  if (LoadedChatModel.isInstance(model)) return { kind: "chat", name: model.name, model };
  if (isChatModelSource(model)) {
    const loaded = await loadChatModel(model, { signal });
    return { kind: "chat", name: loaded.name, model: loaded };
  }
  return { kind: "function", name: model.name === "" ? "function" : model.name, predict: model };
}

async function loadUri(uri: string, signal: AbortSignal): Promise<Subject> {
  const model = await loadModel(uri, { signal });
  const modelId = isStoreUri(uri) ? (await getModelInfo(uri)).modelId : undefined;
  return { kind: "chat", name: model.name, uri, model, ...(modelId !== undefined && { modelId }) };
}

/** Without making an instance, which may be dear. */
function isChatModelSource(model: unknown): model is ChatModelSource {
  if (typeof model !== "function") return toChatModel(model) !== undefined;
  const { prototype }: { readonly prototype?: unknown } = model;
  return toChatModel(prototype) !== undefined;
}
