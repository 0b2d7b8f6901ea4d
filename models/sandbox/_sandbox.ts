import { ChatModelError, OverloadedError, TimeoutError } from "../../types/mod.ts";
import type { ModelContext } from "../../chat_model.ts";
import { layersOf } from "./_config.ts";
import { checkFlag } from "./_flag.ts";
import { HostWorker, type PendingCall } from "./_host_worker.ts";
import { permissionError, type SandboxedPackage, workerPermissions } from "./_permissions.ts";
import { type ImportedModel, type SandboxEquipment, type SandboxMethod, type Thrown, WINDOW } from "./_protocol.ts";
import { describeThrown, missingPermission, reviveThrown } from "./_thrown.ts";

/** Workers that a sandbox may replace within a period. */
const MAX_REPLACEMENTS = 3;
/** Milliseconds for which the replacement of a worker that crashed counts. */
const CRASH_PERIOD = 60_000;
/** The same for one that looped: Deno lets its thread go on, so it takes a core until its loop or the process ends. */
const LOOP_PERIOD = 3_600_000;

/** Milliseconds that a worker has to import the model and, in place of another, to prepare it. */
const LOAD_TIMEOUT = 300_000;

/** What a sandbox is made for. */
export interface SandboxModel extends SandboxedPackage {
  /** The model's file. */
  readonly path: string;
  /** Milliseconds without a sign of life while calls run, after which a worker is ended. */
  readonly unresponsiveAfter: number;
  /** Ends the sandbox. */
  readonly signal?: AbortSignal;
  /** Gives up loading. */
  readonly loading?: AbortSignal;
}

/** A model's code in a worker, which is replaced when it ends. */
export class Sandbox {
  readonly #model: SandboxModel;
  readonly #permissions: Deno.PermissionOptionsObject;
  #worker: Promise<HostWorker>;
  /** The worker that runs or is being started. */
  #current: HostWorker | undefined;
  #equipment: SandboxEquipment | undefined;
  #imported: ImportedModel | undefined;
  #hasEnded = false;
  #stopped: { readonly error: ChatModelError } | undefined;
  /** Times at which what was replaced counts no more. */
  #replacements: number[] = [];
  /** Why the latest worker ended. */
  #ending: unknown;

  private constructor(model: SandboxModel, permissions: Deno.PermissionOptionsObject) {
    this.#model = model;
    this.#permissions = permissions;
    this.#worker = this.#start();
    this.#worker.catch(() => {}); // Told by start().
  }

  /**
   * Starts a worker and imports the model into it.
   *
   * @throws {ChatModelError} With code `start_failed` if Deno's flag is missing, `permission_denied` if this process lacks
   * a permission that the model declares, `invalid_model_file` if it is none.
   */
  static async start(model: SandboxModel): Promise<Sandbox> {
    const { signal, loading } = model;
    const throwIfAborted = () => {
      signal?.throwIfAborted();
      loading?.throwIfAborted();
    };
    throwIfAborted();
    await checkFlag();
    const permissions = await workerPermissions(model);
    throwIfAborted();
    const sandbox = new Sandbox(model, permissions);
    const stop = () => sandbox.stop();
    signal?.addEventListener("abort", stop, { once: true });
    loading?.addEventListener("abort", stop, { once: true });
    try {
      await sandbox.#worker;
    } catch (error) {
      signal?.removeEventListener("abort", stop);
      throwIfAborted();
      throw error;
    } finally {
      loading?.removeEventListener("abort", stop);
    }
    return sandbox;
  }

  /** What the model is. */
  get imported(): ImportedModel {
    if (this.#imported === undefined) throw new TypeError("Cannot tell what the model is: it must be imported first");
    return this.#imported;
  }

  /** Ends the worker for good; running calls and later ones fail. */
  stop(): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = {
      error: new ChatModelError(`Cannot answer: the sandbox of model "${this.#model.name}" was stopped`, {
        code: "server_stopping",
      }),
    };
    this.#current?.end(this.#stopped.error);
  }

  /** Prepares the model, now and in each worker to come. */
  async loadContext(context: ModelContext): Promise<void> {
    const { artifacts, modelConfig } = context;
    this.#equipment = { artifacts: { ...artifacts }, config: modelConfig.toObject(), layers: layersOf(modelConfig) };
    await this.call("loadContext", context, []);
  }

