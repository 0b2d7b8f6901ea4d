import { sleep } from "../../_sleep.ts";
import { TimeoutError } from "../../types/mod.ts";
import type { LoadedModel } from "../directory.ts";
import { disposeModel } from "./_load_saved.ts";
import { ModelVersion } from "./_model_version.ts";
import type { ModelSource, Sighting } from "./_source.ts";
import type { WatchSettings } from "./_watch_settings.ts";
import { warmModel } from "./_warm.ts";
import type { WatchEvent } from "./watch_event.ts";

/** Milliseconds between two tries of a version that cannot be loaded, at most. */
const MAX_RETRY_DELAY = 300_000;

/** A version that cannot be loaded. */
interface Failure {
  readonly key: string;
  readonly attempts: number;
  /** When to try again, by `performance.now()`. */
  readonly retryAt: number;
  /** What was said of it. */
  readonly reason: string;
}

/** An event without the model's name. */
type OwnEvent<E = WatchEvent> = E extends WatchEvent ? Omit<E, "name"> : never;

/** One model under its name: the version that serves, those that are let go of, and the search for the next. */
export class WatchedModel {
  readonly #name: string;
  readonly #source: ModelSource;
  readonly #settings: WatchSettings;
  readonly #closing = new AbortController();
  readonly #closed = new Promise<void>((resolve) => this.#closing.signal.addEventListener("abort", () => resolve()));
  readonly #retiring = new Set<Promise<void>>();
  #current: ModelVersion;
  /** What is served, as the source tells it apart. */
  #key: string;
  #failure: Failure | undefined;
  /** Key that was seen last, and must be seen again before it counts. */
  #unsettled: string | undefined;
  /** What keeps the source from being seen, as it was said. */
  #unreachable: string | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(name: string, source: ModelSource, settings: WatchSettings, first: FirstVersion) {
    this.#name = name;
    this.#source = source;
    this.#settings = settings;
    this.#current = this.#version(first.sighting.version, first.model);
    this.#key = first.sighting.key;
  }

  /**
   * Loads a model, and watches it from then on.
   *
   * @throws What it cannot be loaded for.
   */
  static async open(
    name: string,
    { source, settings, signal }: OpenOptions,
  ): Promise<WatchedModel> {
    const sighting = await source.look(signal);
    const model = await source.load(sighting, { ...settings.limitsOf(name), name, signal });
    try {
      if (settings.warm) await warmModel(model, sighting.uri, signal);
      return new WatchedModel(name, source, settings, { sighting, model });
    } catch (error) {
      await disposeModel(model);
      throw error;
    }
  }

  /** What serves now. */
  get current(): ModelVersion {
    return this.#current;
  }

  /** Begins to look for new versions, if there can be any. */
  start(): void {
    const { interval } = this.#source;
    if (interval !== undefined) this.#running = this.#run(interval);
  }

  /** Stops looking, and lets go of all versions. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new DOMException("The model is watched no longer", "AbortError"));
    await this.#running;
    this.#source.close();
    await Promise.all(this.#retiring);
    const { error } = await this.#current.retire(0, this.#closing.signal);
    if (error !== undefined) this.#tell({ kind: "drained", from: this.#current.label, aborted: 0, error });
  }

  async #run(interval: number): Promise<void> {
    const { signal } = this.#closing;
    for (let pause = interval; !signal.aborted;) {
      // Not all at the same time: many servers may watch one registry.
      await sleep(pause * (0.9 + Math.random() / 5), signal).catch(() => {});
      if (signal.aborted) return;
      const again = await this.#step();
      pause = again ?? interval;
    }
  }

  /** Looks once, and takes up what is new. Gives the milliseconds to the next look, if it is not to be the usual time. */
  async #step(): Promise<number | undefined> {
    const sighting = await this.#look();
    if (sighting === undefined) return undefined;
    const { key } = sighting;
    const { settleTime = 0 } = this.#source;
    if (key === this.#key) {
      this.#failure = this.#unsettled = undefined; // Given up again: what failed may be tried anew.
      return undefined;
    }
    const failure = this.#failure?.key === key ? this.#failure : undefined;
    if (failure !== undefined && performance.now() < failure.retryAt) return undefined;
    if (settleTime > 0 && this.#unsettled !== key) {
      this.#unsettled = key;
      return settleTime;
    }
    this.#unsettled = undefined;
    return await this.#takeUp(sighting, failure) ? undefined : 1;
  }

  async #look(): Promise<Sighting | undefined> {
    try {
      const sighting = await this.#bounded((signal) => this.#source.look(signal));
      if (this.#unreachable !== undefined) this.#tell({ kind: "reachable", from: this.#current.label });
      this.#unreachable = undefined;
      return sighting;
    } catch (error) {
      if (this.#closing.signal.aborted) return undefined;
      const reason = codeOf(error);
      if (reason !== this.#unreachable) this.#tell({ kind: "unreachable", from: this.#current.label, error });
      this.#unreachable = reason;
      return undefined;
    }
  }

  /** Does something with a signal that fires when it takes too long, or is no longer wanted. */
  async #bounded<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { lookTimeout } = this.#settings;
    this.#closing.signal.throwIfAborted();
    const controller = new AbortController();
    const stop = () => controller.abort(this.#closing.signal.reason);
    this.#closing.signal.addEventListener("abort", stop);
    const timer = setTimeout(() => {
      const message = `Cannot look for new versions of model "${this.#name}": no answer came within ${lookTimeout} ms`;
      controller.abort(new TimeoutError(message, { code: "timeout" }));
    }, lookTimeout);
    try {
      return await action(controller.signal);
    } catch (error) {
      throw controller.signal.aborted ? controller.signal.reason : error;
    } finally {
      clearTimeout(timer);
      this.#closing.signal.removeEventListener("abort", stop);
    }
  }

  /** Loads a version and serves it. Whether that is done with: not if a newer one is there already. */
  async #takeUp(sighting: Sighting, failure: Failure | undefined): Promise<boolean> {
    const from = this.#current.label;
    const to = sighting.version;
    if (failure === undefined) this.#tell({ kind: "loading", from, to });
    const begun = performance.now();
    const attempt = new AbortController();
    const stop = () => attempt.abort(this.#closing.signal.reason);
    this.#closing.signal.addEventListener("abort", stop);
    const loading = this.#load(sighting, attempt.signal);
    try {
      const isOvertaken = await this.#overtaken(sighting, loading, attempt);
      if (this.#closing.signal.aborted) {
        // Not waited for, as above; nor is there anyone to tell how it ends.
        loading.then(disposeModel).catch(() => {});
        return true;
      }
      if (isOvertaken) {
        this.#failure = undefined;
        this.#tell({ kind: "superseded", from, to });
        // Not longer than anyone wants to know: what an import waits for may never come.
        await Promise.race([this.#letGo(loading, to), this.#closed]);
        return false;
      }
      const model = await loading;
      this.#failure = undefined;
      this.#swap(sighting, model, performance.now() - begun);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failed(sighting, error, failure);
    } finally {
      this.#closing.signal.removeEventListener("abort", stop);
    }
    return true;
  }

  /** Waits for what was given up, so that no two versions are loaded at a time. */
  async #letGo(loading: Promise<LoadedModel>, from: string): Promise<void> {
    let model: LoadedModel;
    try {
      model = await loading;
    } catch {
      return; // It was given up, and is wanted no more.
    }
    try {
      await disposeModel(model);
    } catch (error) {
      this.#tell({ kind: "drained", from, aborted: 0, error });
    }
  }

  async #load(sighting: Sighting, signal: AbortSignal): Promise<LoadedModel> {
    const { limitsOf, warm } = this.#settings;
    const model = await this.#source.load(sighting, { ...limitsOf(this.#name), name: this.#name, signal });
    try {
      if (warm) await warmModel(model, sighting.uri, signal);
      return model;
    } catch (error) {
      await disposeModel(model);
      throw error;
    }
  }

  /** Waits until a version is loaded, unless another is there before: then it is given up. Whether it was. */
  async #overtaken(sighting: Sighting, loading: Promise<LoadedModel>, attempt: AbortController): Promise<boolean> {
    let isOver = false;
    const over = loading.then(() => true, () => true);
    while (!isOver && !this.#closing.signal.aborted) {
      const waiting = new AbortController();
      const { interval = 0 } = this.#source;
      const pause = sleep(interval, AbortSignal.any([waiting.signal, this.#closing.signal])).then(
        () => false,
        () => false,
      );
      isOver = await Promise.race([over, pause]);
      waiting.abort();
      if (!await this.#hasMoved(sighting)) continue;
      attempt.abort(new DOMException("A newer version is there", "AbortError"));
      return true;
    }
    return false;
  }

  async #hasMoved(sighting: Sighting): Promise<boolean> {
    try {
      return await this.#bounded((signal) => this.#source.hasMoved(sighting, signal));
    } catch {
      return false; // Cannot be seen for now: the next look tells.
    }
  }

  #swap(sighting: Sighting, model: LoadedModel, loadTime: number): void {
    const old = this.#current;
    this.#current = this.#version(sighting.version, model);
    this.#key = sighting.key;
    this.#tell({ kind: "swapped", from: old.label, to: sighting.version, loadTime });
    const retiring = this.#retire(old);
    this.#retiring.add(retiring);
    retiring.finally(() => this.#retiring.delete(retiring));
  }

  async #retire(old: ModelVersion): Promise<void> {
    const { aborted, error } = await old.retire(this.#settings.drainTimeout, this.#closing.signal);
    this.#tell({ kind: "drained", from: old.label, aborted, ...(error !== undefined && { error }) });
  }

  #failed(sighting: Sighting, error: unknown, before: Failure | undefined): void {
    const attempts = (before?.attempts ?? 0) + 1;
    const delay = Math.min(this.#settings.retryDelay * 2 ** (attempts - 1), MAX_RETRY_DELAY);
    const reason = error instanceof Error ? error.message : String(error);
    this.#failure = { key: sighting.key, attempts, reason, retryAt: performance.now() + delay };
    if (reason === before?.reason) return;
    this.#tell({ kind: "failed", from: this.#current.label, to: sighting.version, error });
  }

  #version(label: string, model: LoadedModel): ModelVersion {
    return new ModelVersion(
      label,
      model,
      () => this.#closing.signal.aborted ? undefined : this.#current.model,
    );
  }

  #tell(event: OwnEvent): void {
    try {
      this.#settings.onEvent({ name: this.#name, ...event });
    } catch (error) {
      // A log that fails must not end the watch.
      // deno-lint-ignore no-console -- there is no one else to tell
      console.error(error);
    }
  }
}

interface OpenOptions {
  readonly source: ModelSource;
  readonly settings: WatchSettings;
  /** Gives up. */
  readonly signal: AbortSignal;
}

interface FirstVersion {
  readonly sighting: Sighting;
  readonly model: LoadedModel;
}

/** What tells one kind of failure from another: messages may have times in them, or ports. */
function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return error instanceof Error ? error.name : String(error);
}
