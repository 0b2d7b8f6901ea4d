import type { Call, CallOwner } from "../../_call.ts";
import type { CallEnd, CallObservation, CallObserver, RequestContext, StartedCall } from "../../call_observer.ts";
import type { Listed } from "../../_live_list.ts";
import type { PredictOptions } from "../../loaded_chat_model.ts";

/** Who counts calls. */
export interface CallCounter {
  /** A call has come to its end. Called exactly once for each. */
  ended(call: CountedCall): void;
}

/** One call of a version: stands between whoever asks and the model, to know of its end, and to be able to bring it about. */
export class CountedCall implements CallOwner, CallObserver, Listed<CountedCall> {
  previous: CountedCall | undefined;
  next: CountedCall | undefined;
  listed = false;
  readonly requestId?: string;
  readonly requestContext: RequestContext | undefined;
  readonly observer: CallObserver | undefined;
  readonly firstTokenTimeout?: number;
  readonly idleTimeout?: number;
  readonly timeout?: number;
  readonly #counter: CallCounter;
  readonly #owner: PredictOptions | CallOwner;
  #call: Call | undefined;
  #signal: AbortSignal | undefined;
  #cut: { readonly reason: unknown } | undefined;
  #hasEnded = false;

  /**
   * Begins to count a call.
   *
   * @param counter Is told of its end.
   * @param owner Who it runs for.
   * @param streams Whether it goes on after the method has returned: then the model's own end of it counts.
   * @throws The reason of the caller's signal if it has fired already.
   */
  constructor(counter: CallCounter, owner: PredictOptions | CallOwner, streams: boolean) {
    if (!isOwner(owner)) owner.signal?.throwIfAborted();
    const { requestId, requestContext, firstTokenTimeout, idleTimeout, timeout } = owner;
    if (requestId !== undefined) this.requestId = requestId;
    this.requestContext = requestContext;
    if (firstTokenTimeout !== undefined) this.firstTokenTimeout = firstTokenTimeout;
    if (idleTimeout !== undefined) this.idleTimeout = idleTimeout;
    if (timeout !== undefined) this.timeout = timeout;
    this.observer = streams ? this : owner.observer;
    this.#counter = counter;
    this.#owner = owner;
  }

  attach(call: Call): void {
    this.#call = call;
    if (this.#cut !== undefined) return call.abort(this.#cut.reason);
    if (isOwner(this.#owner)) return this.#owner.attach(call);
    const { signal } = this.#owner;
    if (signal === undefined) return;
    this.#signal = signal;
    if (signal.aborted) this.handleEvent();
    else signal.addEventListener("abort", this);
  }

  /** The caller's signal has fired. */
  handleEvent(): void {
    this.#call?.abort(this.#signal?.reason);
  }

  /** Ends it from outside. */
  abort(reason: unknown): void {
    this.#cut = { reason };
    this.#call?.abort(reason);
  }

  begin(call: StartedCall): CallObservation {
    const inner = this.#owner.observer?.begin(call);
    const end = () => this.end();
    if (inner === undefined) return { end };
    const run = inner.run?.bind(inner);
    return {
      span: inner.span,
      // Only if there is one: a stream of which someone runs each step costs more.
      ...(run !== undefined && { run }),
      chunks: (chunks) => inner.chunks?.(chunks),
      result: (result) => inner.result?.(result),
      end(outcome: CallEnd) {
        end();
        inner.end(outcome);
      },
    };
  }

  /** It has come to its end. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#signal?.removeEventListener("abort", this);
    this.#counter.ended(this);
  }
}

function isOwner(options: PredictOptions | CallOwner): options is CallOwner {
  return "attach" in options;
}
