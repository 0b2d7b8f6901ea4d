import { type Attributes, createNoopMeter, type Histogram, metrics } from "./_api.ts";
import { SCOPE } from "./_instrumentation.ts";

/** What was measured of a call. */
export interface Measured {
  /** Attributes that all figures carry. */
  readonly attributes: Attributes;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds to the first chunk, of a stream. */
  readonly timeToFirstChunk: number | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

interface Instruments {
  readonly duration: Histogram;
  readonly firstChunk: Histogram;
  readonly tokens: Histogram;
}

/** Boundaries that OpenTelemetry's conventions ask for. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

/** Whether anyone counts calls. */
export function isMeasured(): boolean {
  return currentInstruments() !== undefined;
}

let provider: unknown;
let instruments: Instruments | undefined;

/**
 * Counts a call in the histograms of OpenTelemetry's conventions for generative AI.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export function measure({ attributes, duration, timeToFirstChunk, inputTokens, outputTokens }: Measured): void {
  const to = currentInstruments();
  if (to === undefined) return;
  to.duration.record(duration / 1000, attributes);
  if (timeToFirstChunk !== undefined) to.firstChunk.record(timeToFirstChunk / 1000, attributes);
  if (inputTokens !== undefined) to.tokens.record(inputTokens, { ...attributes, "gen_ai.token.type": "input" });
  if (outputTokens !== undefined) to.tokens.record(outputTokens, { ...attributes, "gen_ai.token.type": "output" });
}

/** Made anew where the program has registered another provider: the API has none that passes on, as for spans. */
function currentInstruments(): Instruments | undefined {
  const current = metrics.getMeterProvider();
  if (provider === current) return instruments;
  provider = current;
  const meter = current.getMeter(SCOPE);
  // That of a program that counts nothing.
  if (meter === createNoopMeter()) return instruments = undefined;
  const histogram = (name: string, unit: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries } });
  return instruments = {
    duration: histogram("gen_ai.client.operation.duration", "s", "How long calls of models take", SECONDS),
    firstChunk: histogram(
      "gen_ai.client.operation.time_to_first_chunk",
      "s",
      "How long the first chunk of a stream takes",
      SECONDS,
    ),
    tokens: histogram("gen_ai.client.token.usage", "{token}", "Tokens that calls of models take", TOKENS),
  };
}
