// Loaded only by those who set up tracing of their own: it is large.
export {
  AlwaysOnSampler,
  ConsoleSpanExporter,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "npm:@opentelemetry/sdk-trace@^2.12.1";
export { ProtobufTraceSerializer } from "npm:@opentelemetry/otlp-transformer@^0.223.1";
export { resourceFromAttributes } from "npm:@opentelemetry/resources@^2.12.1";
