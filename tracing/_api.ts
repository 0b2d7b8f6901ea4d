// The one place that says which version of OpenTelemetry's API is meant. 1.9, as a later one does not see the providers
// that programs with 1.9 have registered, while 1.9 sees those of both.
export {
  type Attributes,
  type Context,
  context,
  createContextKey,
  createNoopMeter,
  createTraceState,
  type Histogram,
  isSpanContextValid,
  metrics,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
