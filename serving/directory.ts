import { ChatModel, type ChatModelSource } from "../chat_model.ts";
import { type CallLimits, loadChatModel, LoadedChatModel } from "../loaded_chat_model.ts";
import type { Model } from "../types/mod.ts";

/** The models that an app serves, and how to get at them. */
export interface ModelDirectory {
  /**
   * Lists the models.
   *
   * @param signal Fires when the client is gone.
   * @returns The models; the first is the default.
   */
  list(signal: AbortSignal): readonly Model[] | Promise<readonly Model[]>;
  /**
   * Finds a model by name, and loads it if need be.
   *
   * @param name Name of the model; `undefined` for the default.
   * @returns The model; `undefined` if there is none of that name.
   */
  find(name: string | undefined): LoadedChatModel | undefined | Promise<LoadedChatModel | undefined>;
}

/** A model, its class, a loaded one, or how to get one, under the name it is served by. */
export interface AppModels {
  /** Name → model. */
  readonly [name: string]: ChatModelSource | LoadedChatModel;
}

/** Whether a value is a directory rather than an object of models. */
export function isDirectory(models: AppModels | ModelDirectory): models is ModelDirectory {
  return typeof models.find === "function" && typeof models.list === "function" &&
    !ChatModel.isInstance(models.find.prototype) && !ChatModel.isInstance(models.list.prototype);
}

/** A directory of models known from the start. Each is loaded when it is first asked for. */
export class StaticDirectory implements ModelDirectory {
  readonly #sources: ReadonlyMap<string, ChatModelSource | LoadedChatModel>;
  readonly #loaded = new Map<string, LoadedChatModel | Promise<LoadedChatModel>>();
  readonly #limits: CallLimits;
  readonly #default: string | undefined;
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(models: AppModels, limits: CallLimits) {
    this.#sources = new Map(Object.entries(models));
    this.#limits = limits;
    [this.#default] = this.#sources.keys();
  }

  list(): Model[] {
    return [...this.#sources.keys()].map((id) => ({
      id,
      object: "model",
      created: this.#created,
      owned_by: "chat-model",
    }));
  }

  find(name: string | undefined = this.#default): LoadedChatModel | undefined | Promise<LoadedChatModel> {
    if (name === undefined) return undefined;
    const known = this.#loaded.get(name);
    if (known !== undefined) return known;
    const source = this.#sources.get(name);
    if (source === undefined) return undefined;
    if (source instanceof LoadedChatModel) {
      this.#loaded.set(name, source);
      return source;
    }
    const loading = loadChatModel(source, { ...this.#limits, name }).then(
      (model) => {
        this.#loaded.set(name, model);
        return model;
      },
      (error) => {
        // Not kept: what failed once, for want of a server say, may work with the next request.
        this.#loaded.delete(name);
        throw error;
      },
    );
    this.#loaded.set(name, loading);
    return loading;
  }
}
