// Types only: nothing of the SDK is loaded for them.
export type { ReadableSpan, Sampler, SpanProcessor } from "@opentelemetry/sdk-trace";
