import { TimeoutError } from "./types/mod.ts";
import type { StreamGuard } from "./streaming/chat_completion_stream.ts";
import type { ModelContext } from "./chat_model.ts";
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
}

/** The longest that a timer can run: a longer one fires at once. In milliseconds, about 25 days. */
const MAX_TIMER = 2 ** 31 - 1;

/** Turns of the microtask queue in which a quick model may answer before the call is armed with timers and listeners. */
const QUICK_TURNS = 12;

/**
 * One running call: joins the caller's signal and the time limits in one signal for the model.
 *
 * Arming it costs as much as all the rest of a small request, so it is put off until the model asks for the signal or
 * turns out to be slow.
 */
export class Call implements StreamGuard {
  /** What the model sees of the call. */
  readonly context: ModelContext;
  onAbort: ((reason: unknown) => void) | undefined;
  readonly #options: PredictOptions;
  readonly #defaults: CallLimits;
  #controller: AbortController | undefined;
  #outer: AbortSignal | undefined;
  #armed = false;
  #ended = false;
  #aborted = false;
  #first = true;
  #waitingSince: number | undefined;
  #totalTimer: ReturnType<typeof setTimeout> | undefined;
  #waitTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Begins a call.
   *
   * @throws The reason of a signal that has fired already. One that is a getter, as a server's is, is not read for this:
   * Deno makes a request's signal when it is read, which is dear.
   */
  constructor(options: PredictOptions, defaults: CallLimits) {
    if (Object.hasOwn(options, "signal")) options.signal?.throwIfAborted();
    this.#options = options;
    this.#defaults = defaults;
    this.context = new CallContext(this, options.requestId);
  }

  /** The model's signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (!this.#ended) this.#arm();
    }
    return this.#controller.signal;
  }

  /** Waits for an answer in one piece. Rejects at once when the call is aborted. */
  async settle<T>(answer: PromiseLike<T>): Promise<T> {
    let settled = false;
    const settle = () => settled = true;
    answer.then(settle, settle);
    for (let turn = 0; turn < QUICK_TURNS && !settled; turn++) await undefined;
    if (settled) return answer;
    return await new Promise<T>((resolve, reject) => {
      answer.then(resolve, reject);
      this.onAbort = reject;
      this.wait();
    });
  }

  wait(): void {
    // Aborted before anyone could be told: by a signal that fired while the model took its first steps.
    if (this.#aborted) return this.onAbort?.(this.#reason);
    this.#waitingSince = performance.now();
    if (!this.#armed) this.#arm();
    if (this.#waitTimer === undefined && !this.#ended) this.#setWaitTimer(this.#waitLimit());
  }

  resume(): void {
    this.#waitingSince = undefined;
    if (!this.#first) return;
    this.#first = false;
    // Set for the first piece, it would come too late for the others, whose limit is most often shorter.
    clearTimeout(this.#waitTimer);
    this.#waitTimer = undefined;
  }

  end(completed: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#totalTimer);
    clearTimeout(this.#waitTimer);
    this.#outer?.removeEventListener("abort", this.#onOuterAbort);
    if (!completed) {
      const reason = this.#aborted ? this.#reason : new DOMException("The answer is no longer wanted", "AbortError");
      this.#controller?.abort(reason);
    }
  }

  #reason: unknown;

  #abort(reason: unknown): void {
    if (this.#ended) return;
    this.#aborted = true;
    this.#reason = reason;
    this.onAbort?.(reason);
    this.end(false);
  }

  readonly #onOuterAbort = (): void => this.#abort(this.#outer?.reason);

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    const { signal } = this.#options;
    const timeout = this.#options.timeout ?? this.#defaults.timeout ?? 0;
    if (signal?.aborted) {
      this.#outer = signal;
      return this.#onOuterAbort();
    }
    if (signal !== undefined) {
      this.#outer = signal;
      signal.addEventListener("abort", this.#onOuterAbort);
    }
    if (timeout > 0 && timeout <= MAX_TIMER) {
      this.#totalTimer = setTimeout(() => this.#abort(totalTimeout(timeout)), timeout);
    }
  }

  #waitLimit(): number {
    return this.#first
      ? this.#options.firstTokenTimeout ?? this.#defaults.firstTokenTimeout ?? 300_000
      : this.#options.idleTimeout ?? this.#defaults.idleTimeout ?? 60_000;
  }

  /** One timer for all waits of a call, set anew only when it fires: setting one costs more than a chunk does. */
  #setWaitTimer(delay: number): void {
    if (delay <= 0) return;
    this.#waitTimer = setTimeout(() => {
      this.#waitTimer = undefined;
      const limit = this.#waitLimit();
      if (this.#waitingSince === undefined || limit <= 0) return;
      const rest = limit - (performance.now() - this.#waitingSince);
      if (rest > 0) this.#setWaitTimer(rest);
      else this.#abort(this.#first ? firstTokenTimeout(limit) : idleTimeout(limit));
    }, Math.min(delay, MAX_TIMER));
  }
}

class CallContext implements ModelContext {
  readonly #call: Call;
  #requestId: string | undefined;

  constructor(call: Call, requestId: string | undefined) {
    this.#call = call;
    this.#requestId = requestId;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get requestId(): string {
    return this.#requestId ??= createId("req_");
  }
}

function firstTokenTimeout(limit: number): TimeoutError {
  return new TimeoutError(
    `Cannot answer: the model gave nothing within ${limit} ms. It may still be loading: try again, or raise "firstTokenTimeout"`,
    { code: "first_token_timeout" },
  );
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
