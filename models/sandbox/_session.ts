import { ChatModel, implementedMethods, type ModelContext } from "../../chat_model.ts";
import { type ModelSpan, NO_SPAN } from "../../call_observer.ts";
import type { CustomModel } from "../../custom_model.ts";
import { ModelConfig } from "../../model_config.ts";
import { toJsonValue } from "../../_json_value.ts";
import { ChatModelError } from "../../types/mod.ts";
import { Credit } from "../_credit.ts";
import { importModelFile } from "../model_file.ts";
import { type HostMessage, type SandboxMethod, type SandboxSpan, WINDOW, type WorkerMessage } from "./_protocol.ts";
import { describeThrown, reviveThrown } from "./_thrown.ts";

/** Turns of the microtask queue in which a quick model may give its next part before what there is goes out. */
const QUICK_TURNS = 6;

type CallMessage = Extract<HostMessage, { readonly type: "call" }>;

interface RunningCall {
  readonly controller: AbortController;
  readonly credit: Credit;
}

/** The worker's side of a sandbox: runs one model for its host. */
export class SandboxSession {
  readonly #send: (message: WorkerMessage) => void;
  readonly #calls = new Map<number, RunningCall>();
  #model: ChatModel | CustomModel | undefined;
  #equipment: { readonly artifacts: ModelContext["artifacts"]; readonly modelConfig: ModelConfig } = {
    artifacts: {},
    modelConfig: new ModelConfig(),
  };

  /**
   * Begins a session.
   *
   * @param send Sends to the host.
   */
  constructor(send: (message: WorkerMessage) => void) {
    this.#send = send;
  }

  /** Takes what the host says. What it begins goes on by itself. */
  take(message: HostMessage): void {
    switch (message.type) {
      case "ping":
        return this.#send({ type: "pong" });
      case "import":
        this.#import(message.path);
        break;
      case "call":
        this.#call(message);
        break;
      // Of calls that have just ended there is nothing to be said any more.
      case "more":
        this.#calls.get(message.id)?.credit.add(message.count);
        break;
      case "cancel":
        this.#calls.get(message.id)?.controller.abort(
          message.reason.kind === "permission" ? undefined : reviveThrown(message.reason),
        );
    }
  }

  async #import(path: string): Promise<void> {
    try {
      const model = this.#model = await importModelFile(path);
      const isChat = ChatModel.isInstance(model);
      const methods = isChat ? implementedMethods(model) : { predict: true, predictStream: false };
      this.#send({
        type: "imported",
        kind: isChat ? "chat" : "custom",
        ...methods,
        embed: isChat && model.embed !== undefined,
      });
    } catch (error) {
      this.#send({ type: "refused", error: describeThrown(error) });
    }
  }

  async #call({ id, method, requestId, input, equipment, span }: CallMessage): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const credit = new Credit(WINDOW);
    this.#calls.set(id, { controller, credit });
    try {
      if (equipment !== undefined) {
        const { artifacts, config, layers } = equipment;
        this.#equipment = { artifacts, modelConfig: new ModelConfig(config, layers) };
      }
      const context: ModelContext = { signal, requestId, span: this.#span(id, span), ...this.#equipment };
      if (method === "predictStream") {
        await this.#stream(id, this.#invoke(method, [context, ...input]), { credit, signal });
        this.#send({ type: "end", id });
      } else {
        const value = await this.#invoke(method, [context, ...input]);
        this.#give({ type: "result", id, value: this.#output(method, value) });
      }
    } catch (error) {
      this.#send({ type: "error", id, error: describeThrown(error) });
    } finally {
      this.#calls.delete(id);
    }
  }

  #span(id: number, span: SandboxSpan | undefined): ModelSpan {
    if (span === undefined) return NO_SPAN;
    return {
      ...span,
      isRecording: true,
      setAttribute: (name, value) => this.#give({ type: "attribute", id, name, value }),
      addEvent: (name, attributes) =>
        this.#give({ type: "event", id, name, ...(attributes !== undefined && { attributes }) }),
    };
  }

  #invoke(method: SandboxMethod, input: readonly unknown[]): unknown {
    const model = this.#model;
    const found: unknown = model === undefined ? undefined : Reflect.get(model, method);
    if (model === undefined || typeof found !== "function") {
      throw new ChatModelError(`Cannot answer: the model has no "${method}"`, { code: "invalid_model" });
    }
    return Reflect.apply(found, model, input);
  }

  #output(method: SandboxMethod, value: unknown): unknown {
    if (method === "loadContext") return undefined;
    if (ChatModel.isInstance(this.#model)) return value;
    // Here, where what it is made of is still known: only plain values get over the boundary.
    return toJsonValue(value, (path, problem) => {
      throw invalidOutput(
        `it must be a value that JSON can hold: ${path === "" ? "it" : `"${path}"`} ${problem}`,
      );
    });
  }

  async #stream(
    id: number,
    parts: unknown,
    { credit, signal }: { readonly credit: Credit; readonly signal: AbortSignal },
  ): Promise<void> {
    if (!isIterable(parts)) {
      if (parts instanceof Promise) parts.catch(() => {}); // Told here; what becomes of it must not end the worker.
      throw invalidOutput("predictStream must return an iterable. Write it as a generator: async *predictStream");
    }
    let waiting: unknown[] = [];
    let failure: { readonly error: unknown } | undefined;
    let isFlushing = false;
    const flush = () => {
      if (waiting.length === 0) return;
      const batch = waiting;
      waiting = [];
      this.#give({ type: "parts", id, parts: batch });
    };
    /** Parts that come at once go in one message. */
    const flushSoon = async () => {
      isFlushing = true;
      try {
        for (let before = -1; before !== waiting.length && waiting.length > 0;) {
          before = waiting.length;
          for (let turn = 0; turn < QUICK_TURNS; turn++) await undefined;
        }
        flush();
      } catch (error) {
        failure = { error };
      } finally {
        isFlushing = false;
      }
    };
    try {
      for await (const part of parts) {
        if (failure !== undefined) throw failure.error;
        await credit.take(signal);
        waiting.push(part);
        if (!isFlushing) flushSoon();
      }
    } finally {
      // What came before a failure is part of the answer.
      if (failure === undefined && !signal.aborted) flush();
    }
    if (failure !== undefined) throw failure.error;
  }

  #give(message: WorkerMessage): void {
    try {
      this.#send(message);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "DataCloneError") throw error;
      throw invalidOutput(`it must be made of plain values: ${error.message}`);
    }
  }
}

function invalidOutput(why: string): ChatModelError {
  return new ChatModelError(`Cannot read the model's output: ${why}`, { code: "invalid_model_output" });
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}
