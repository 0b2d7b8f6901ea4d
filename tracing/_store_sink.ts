import { Worker } from "node:worker_threads";
import { TrackingError } from "../tracking/errors.ts";
import type { TraceSpanInput } from "../tracking/mod.ts";
import { linksOf } from "./_links.ts";
import type { SpanGroup, StoreAnswer, StoreOptions, StoreOrder } from "./_store_messages.ts";
import type { FinishedSpan, SpanTime, TraceSink } from "./trace_sink.ts";

/** Writes spans into MLflow's database on this machine, by a thread of its own. */
export class StoreSink implements TraceSink {
  readonly name: string;
  readonly #worker: Worker;
  /** Who waits for answers, in the order of what was asked. */
  readonly #waiting: { resolve(): void; reject(error: unknown): void }[] = [];
  #ended: Error | undefined;
  /** The write in course: the next waits for it, so that no more than one is in the other thread. */
  #writing: Promise<void> | undefined;

  /**
   * Opens a database.
   *
   * @param uri Its URI, such as `sqlite:///mlflow.db`.
   * @param options Experiment and run.
   * @returns The sink.
   * @throws {TrackingError} If it cannot be opened, or has no such experiment.
   */
  static async open(uri: string, options: StoreOptions): Promise<StoreSink> {
    const sink = new StoreSink(uri);
    try {
      const { experiment, runId } = options;
      await sink.#ask({
        kind: "open",
        uri,
        options: { ...(experiment !== undefined && { experiment }), ...(runId !== undefined && { runId }) },
      });
      return sink;
    } catch (error) {
      await sink.#worker.terminate();
      throw error;
    }
  }

  private constructor(uri: string) {
    this.name = `"${uri}"`;
    this.#worker = new Worker(workerUrl());
    // A program that ends by itself is not kept from it by the thread, but by what it is to write.
    this.#worker.unref();
    this.#worker.on("message", (answer: StoreAnswer) => this.#take(answer));
    this.#worker.on("error", (error: unknown) => this.#end(error));
    this.#worker.on("exit", () => this.#end(new Error("its thread has ended")));
  }

  async write(spans: readonly FinishedSpan[], signal: AbortSignal): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    signal.throwIfAborted();
    const writing = this.#ask({ kind: "write", groups: groupsOf(spans) });
    const end = () => void (this.#writing = undefined);
    this.#writing = writing.then(end, end);
    await writing;
  }

  async close(): Promise<void> {
    const isIdle = this.#waiting.length === 0;
    // One that hangs at a locked database would be waited for as long as SQLite does.
    if (isIdle && this.#ended === undefined) await this.#ask({ kind: "close" });
    await this.#worker.terminate();
  }

  #ask(order: StoreOrder): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#lost(this.#ended));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(order);
    });
  }

  #take(answer: StoreAnswer): void {
    const first = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (answer.ok) return first?.resolve();
    const { errorCode, message, retryable, code } = answer;
    first?.reject(new TrackingError(errorCode, message, { retryable, ...(code !== undefined && { code }) }));
  }

  #end(reason: unknown): void {
    this.#ended ??= reason instanceof Error ? reason : new Error(String(reason));
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost(this.#ended));
  }

  #lost(cause: Error): TrackingError {
    return new TrackingError("INTERNAL_ERROR", `Cannot write traces to ${this.name}: ${cause.message}`, { cause });
  }
}

/** Node's threads, which may be let go of, take files only: others are imported by one that is made here. */
function workerUrl(): URL {
  const url = new URL("./_store_worker.ts", import.meta.url);
  if (url.protocol === "file:") return url;
  return new URL(`data:application/typescript,${encodeURIComponent(`import ${JSON.stringify(url.href)};`)}`);
}

/** Spans by what the first ones of their traces say of the model: a store takes that once for all that it is given. */
function groupsOf(spans: readonly FinishedSpan[]): SpanGroup[] {
  const groups = new Map<string, SpanGroup>();
  for (const span of spans) {
    const metadata = (span.parentSpanContext === undefined ? linksOf(span) : undefined) ?? {};
    const key = JSON.stringify(metadata);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, group = { metadata, spans: [] });
    group.spans.push(toInput(span));
  }
  return [...groups.values()];
}

const CODES = ["UNSET", "OK", "ERROR"] as const;

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
  return BigInt(seconds) * 1_000_000_000n + BigInt(Math.trunc(rest));
}
