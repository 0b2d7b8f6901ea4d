import { trace } from "@opentelemetry/api";
import { type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import { type FinishedSpan, instrument, type InstrumentOptions } from "../../tracing/mod.ts";

export type { ReadableSpan };

/** Runs something with an SDK's provider in place; gives the spans that ended, in that order. */
export async function spansOf(
  body: () => unknown,
  options: InstrumentOptions = { captureContent: true },
): Promise<readonly ReadableSpan[]> {
  const ended: ReadableSpan[] = [];
  const nothing = () => Promise.resolve();
  const processor = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: nothing,
    shutdown: nothing,
  };
  const provider = new TracerProvider({ spanProcessors: [processor] });
  trace.setGlobalTracerProvider(provider);
  const end = instrument(options);
  try {
    await body();
    return ended;
  } finally {
    end();
    trace.disable();
    await provider.shutdown();
  }
}

/** Spans as a tree: name, kind of span and status, those below indented. */
export function treeOf(spans: readonly FinishedSpan[], parent?: string, indent = ""): string[] {
  return spans
    .filter((span) => span.parentSpanContext?.spanId === parent)
    .sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
    .flatMap((span) => [
      `${indent}${span.name} [${span.attributes["mlflow.spanType"]}] ${["UNSET", "OK", "ERROR"][span.status.code]}`,
      ...treeOf(spans, span.spanContext().spanId, `${indent}  `),
    ]);
}

/** Attributes of the span of a name, in the order of their names. */
export function attributesOf(spans: readonly FinishedSpan[], name: string): Record<string, unknown> {
  const span = spans.find((span) => span.name === name);
  if (span === undefined) throw new Error(`No span "${name}": ${spans.map(({ name }) => name)}`);
  return Object.fromEntries(Object.entries(span.attributes).sort(([a], [b]) => a < b ? -1 : 1));
}
