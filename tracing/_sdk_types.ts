// Types only: nothing of the SDK is loaded for them.
export type { ReadableSpan, Sampler, SpanProcessor } from "npm:@opentelemetry/sdk-trace@^2.12.1";
