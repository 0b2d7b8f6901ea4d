import { type ChatModelSource, toChatModel } from "../../chat_model.ts";
import { loadChatModel, LoadedChatModel } from "../../loaded_chat_model.ts";
import { ValidationError } from "../../types/mod.ts";

/** Who may judge: the URI of a model, a loaded model, a chat model or its class. */
export type JudgeModel = string | LoadedChatModel | ChatModelSource;

/** A model that is loaded when it is first needed. */
export class LazyModel {
  readonly #source: JudgeModel;
  #loading: Promise<LoadedChatModel> | undefined;

  /**
   * Checks that there is something to load.
   *
   * @param source The model.
   * @param action What cannot be done without it, for the error.
   * @throws {ValidationError} If it is no model.
   */
  constructor(source: JudgeModel, action: string) {
    const isModel = typeof source === "string" ? source !== "" : LoadedChatModel.isInstance(source) || isSource(source);
    if (!isModel) {
      throw new ValidationError(action, [{
        path: "model",
        message: "must be the URI of a model, a loaded model, a ChatModel or its class",
      }]);
    }
    this.#source = source;
  }

  /** Name for people and for what is written down. */
  get name(): string {
    const source = this.#source;
    if (typeof source === "string") return source;
    if (typeof source === "function") return source.name === "" ? "ChatModel" : source.name;
    return LoadedChatModel.isInstance(source) ? source.name : source.name ?? source.constructor.name;
  }

  /**
   * Loads the model, the first time; after a failure once more.
   *
   * @returns The model. What loading throws is handed on.
   */
  async get(): Promise<LoadedChatModel> {
    // Not with a row's signal: other rows wait for the same model.
    const loading = this.#loading ??= this.#load();
    try {
      return await loading;
    } catch (error) {
      // Someone else may have begun anew already.
      if (this.#loading === loading) this.#loading = undefined;
      throw error;
    }
  }

  async #load(): Promise<LoadedChatModel> {
    const source = this.#source;
    if (LoadedChatModel.isInstance(source)) return source;
    if (typeof source !== "string") return await loadChatModel(source);
    // Only those who name a model by URI need what reads files and stores.
    const { loadModel } = await import("../../models/mod.ts");
    return await loadModel(source);
  }
}

function isSource(source: unknown): boolean {
  if (typeof source !== "function") return toChatModel(source) !== undefined;
  const { prototype }: { readonly prototype?: unknown } = source;
  return toChatModel(prototype) !== undefined;
}
