import { fromFileUrl } from "@std/path";
import type { Model } from "../../types/mod.ts";
import { LoadedChatModel } from "../../loaded_chat_model.ts";
import { LoadedCustomModel } from "../../loaded_custom_model.ts";
import { type AppModel, type LoadedModel, type ModelDirectory, StaticDirectory } from "../directory.ts";
import { FileSource } from "./_file_source.ts";
import { FolderSource } from "./_folder_source.ts";
import { FixedSource, movingUri, RegistrySource } from "./_registry_source.ts";
import type { ModelSource } from "./_source.ts";
import { settingsOf, type WatchOptions, type WatchSettings } from "./_watch_settings.ts";
import { WatchedModel } from "./_watched_model.ts";

/** What can be watched: what `loadModel` takes. */
const STORE_URI = /^(?:models|runs|mlflow-artifacts):/;

/**
 * Models of which new versions are taken up while they are served. A new version is loaded beside the old one; when it
 * is ready, requests that begin go to it; the old one is let go of when its last call is over.
 *
 * | what is watched                            | what is looked at                                                 |
 * | ------------------------------------------ | ----------------------------------------------------------------- |
 * | `models:/name@alias`, `/latest`, `/Stage`  | which version the registry says that it is                        |
 * | a folder of a saved model                  | its `MLmodel`                                                     |
 * | a `.ts` or `.js` file                      | its contents, and those of all local files that it has imported   |
 * | all else, such as `models:/name/3`         | nothing, as it always is the same                                 |
 *
 * Code that was imported stays in memory until the process ends, as Deno forgets no module: some 20 KB for each version
 * of a small model. What a file reads by other means than importing is not watched; workers that it starts read their
 * files anew by themselves. Packages, and files behind `https:`, are imported once.
 */
export class WatchedModels implements ModelDirectory, AsyncDisposable {
  readonly #names: readonly string[];
  readonly #watched: ReadonlyMap<string, WatchedModel>;
  readonly #fixed: StaticDirectory;

  private constructor(
    names: readonly string[],
    watched: ReadonlyMap<string, WatchedModel>,
    fixed: StaticDirectory,
  ) {
    this.#names = names;
    this.#watched = watched;
    this.#fixed = fixed;
  }

  /**
   * Loads models, and watches them from then on.
   *
   * @param models Models by the names they are served under, the first of them the default. Text is a URI or a path to
   * load and to watch; all else is served as it is.
   * @param options How to watch, and limits of calls.
   * @returns The models. Close them when they are served no more.
   * @throws {ValidationError} If an option cannot be.
   * @throws {ChatModelError} If a model cannot be loaded: what `loadModel` throws.
   * @throws {TypeError} If one of the models is none.
   */
  static async open(
    models: ReadonlyMap<string, string | AppModel>,
    options: WatchOptions = {},
  ): Promise<WatchedModels> {
    const settings = settingsOf(options);
    const fixed = new Map<string, AppModel>();
    const sources = new Map<string, string>();
    for (const [name, model] of models) {
      if (typeof model === "string") sources.set(name, model);
      else fixed.set(name, model);
    }
    const directory = new StaticDirectory(fixed, settings.limits);
    const watched = new Map<string, WatchedModel>();
    const opening = new AbortController();
    try {
      // One after the other: files are imported so anyway, and the first failure is the one that is told.
      for (const [name, uri] of sources) {
        const source = await sourceOf(uri, settings);
        try {
          watched.set(name, await WatchedModel.open(name, { source, settings, signal: opening.signal }));
        } catch (error) {
          source.close();
          throw error;
        }
      }
    } catch (error) {
      await Promise.all([...watched.values()].map((model) => model.close()));
      throw error;
    }
    for (const model of watched.values()) model.start();
    return new WatchedModels([...models.keys()], watched, directory);
  }

  /**
   * Lists the models that can chat.
   *
   * @returns The models, the default first; each with the time at which its version was loaded.
   */
  list(): Model[] {
    const fixed = new Map(this.#fixed.list().map((model) => [model.id, model]));
    return this.#names.flatMap((id): Model[] => {
      const current = this.#watched.get(id)?.current;
      if (current === undefined) return [fixed.get(id) ?? []].flat();
      if (LoadedCustomModel.isInstance(current.model)) return [];
      return [{ id, object: "model", created: current.created, owned_by: "chat-model" }];
    });
  }

  /**
   * Finds the version of a model that serves now.
   *
   * @param wanted Name of the model; `undefined` for the default.
   * @returns The model, whose calls are counted; `undefined` if there is none of that name.
   */
  find(wanted: string | undefined = this.#names[0]): LoadedModel | undefined | Promise<LoadedModel> {
    if (wanted === undefined) return undefined;
    const watched = this.#watched.get(wanted) ?? this.#watched.get(wanted.replace(/:latest$/, ""));
    return watched === undefined ? this.#fixed.find(wanted) : watched.current.model;
  }

  /**
   * Checks that what the versions that serve now need is there, as far as they can tell. One that can answer is enough.
   *
   * @param signal Fires when it takes too long.
   * @throws If no model can answer at present.
   */
  async checkHealth(signal: AbortSignal): Promise<void> {
    const checks = [...this.#watched.values()].map(({ current }) => current.model)
      .filter((model) => LoadedChatModel.isInstance(model)).map((model) => model.checkHealth({ signal }));
    if (this.#watched.size < this.#names.length) checks.push(this.#fixed.checkHealth(signal));
    const failed = (await Promise.allSettled(checks)).filter((result) => result.status === "rejected");
    if (failed.length > 0 && failed.length === checks.length) throw failed[0]?.reason;
  }

  /** Versions that serve now, by the names of the models that were loaded here. */
  versions(): ReadonlyMap<string, string> {
    return new Map([...this.#watched].map(([name, { current }]) => [name, current.label]));
  }

  /**
   * Stops watching, and lets go of all versions that were loaded here: for when no request runs any more. Those that
   * still run are ended with an error.
   */
  async close(): Promise<void> {
    await Promise.all([...this.#watched.values()].map((model) => model.close()));
  }

  /** As {@linkcode WatchedModels.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function sourceOf(uri: string, settings: WatchSettings): Promise<ModelSource> {
  const { interval, fileInterval, load } = settings;
  if (STORE_URI.test(uri)) {
    const moving = movingUri(uri);
    return moving === undefined ? new FixedSource(uri, load) : new RegistrySource(uri, moving, { interval, load });
  }
  const path = uri.startsWith("file:") ? fromFileUrl(uri) : uri;
  if (await isFolder(path)) return await FolderSource.of(path, { interval: fileInterval, load });
  return await FileSource.of(path, fileInterval);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false; // Loading it as a file tells what is wrong with it.
  }
}
