// Loaded only by those who set up tracing of their own: it is large.
export {
  AlwaysOnSampler,
  ConsoleSpanExporter,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
export { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
export { resourceFromAttributes } from "@opentelemetry/resources";
