import { openTrackingStore, type TraceSpanInput, type TrackingStore } from "../tracking/mod.ts";
import { experimentIdOf } from "./_experiment.ts";
import { linksOf } from "./_links.ts";
import type { FinishedSpan, SpanTime, TraceSink } from "./trace_sink.ts";
import type { TracingOptions } from "./tracing_options.ts";

const CODES = ["UNSET", "OK", "ERROR"] as const;

/** Spans that are written without a pause: the database takes them on this thread. */
const SLICE = 16;

/** Writes spans into the database of MLflow that lies on this machine. */
export class StoreSink implements TraceSink {
  readonly name: string;
  readonly #store: TrackingStore;
  readonly #options: Pick<TracingOptions, "experiment" | "runId">;
  #experimentId: string | undefined;

  /**
   * @param uri URI of the database, such as `sqlite:///mlflow.db`.
   * @param options Experiment and run.
   * @throws {TrackingError} If it cannot be opened.
   */
  constructor(uri: string, options: Pick<TracingOptions, "experiment" | "runId">) {
    this.#store = openTrackingStore(uri);
    this.#options = options;
    this.name = `"${uri}"`;
  }

  async write(spans: readonly FinishedSpan[], signal: AbortSignal): Promise<void> {
    const { runId } = this.#options;
    const experimentId = this.#experimentId ??= await experimentIdOf(this.#store, this.#options.experiment);
    for (const { metadata, group } of byLinks(spans)) {
      for (let start = 0; start < group.length; start += SLICE) {
        // Calls come first, whenever there are any.
        if (start > 0) await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
        await this.#store.logSpans(experimentId, group.slice(start, start + SLICE), { runId, metadata, signal });
      }
    }
  }

  async close(): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

interface Group {
  readonly metadata: { readonly [name: string]: string };
  readonly group: TraceSpanInput[];
}

/** Spans by what the first ones of their traces say of the model: a store takes that once for all that it is given. */
function byLinks(spans: readonly FinishedSpan[]): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const span of spans) {
    const metadata = (span.parentSpanContext === undefined ? linksOf(span) : undefined) ?? {};
    const key = JSON.stringify(metadata);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, group = { metadata, group: [] });
    group.group.push(toInput(span));
  }
  return groups.values();
}

function toInput(span: FinishedSpan): TraceSpanInput {
  const { traceId, spanId } = span.spanContext();
  const { code, message } = span.status;
  return {
    traceId,
    spanId,
    parentId: span.parentSpanContext?.spanId,
    name: span.name,
    startTime: nanoseconds(span.startTime),
    endTime: nanoseconds(span.endTime),
    status: { code: CODES[code] ?? "UNSET", message },
    attributes: span.attributes,
    events: span.events.map(({ name, time, attributes = {} }) => ({ name, time: nanoseconds(time), attributes })),
  };
}

function nanoseconds([seconds, rest]: SpanTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}
