import { ChatModel, type ChatModelSource } from "../chat_model.ts";
import { CustomModel, type CustomModelSource } from "../custom_model.ts";
import { type CallLimits, loadChatModel, LoadedChatModel } from "../loaded_chat_model.ts";
import { loadCustomModel, LoadedCustomModel } from "../loaded_custom_model.ts";
import type { Model } from "../types/mod.ts";

/** A model ready to be served, of either kind. A custom one is reached by `/invocations` only. */
export type LoadedModel = LoadedChatModel | LoadedCustomModel;

/** The models that an app serves, and how to get at them. */
export interface ModelDirectory {
  /**
   * Lists the models that can chat.
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
  find(name: string | undefined): LoadedModel | undefined | Promise<LoadedModel | undefined>;
  /**
   * Checks that what the models need is there, without having one answer: `GET /health/ready` says so. Optional: then
   * it is taken to be there.
   *
   * @param signal Fires when it takes too long.
   * @throws If no model can answer at present.
   */
  checkHealth?(signal: AbortSignal): void | Promise<void>;
}

/** A model to serve: itself, its class, or a loaded one. */
export type AppModel = ChatModelSource | CustomModelSource | LoadedModel;

/** Models under the names they are served by. In an object, names that are whole numbers come first; a map keeps order. */
export type AppModels = { readonly [name: string]: AppModel } | ReadonlyMap<string, AppModel>;

/** Whether a value is a directory rather than models by name. */
export function isDirectory(models: AppModels | ModelDirectory): models is ModelDirectory {
  return !(models instanceof Map) && "find" in models && "list" in models && !isAppModel(models.find) &&
    !isAppModel(models.list);
}

function isAppModel(value: unknown): value is AppModel {
  return ChatModel.isInstance(value) || LoadedChatModel.isInstance(value) || isCustom(value) ||
    (typeof value === "function" && ChatModel.isInstance(value.prototype));
}

function isCustom(value: unknown): value is CustomModelSource | LoadedCustomModel {
  return CustomModel.isInstance(value) || LoadedCustomModel.isInstance(value) ||
    (typeof value === "function" && CustomModel.isInstance(value.prototype));
}

/** A directory of models known from the start. Each is loaded when it is first asked for. */
export class StaticDirectory implements ModelDirectory {
  readonly #sources: ReadonlyMap<string, AppModel>;
  readonly #loaded = new Map<string, LoadedModel | Promise<LoadedModel>>();
  readonly #limits: CallLimits;
  readonly #default: string | undefined;
  readonly #created = Math.floor(Date.now() / 1000);

  /**
   * Makes a directory.
   *
   * @throws {TypeError} If one of the models is none.
   */
  constructor(models: AppModels, limits: CallLimits) {
    this.#sources = new Map(models instanceof Map ? models : Object.entries(models));
    for (const [name, model] of this.#sources) {
      if (!isAppModel(model)) {
        throw new TypeError(
          `Cannot serve "${name}": it must be an instance or a class of ChatModel or CustomModel, or a loaded model`,
        );
      }
    }
    this.#limits = limits;
    [this.#default] = this.#sources.keys();
  }

  list(): Model[] {
    return [...this.#sources].filter(([, source]) => !isCustom(source)).map(([id]) => ({
      id,
      object: "model",
      created: this.#created,
      owned_by: "chat-model",
    }));
  }

  /** Those that are not loaded yet are not loaded for this. One that can answer is enough. */
  async checkHealth(signal: AbortSignal): Promise<void> {
    const known = new Set<unknown>([...this.#sources.values(), ...this.#loaded.values()]);
    const models = [...known].filter((model) => LoadedChatModel.isInstance(model));
    const failures: unknown[] = [];
    await Promise.all(models.map((model) => model.checkHealth({ signal }).catch((error) => failures.push(error))));
    if (failures.length > 0 && failures.length === models.length) throw failures[0];
  }

  find(wanted: string | undefined = this.#default): LoadedModel | undefined | Promise<LoadedModel> {
    if (wanted === undefined) return undefined;
    const name = this.#sources.has(wanted) ? wanted : wanted.replace(/:latest$/, "");
    const known = this.#loaded.get(name);
    if (known !== undefined) return known;
    const source = this.#sources.get(name);
    if (source === undefined) return undefined;
    if (LoadedChatModel.isInstance(source) || LoadedCustomModel.isInstance(source)) {
      this.#loaded.set(name, source);
      return source;
    }
    const options = { ...this.#limits, name };
    const loading: Promise<LoadedModel> = isCustom(source)
      ? loadCustomModel(source, options)
      : loadChatModel(source, options);
    const kept = loading.then(
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
    this.#loaded.set(name, kept);
    return kept;
  }
}
