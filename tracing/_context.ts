import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  type Context,
  context,
  createContextKey,
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  trace,
} from "./_api.ts";
import type { RequestContext } from "../call_observer.ts";
import { Instrumentation } from "./_instrumentation.ts";

const CALL = createContextKey("chatmodel.call");

/** Has contexts follow asynchronous code, unless someone has seen to that already. */
export function ensureContextManager(): void {
  const manager = new AsyncLocalStorageContextManager();
  // Refused where there is one: that of the program, or Deno's own.
  if (context.setGlobalContextManager(manager)) manager.enable();
}

/** Who traces the call that the running code belongs to, and the call. */
export interface ActiveCall {
  readonly instrumentation: Instrumentation;
  /** The call of a model. */
  readonly call: { provider: string | undefined };
}

/** Says in a context whose call it belongs to. */
export function withCall(base: Context, instrumentation: Instrumentation, call: ActiveCall["call"]): Context {
  return base.setValue(CALL, { instrumentation, call } satisfies ActiveCall);
}

/** The call that the running code belongs to. */
export function activeCall(): ActiveCall | undefined {
  const value = context.active().getValue(CALL);
  return isActiveCall(value) ? value : undefined;
}

function isActiveCall(value: unknown): value is ActiveCall {
  return typeof value === "object" && value !== null && "instrumentation" in value &&
    value.instrumentation instanceof Instrumentation;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * The context of a call that came from elsewhere. What is active already wins: it is nearer.
 *
 * By hand, not by the propagator of the program, which may be set to another form.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parentContext({ traceparent, tracestate }: RequestContext = {}): Context {
  const active = context.active();
  if (traceparent === undefined || trace.getSpanContext(active) !== undefined) return active;
  const [, version, traceId = "", spanId = "", flags = "", rest] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return active;
  const spanContext: SpanContext = {
    traceId,
    spanId,
    traceFlags: parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(spanContext) ? trace.setSpanContext(active, spanContext) : active;
}

/** What whoever is called is to be told of a span, in the form of W3C's Trace Context. */
export function traceHeaders({ traceId, spanId, traceFlags, traceState }: SpanContext): Record<string, string> {
  const tracestate = traceState?.serialize();
  return {
    traceparent: `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, "0")}`,
    ...(tracestate && { tracestate }),
  };
}
