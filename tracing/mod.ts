/**
 * Traces: what a model was asked, what it answered, what it did on the way, and how long all that took.
 *
 * Every call of a loaded model is a span, open until its reader is done. {@linkcode enableTracing} sets up where spans
 * go; {@linkcode instrument} hands them to the OpenTelemetry SDK that the program has already, or to Deno's own. Authors
 * add steps by {@linkcode withSpan} and {@linkcode trace}, and notes by `context.span`.
 *
 * @module
 */
export type { ModelSpan, RequestContext } from "../call_observer.ts";
export type { JsonValue } from "../model_config.ts";
export { requestContext } from "../request_context.ts";
export { enableTracing, Tracing } from "./enable_tracing.ts";
export { instrument, type InstrumentOptions } from "./instrument.ts";
export { type SpanOptions, type SpanType, trace, type TraceOptions, withSpan } from "./with_span.ts";
export type {
  FinishedSpan,
  SpanAttributes,
  SpanAttributeValue,
  SpanEvent,
  SpanExporterLike,
  SpanPlace,
  SpanTime,
  TraceSink,
} from "./trace_sink.ts";
export type { RedactableSpan, TracingDestination, TracingOptions } from "./tracing_options.ts";
