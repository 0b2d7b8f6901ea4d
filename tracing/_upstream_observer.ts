import { setUpstreamObserver } from "../adapters/_http/upstream_observer.ts";
import type { UpstreamCall, UpstreamObservation, UpstreamObserver } from "../adapters/_http/upstream_observer.ts";
import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from "./_api.ts";
import { activeCall, traceHeaders } from "./_context.ts";
import { lastInstalled } from "./_instrumentation.ts";
import { fail } from "./with_span.ts";

/** How many want requests to upstreams observed. */
let wanted = 0;

/** Makes spans of requests to upstreams, as long as anyone traces. */
export function observeUpstreams(): () => void {
  if (++wanted === 1) setUpstreamObserver(new UpstreamTracer());
  return () => {
    if (--wanted === 0) setUpstreamObserver(undefined);
  };
}

/** Makes a span of each request that is sent on the way of a call or step. */
class UpstreamTracer implements UpstreamObserver {
  begin({ provider, method, url }: UpstreamCall): UpstreamObservation | undefined {
    const parent = context.active();
    // What no call asked for, such as a look whether the upstream is there, would be a trace of its own.
    if (trace.getSpan(parent) === undefined) return undefined;
    const active = activeCall();
    if (active !== undefined) active.call.provider ??= provider;
    const { origin, hostname, port, protocol, pathname } = new URL(url);
    const attributes: Attributes = {
      "mlflow.spanType": "TASK",
      "mlflow.spanLogLevel": 20,
      "gen_ai.provider.name": provider,
      "http.request.method": method,
      // Without the query: some have keys in it.
      "url.full": origin + pathname,
      "server.address": hostname,
      "server.port": Number(port) || (protocol === "https:" ? 443 : 80),
    };
    const { tracer } = active?.instrumentation ?? lastInstalled();
    const span = tracer.startSpan(`${method} ${pathname}`, { kind: SpanKind.CLIENT, attributes }, parent);
    return new UpstreamTrace(span, trace.setSpan(parent, span));
  }
}

/** The span of one request, open until its answer is read. */
class UpstreamTrace implements UpstreamObservation {
  readonly headers: { readonly [name: string]: string };
  readonly #span: Span;
  readonly #context: Context;
  #isOpen = true;

  constructor(span: Span, own: Context) {
    this.#span = span;
    this.#context = own;
    this.headers = isSentByDeno() ? NO_HEADERS : traceHeaders(span.spanContext());
  }

  run<T>(step: () => T): T {
    return context.with(this.#context, step);
  }

  answered(status: number, resends: number): void {
    this.#span.setAttribute("http.response.status_code", status);
    if (resends > 0) this.#span.setAttribute("http.request.resend_count", resends);
  }

  fail(reason: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    fail(this.#span, reason);
  }

  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#span.setStatus({ code: SpanStatusCode.OK });
    this.#span.end();
  }
}

const NO_HEADERS = Object.freeze({});

/** Whether Deno's own tracing is on, which makes a span of each fetch and sends that one's place: twice would be none. */
function isSentByDeno(): boolean {
  const provider: unknown = trace.getTracerProvider();
  return provider === Deno.telemetry?.tracerProvider;
}
