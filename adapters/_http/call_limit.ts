import { beginUpstream, type UpstreamCall, type UpstreamObservation } from "./upstream_observer.ts";

/** What limits a call: the caller's signal, and perhaps a clock. */
export interface CallLimitOptions {
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until {@linkcode CallLimit.reached} must have been called; none if absent or not finite. */
  readonly milliseconds?: number | undefined;
  /** What the call fails with when the clock has run out. */
  readonly timeoutError?: (milliseconds: number) => Error;
  /** Whether the call may end itself by {@linkcode CallLimit.abort}. */
  readonly isOwn?: boolean;
}

/** The longest that a timer can run. */
const MAX_TIMER = 2 ** 31 - 1;

/**
 * Joins a caller's signal and a clock in one signal.
 *
 * Without a clock it is the caller's signal itself: `AbortSignal.any` or a controller
 * would be made for each call for nothing.
 */
export class CallLimit {
  /** Aborted when the call must end. */
  readonly signal: AbortSignal | undefined;
  #controller: AbortController | undefined;
  #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Who is told of the call, if anyone. It ends with the call. */
  #observation: UpstreamObservation | undefined;

  constructor(options: CallLimitOptions) {
    const { signal, milliseconds, timeoutError, isOwn = false } = options;
    const hasClock = milliseconds !== undefined && milliseconds <= MAX_TIMER;
    this.#outer = signal;
    this.signal = signal;
    if (!hasClock && !isOwn) return;
    const controller = this.#controller = new AbortController();
    this.signal = controller.signal;
    if (signal?.aborted) controller.abort(signal.reason);
    else signal?.addEventListener("abort", this);
    if (hasClock && !controller.signal.aborted) {
      this.#timer = setTimeout(() => this.abort(timeoutError?.(milliseconds)), milliseconds);
    }
  }

  /** The caller's signal has fired. */
  handleEvent(): void {
    this.abort(this.#outer?.reason);
  }

  /** What was waited for is there: stops the clock. */
  reached(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Tells who wants to know that the call's request is about to be sent. */
  observe(call: UpstreamCall): UpstreamObservation | undefined {
    return this.#observation = beginUpstream(call);
  }

  /** The call has failed; it is still to be ended. */
  fail(reason: unknown): void {
    this.#observation?.fail(reason);
  }

  /** Ends the call, if it may end itself. */
  abort(reason?: unknown): void {
    this.fail(reason);
    this.end();
    this.#controller?.abort(reason);
  }

  /** The call is over: lets go of the clock and the caller's signal. */
  end(): void {
    this.reached();
    if (this.#observation !== undefined) {
      if (this.signal?.aborted) this.fail(this.signal.reason);
      this.#observation.end();
    }
    if (this.#controller !== undefined) this.#outer?.removeEventListener("abort", this);
  }
}
