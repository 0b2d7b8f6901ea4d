import type { ModelSpan } from "../../call_observer.ts";
import type { JsonValue } from "../../model_config.ts";
import { toJsonValue } from "../../_json_value.ts";
import { ChatModelError } from "../../types/mod.ts";
import type {
  HostMessage,
  ImportedModel,
  SandboxEquipment,
  SandboxMethod,
  Thrown,
  WorkerMessage,
} from "./_protocol.ts";
import { readWorkerMessage } from "./_protocol.ts";

/** Milliseconds between two pings. */
const PING_INTERVAL = 1_000;
/** Milliseconds that a worker has to load its own code before it must answer pings. */
const START_TIMEOUT = 60_000;

/** Whoever waits for a call. */
export interface PendingCall {
  /** The answer in one piece, or the end of a stream. */
  readonly onEnd: (value: unknown) => void;
  /** More of a stream. */
  readonly onParts?: (parts: readonly unknown[]) => void;
  /** The call failed. */
  readonly onError: (error: unknown) => void;
  /** Where notes of the model's about the call go. */
  readonly span?: ModelSpan;
}

/** One call. */
export interface WorkerCall {
  readonly method: SandboxMethod;
  readonly requestId: string;
  readonly input: readonly unknown[];
  readonly equipment?: SandboxEquipment;
  readonly span?: ModelSpan;
}

/** What a worker is made with. */
export interface HostWorkerOptions {
  /** Name of the model, for errors. */
  readonly name: string;
  /** What its code may do. */
  readonly permissions: Deno.PermissionOptionsObject;
  /** Milliseconds without a sign of life while calls run, after which it is ended. */
  readonly unresponsiveAfter: number;
  /** Makes errors of what was thrown. */
  readonly revive: (thrown: Thrown) => unknown;
  /** Told once when the worker has ended, by itself or not. */
  readonly onEnd: (reason: unknown) => void;
}

/** The host's side of one worker, from its start to its end. */
export class HostWorker {
  readonly #options: HostWorkerOptions;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #calls = new Map<number, PendingCall>();
  #importing: PendingCall | undefined;
  #lastId = 0;
  #isReady = false;
  #watch: ReturnType<typeof setInterval> | undefined;
  #silentFor = 0;
  #ended: { readonly error: unknown } | undefined;

