import type { SpanContext } from "./_api.ts";
import type { ReadableSpan } from "./_sdk_types.ts";

export type { ReadableSpan, SpanContext };

/** Where spans are kept: a store, a server, a console. */
export interface TraceSink {
  /** What it is, for messages, such as `MLflow at "http://127.0.0.1:5000"`. */
  readonly name: string;
  /**
   * Takes spans that have ended. Those of one trace may come in several calls, a child before its parent; a span comes
   * again if an earlier call failed in a way that does not tell whether it was kept. Never called twice at once.
   *
   * @param spans The spans; at least one.
   * @param signal Fires when the time for it is over.
   * @returns When they are kept.
   * @throws {ChatModelError} With `retryable` if another try may help. After any other failure these spans are lost.
   */
  write(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void>;
  /** Lets go of what it holds; nothing is written after. */
  close?(): void | Promise<void>;
}