  /** Calls a method that answers in one piece. */
  async call(method: SandboxMethod, context: ModelContext, input: readonly unknown[]): Promise<unknown> {
    const { signal, requestId, span } = context;
    const worker = await this.#ready();
    signal.throwIfAborted();
    return await new Promise((resolve, reject) => {
      const done = () => signal.removeEventListener("abort", abort);
      const abort = () => {
        if (id !== undefined) worker.cancel(id, describeThrown(signal.reason));
        reject(signal.reason);
      };
      const observer: PendingCall = {
        onEnd(value) {
          done();
          resolve(value);
        },
        onError(error) {
          done();
          reject(error);
        },
      };
      const equipment = method === "loadContext" ? this.#equipment : undefined;
      const id = worker.call(
        { method, requestId, input, span, ...(equipment !== undefined && { equipment }) },
        observer,
      );
      if (id !== undefined) signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Calls `predictStream`. */
  async *stream<Part>(
    context: ModelContext,
    input: readonly unknown[],
    read: (part: unknown) => Part,
  ): AsyncGenerator<Part> {
    const { signal, requestId, span } = context;
    const worker = await this.#ready();
    signal.throwIfAborted();
    let parts: unknown[] = [];
    let outcome: { readonly error?: unknown } | undefined;
    let wake = () => {};
    const settle = (result: { readonly error?: unknown }) => {
      outcome ??= result;
      wake();
    };
    const id = worker.call({ method: "predictStream", requestId, input, span }, {
      onParts(more) {
        parts.push(...more);
        wake();
      },
      onEnd: () => settle({}),
      onError: (error) => settle({ error }),
    });
    const abort = () => settle({ error: signal.reason });
    signal.addEventListener("abort", abort, { once: true });
    let taken = 0;
    try {
      for (;;) {
        const batch = parts;
        parts = [];
        for (const part of batch) {
          yield read(part);
          // In halves of the window, so that a message to the worker goes with many parts.
          if (++taken < WINDOW / 2) continue;
          if (id !== undefined) worker.more(id, taken);
          taken = 0;
        }
        if (parts.length > 0) continue;
        if (outcome !== undefined) {
          if ("error" in outcome) throw outcome.error;
          return;
        }
        await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      signal.removeEventListener("abort", abort);
      const reason = signal.aborted ? signal.reason : new DOMException("The answer is no longer wanted", "AbortError");
      if (id !== undefined) worker.cancel(id, describeThrown(reason));
    }
  }

  /** The worker; a new one in place of one that has ended. */
  #ready(): Promise<HostWorker> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped.error);
    if (!this.#hasEnded) return this.#worker;
    const now = performance.now();
    this.#replacements = this.#replacements.filter((until) => until > now);
    if (this.#replacements.length >= MAX_REPLACEMENTS) {
      const retryAfter = Math.ceil(Math.min(...this.#replacements) - now);
      return Promise.reject(
        new OverloadedError(
          `Cannot answer: the sandbox of model "${this.#model.name}" ended ${
            MAX_REPLACEMENTS + 1
          } times in short order. ` +
            `It is not replaced for ${Math.ceil(retryAfter / 1_000)} s: look into the log for what ends it`,
          { code: "worker_backoff", retryAfter },
        ),
      );
    }
    const looped = ChatModelError.isInstance(this.#ending) && this.#ending.code === "worker_unresponsive";
    this.#replacements.push(now + (looped ? LOOP_PERIOD : CRASH_PERIOD));
    this.#hasEnded = false;
    this.#worker = this.#start();
    return this.#worker;
  }

  async #start(): Promise<HostWorker> {
    const { name, unresponsiveAfter, path } = this.#model;
    const worker = new HostWorker({
      name,
      unresponsiveAfter,
      permissions: this.#permissions,
      revive: (thrown) => this.#revive(thrown),
      onEnd: (reason) => {
        this.#hasEnded = true;
        this.#ending = reason;
      },
    });
    this.#current = worker;
    const timer = setTimeout(() => worker.end(notLoaded(name)), LOAD_TIMEOUT);
    try {
      this.#imported = await worker.import(path);
      const equipment = this.#equipment;
      if (equipment !== undefined) await loadAgain(worker, equipment);
    } catch (error) {
      worker.end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return worker;
  }

  #revive(thrown: Thrown): unknown {
    if (thrown.kind !== "permission") return reviveThrown(thrown);
    const missing = missingPermission(thrown.message);
    if (missing !== undefined) return permissionError(missing, this.#model);
    return new ChatModelError(`Model "${this.#model.name}" may not do what it tried: ${thrown.message}`, {
      code: "permission_denied",
    });
  }
}

function notLoaded(name: string): TimeoutError {
  return new TimeoutError(`Cannot load model "${name}" into its sandbox: it was not ready within ${LOAD_TIMEOUT} ms`);
}

function loadAgain(worker: HostWorker, equipment: SandboxEquipment): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.call({ method: "loadContext", requestId: "sandbox", input: [], equipment }, {
      onEnd: resolve,
      onError: reject,
    });
  });
}
