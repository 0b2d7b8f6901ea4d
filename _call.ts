import { type ChatCompletionChunk, TimeoutError } from "./types/mod.ts";
import type { StreamGuard } from "./streaming/chat_completion_stream.ts";
import type { ModelContext } from "./chat_model.ts";
import { type Deadline, unwatch, watch } from "./_deadlines.ts";
import { ModelConfig } from "./model_config.ts";
import {
  beginObservation,
  type CallEnd,
  type CallObservation,
  type CallObserver,
  type CallStart,
  isObserved,
  type ModelOrigin,
  type ModelSpan,
  NO_SPAN,
  type RequestContext,
} from "./call_observer.ts";
import { createId } from "./streaming/_ids.ts";

/** How long a call may take. All in milliseconds; 0 means without limit. */
export interface CallLimits {
  /**
   * Longest wait for the first piece of the answer, or for the whole where the model answers in one piece.
   * @default {300_000}
   */
  readonly firstTokenTimeout?: number;
  /** Longest wait between two pieces of the answer. @default {60_000} */
  readonly idleTimeout?: number;
  /** Longest time for everything. @default {0} */
  readonly timeout?: number;
}

/** Options for a call of a model. */
export interface PredictOptions extends CallLimits {
  /** Cancels the call, also what runs upstream. The call then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Id of the request. Default: a new one. */
  readonly requestId?: string;
  /** Is told what becomes of the call. */
  readonly observer?: CallObserver | undefined;
  /** What surrounds the request: see `requestContext`. Observers are told. */
  readonly requestContext?: RequestContext | undefined;
}

/** What a model is loaded with. */
export interface ModelEquipment {
  /** Files and folders by name: where each lies on this machine. @default {{}} */
  readonly artifacts?: { readonly [name: string]: string };
  /** Its configuration. Default: an empty one. */
  readonly modelConfig?: ModelConfig;
  /** Where it comes from. Observers are told. Default: not known. */
  readonly origin?: ModelOrigin;
}

/** Who a call runs for, where that is no signal: see {@linkcode Call}. */
export interface CallOwner extends PredictOptions {
  /** Takes note that the call is to be aborted when the owner goes; aborts it at once if it has gone. */
  attach(call: Call): void;
}

/** Turns of the microtask queue in which a quick model may answer before the call is armed with timers and listeners. */
const QUICK_TURNS = 6;

/**
 * One running call: joins the caller's signal and the time limits in one signal for the model. A server's request stands
 * in for the caller's signal as its owner, as Deno makes a request's signal only when it is read, which is dear.
 *
 * Arming it makes a controller and listeners that most quick answers never need, so it is put off until the model asks for the signal or
 * turns out to be slow.
 */
export class Call implements StreamGuard, Deadline {
  /** What the model sees of the call. */
  readonly context: ModelContext;
  onAbort: ((reason: unknown) => void) | undefined;
  /** Who is told of the call, if anyone. */
  observation: CallObservation | undefined;
  /** When the call must be over or the model must have given something, by `performance.now()`. */
  dueAt = Infinity;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  listed = false;
  readonly #options: PredictOptions | CallOwner;
  readonly #defaults: CallLimits & ModelEquipment;
  #controller: AbortController | undefined;
  #outer: AbortSignal | undefined;
  #armed = false;
  #ended = false;
  #completed = false;
  #aborted = false;
  #reason: unknown;
  #first = true;
  /** What helps, if the answer comes in one piece, so that nothing is seen of it before its end. */
  #advice: string | undefined;
  /** When everything must be over. */
  #totalDueAt = Infinity;

  /**
   * Begins a call.
   *
   * @throws The reason of the caller's signal if it has fired already.
   */
  constructor(options: PredictOptions | CallOwner, defaults: CallLimits & ModelEquipment) {
    if (!isOwner(options)) options.signal?.throwIfAborted();
    this.#options = options;
    this.#defaults = defaults;
    this.context = new CallContext(this, options.requestId, defaults);
  }

  /** The model's signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.#ended) this.#arm();
      // A model that asks for it only now, between two steps, must not begin the next one.
      else if (!this.#completed) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /**
   * Waits for an answer in one piece. Rejects at once when the call is aborted.
   *
   * @param answer The answer.
   * @param advice What helps when it does not come in time, beside waiting.
   */
  settle<T>(answer: PromiseLike<T>, advice = 'Ask with "stream"'): PromiseLike<T> {
    // A call that is armed has paid already: the model asked for the signal, to wait for something most likely.
    return this.#armed ? this.#race(answer, advice) : this.#settleQuickly(answer, advice);
  }