  /**
   * Starts a worker.
   *
   * @throws {ChatModelError} With code `permission_denied` if this process lacks a permission itself.
   */
  constructor(options: HostWorkerOptions) {
    this.#options = options;
    const { name, permissions } = options;
    try {
      this.#worker = new Worker(new URL("./_worker.ts", import.meta.url), {
        type: "module",
        name: `model ${name}`,
        deno: { permissions },
      });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
      throw new ChatModelError(
        `Cannot load model "${name}" into a sandbox: its package declares permissions that this process does not have itself. ` +
          "Run with what the model declares, or log it with fewer permissions",
        { code: "permission_denied", cause },
      );
    }
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<unknown>) => this.#take(data);
    port1.onmessageerror = () => this.#distrust();
    this.#worker.onerror = (event) => {
      event.preventDefault(); // Else it would be this process's own error, and end it.
      const [line = ""] = String(event.message).split("\n", 1);
      const reason = line.replace(/\.+$/, "");
      this.end(this.#isReady ? this.#crash(reason) : this.#notStarted(reason));
    };
    // The worker itself has nothing to say: what comes here is the model's own doing.
    this.#worker.onmessage = () => this.#distrust();
    this.#worker.onmessageerror = () => this.#distrust();
    this.#worker.postMessage(null, [port2]);
  }

  /** Imports the model, once, before anything else. */
  import(path: string): Promise<ImportedModel> {
    return new Promise<ImportedModel>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended.error);
      this.#importing = { onEnd: (value) => resolve(readImported(value)), onError: reject };
      this.#send({ type: "import", path });
      this.#watchOver();
    });
  }

  /**
   * Begins a call.
   *
   * @returns Its id; `undefined` if the worker has ended, which the observer has been told.
   */
  call(call: WorkerCall, observer: PendingCall): number | undefined {
    if (this.#ended !== undefined) {
      observer.onError(this.#ended.error);
      return undefined;
    }
    // What it did not say while nobody asked is no silence.
    if (this.#calls.size === 0) this.#silentFor = 0;
    const id = ++this.#lastId;
    const { span, ...rest } = call;
    const isTraced = span !== undefined && span.isRecording;
    const ids = isTraced ? { span: { traceId: span.traceId, spanId: span.spanId } } : {};
    this.#send({ type: "call", id, ...rest, ...ids });
    this.#calls.set(id, isTraced ? { ...observer, span } : observer);
    this.#watchOver();
    return id;
  }

  /** Wants more parts of a call. */
  more(id: number, count: number): void {
    if (this.#calls.has(id)) this.#send({ type: "more", id, count });
  }

  /** Gives up a call: its observer is told nothing any more. */
  cancel(id: number, reason: Thrown): void {
    if (!this.#calls.delete(id)) return;
    this.#send({ type: "cancel", id, reason });
  }

  /** Ends the worker; its running calls fail. */
  end(error: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    clearInterval(this.#watch);
    this.#worker.terminate();
    this.#port.close();
    this.#options.onEnd(error);
    const waiting = [...this.#calls.values()];
    this.#calls.clear();
    this.#importing?.onError(error);
    for (const { onError } of waiting) onError(error);
  }

  #send(message: HostMessage): void {
    if (this.#ended === undefined) this.#port.postMessage(message);
  }

  #take(data: unknown): void {
    if (this.#ended !== undefined) return;
    this.#silentFor = 0;
    const message = readWorkerMessage(data);
    if (message === undefined) return this.#distrust();
    this.#handle(message);
  }

  #handle(message: WorkerMessage): void {
    switch (message.type) {
      case "ready":
        this.#isReady = true;
        return;
      case "pong":
        return;
      case "closing":
        return this.end(this.#crash(`it called ${message.how}`));
      case "imported":
      case "refused": {
        const importing = this.#importing;
        this.#importing = undefined;
        if (message.type === "imported") importing?.onEnd(message);
        else importing?.onError(this.#options.revive(message.error));
        return;
      }
    }
    // One that was cancelled may still have sent something.
    const observer = this.#calls.get(message.id);
    if (observer === undefined) return;
    if (message.type === "attribute") return observer.span?.setAttribute(message.name, plain(message.value));
    if (message.type === "event") return observer.span?.addEvent(message.name, plainMembers(message.attributes));
    if (message.type === "parts") {
      return observer.onParts === undefined ? this.#distrust() : observer.onParts(message.parts);
    }
    this.#calls.delete(message.id);
    if (message.type === "error") observer.onError(this.#options.revive(message.error));
    else observer.onEnd(message.type === "result" ? message.value : undefined);
  }

  /** Watches while something is waited for. */
  #watchOver(): void {
    if (this.#watch !== undefined) return;
    this.#silentFor = 0;
    const { unresponsiveAfter } = this.#options;
    const interval = Math.min(PING_INTERVAL, Math.ceil(unresponsiveAfter / 2));
    this.#watch = setInterval(() => {
      if (this.#calls.size === 0 && this.#importing === undefined) {
        // Only now rather than at the end of the last call: timers are dear, and the next call mostly comes soon.
        clearInterval(this.#watch);
        this.#watch = undefined;
        return;
      }
      // Counted in pings rather than by the clock: a pause of this process is no silence of the worker.
      this.#silentFor += interval;
      const limit = this.#isReady ? unresponsiveAfter : Math.max(unresponsiveAfter, START_TIMEOUT);
      if (this.#silentFor > limit) this.end(this.#unresponsive(limit));
      else this.#send({ type: "ping" });
    }, interval);
  }

  #crash(why: string): ChatModelError {
    return new ChatModelError(
      `Cannot answer: the sandbox of model "${this.#options.name}" has ended: ${why}. It is replaced with the next call`,
      { code: "worker_crashed" },
    );
  }

  #notStarted(why: string): ChatModelError {
    return new ChatModelError(
      `Cannot start the sandbox of model "${this.#options.name}": ${why}. ` +
        "This process must be allowed to read, or to import, the code of this package itself",
      { code: "start_failed" },
    );
  }

  #unresponsive(limit: number): ChatModelError {
    return new ChatModelError(
      `Cannot answer: the sandbox of model "${this.#options.name}" gave no sign of life for ${limit} ms and was ended. ` +
        'It is replaced with the next call. Let the model wait by "await" in between, or raise "unresponsiveAfter"',
      { code: "worker_unresponsive" },
    );
  }

  #distrust(): void {
    this.end(this.#crash("it sent what is no message of a sandbox. A model must not post messages itself"));
  }
}

/** What JSON cannot hold is noted as text: a note must not end the call that it is about. */
function plain(value: unknown): JsonValue {
  try {
    return toJsonValue(value, (path, problem) => {
      throw new TypeError(`${path} ${problem}`);
    });
  } catch {
    return "(no value of JSON)";
  }
}

function plainMembers(members: { readonly [name: string]: unknown } = {}): { readonly [name: string]: JsonValue } {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, plain(value)]));
}

function readImported(value: unknown): ImportedModel {
  const message = readWorkerMessage(value);
  if (message?.type === "imported") return message;
  throw new TypeError("Cannot read what a sandbox's worker says: it must say what its model is");
}