  async #settleQuickly<T>(answer: PromiseLike<T>, advice: string): Promise<T> {
    let settled = false;
    const settle = () => settled = true;
    answer.then(settle, settle);
    for (let turn = 0; turn < QUICK_TURNS && !settled; turn++) await undefined;
    return settled ? answer : await this.#race(answer, advice);
  }

  #race<T>(answer: PromiseLike<T>, advice: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      answer.then(resolve, reject);
      this.onAbort = reject;
      this.#advice = advice;
      this.wait();
    });
  }

  wait(): void {
    // Aborted before anyone could be told: by a signal that fired while the model took its first steps.
    if (this.#aborted) return this.onAbort?.(this.#reason);
    this.#arm();
    const limit = this.#waitLimit();
    this.dueAt = limit > 0 ? Math.min(performance.now() + limit, this.#totalDueAt) : this.#totalDueAt;
    if (!this.#ended && this.dueAt < Infinity) watch(this);
  }

  resume(): void {
    this.#first = false;
    this.dueAt = this.#totalDueAt;
  }

  /** The deadline has come. */
  expire(): void {
    if (performance.now() >= this.#totalDueAt) this.abort(totalTimeout(this.#timeout()));
    else {this.abort(
        this.#first ? firstTokenTimeout(this.#waitLimit(), this.#advice) : idleTimeout(this.#waitLimit()),
      );}
  }

  /** Whether anyone is to be told of the call. */
  get isObserved(): boolean {
    return isObserved(this.#options.observer);
  }

  /** Tells those who want to know that the model is about to be asked. */
  observe(start: CallStart): void {
    const options = this.#options;
    const surroundings = new CallSurroundings(options, this.context.requestId, this.#defaults.origin);
    this.observation = beginObservation(Object.assign(surroundings, start), options.observer);
  }

  /** Runs a step of the model, in the context of whoever observes it. */
  run<T>(step: () => T): T {
    const { observation } = this;
    return observation?.run === undefined ? step() : observation.run(step);
  }

  chunks(chunks: readonly ChatCompletionChunk[]): void {
    this.observation?.chunks?.(chunks);
  }

  end(completed: boolean, failure?: { readonly reason: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#armed) {
      unwatch(this);
      this.#outer?.removeEventListener("abort", this);
    }
    this.#completed = completed;
    this.observation?.end(this.#outcome(completed, failure));
    if (completed) return;
    if (!this.#aborted) this.#reason = new DOMException("The answer is no longer wanted", "AbortError");
    this.#controller?.abort(this.#reason);
  }

  #outcome(completed: boolean, failure: { readonly reason: unknown } | undefined): CallEnd {
    if (failure !== undefined) return { outcome: "failed", reason: failure.reason };
    if (completed) return { outcome: "completed" };
    return this.#aborted ? { outcome: "failed", reason: this.#reason } : { outcome: "cancelled" };
  }

  /** Ends the call: whoever waits for it gets the reason. */
  abort(reason: unknown): void {
    if (this.#ended) return;
    this.#aborted = true;
    this.#reason = reason;
    this.onAbort?.(reason);
    this.end(false);
  }

  /** The caller's signal has fired. Itself the listener, not a closure: one object less for each call. */
  handleEvent(): void {
    this.abort(this.#outer?.reason);
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    const timeout = this.#timeout();
    if (timeout > 0) {
      this.dueAt = this.#totalDueAt = performance.now() + timeout;
      watch(this);
    }
    if (isOwner(this.#options)) return this.#options.attach(this);
    const { signal } = this.#options;
    if (signal === undefined) return;
    this.#outer = signal;
    if (signal.aborted) this.handleEvent();
    else signal.addEventListener("abort", this);
  }

  #timeout(): number {
    return this.#options.timeout ?? this.#defaults.timeout ?? 0;
  }

  #waitLimit(): number {
    return this.#first
      ? this.#options.firstTokenTimeout ?? this.#defaults.firstTokenTimeout ?? 300_000
      : this.#options.idleTimeout ?? this.#defaults.idleTimeout ?? 60_000;
  }
}

/** A class, as an object's own accessor takes longer to be made than all the rest of a call that no one looks at. */
class CallSurroundings {
  readonly requestId: string;
  readonly origin: ModelOrigin | undefined;
  readonly #options: PredictOptions;

  constructor(options: PredictOptions, requestId: string, origin: ModelOrigin | undefined) {
    this.#options = options;
    this.requestId = requestId;
    this.origin = origin;
  }

  /** Only if someone asks: for a server's request, headers are read for it. */
  get requestContext(): RequestContext | undefined {
    return this.#options.requestContext;
  }
}

function isOwner(options: PredictOptions | CallOwner): options is CallOwner {
  return "attach" in options;
}

const NO_ARTIFACTS = Object.freeze({});
const NO_CONFIG = new ModelConfig();

class CallContext implements ModelContext {
  readonly #call: Call;
  readonly #equipment: ModelEquipment;
  #requestId: string | undefined;

  constructor(call: Call, requestId: string | undefined, equipment: ModelEquipment) {
    this.#call = call;
    this.#requestId = requestId;
    this.#equipment = equipment;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get requestId(): string {
    return this.#requestId ??= createId("req_");
  }

  get artifacts(): { readonly [name: string]: string } {
    return this.#equipment.artifacts ?? NO_ARTIFACTS;
  }

  get modelConfig(): ModelConfig {
    return this.#equipment.modelConfig ?? NO_CONFIG;
  }

  get span(): ModelSpan {
    return this.#call.observation?.span ?? NO_SPAN;
  }
}

function firstTokenTimeout(limit: number, advice: string | undefined): TimeoutError {
  const message = advice !== undefined
    ? `Cannot answer: the model did not finish its answer, which comes in one piece, within ${limit} ms. ` +
      `${advice}, try again if it was still loading, or raise "firstTokenTimeout"`
    : `Cannot answer: the model gave nothing within ${limit} ms. It may still be loading: try again, or raise "firstTokenTimeout"`;
  return new TimeoutError(message, { code: "first_token_timeout" });
}

function idleTimeout(limit: number): TimeoutError {
  return new TimeoutError(
    `Cannot finish the answer: the model gave nothing for ${limit} ms. Raise "idleTimeout" if it is that slow`,
    {
      code: "idle_timeout",
    },
  );
}

function totalTimeout(limit: number): TimeoutError {
  return new TimeoutError(
    `Cannot finish the answer: it took more than ${limit} ms. Raise "timeout", or ask for fewer tokens`,
    {
      code: "timeout",
    },
  );
}
