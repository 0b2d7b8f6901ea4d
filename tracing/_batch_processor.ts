import { ChatModelError } from "../types/mod.ts";
import { TraceFlags } from "./_api.ts";
import { deferredOf } from "./_deferred.ts";
import { toJson } from "./_json.ts";
import { type PrepareOptions, prepareSpan } from "./_prepare_span.ts";
import type { ReadableSpan, SpanProcessor } from "./_sdk_types.ts";
import type { TraceSink } from "./trace_sink.ts";

/** How spans wait and go. */
export interface BatchOptions {
  /** Most spans that wait; those under way count. */
  readonly maxQueueSpans: number;
  /** Most bytes of content that wait, about. */
  readonly maxQueueBytes: number;
  /** Most spans that go at once. */
  readonly batchSize: number;
  /** Milliseconds that a span waits for others. */
  readonly interval: number;
  /** Milliseconds that one try may take. */
  readonly timeout: number;
  /** Milliseconds before the second try; doubled from try to try. */
  readonly retryDelay: number;
  /** Told what was lost, and that the sink cannot be reached. */
  readonly onWarning: (message: string) => void;
}

/** Longest wait between two tries, in milliseconds. */
const MAX_RETRY_DELAY = 30_000;

/** Writing spans down on this thread takes at most one part in so many of the time. */
const PAUSE = 30;
/**
 * The same once whole traces are left out, as calls come quicker than that: sending and collecting garbage, which cannot
 * be measured, take several times as long as writing down, and calls need the time.
 */
const PAUSE_WHEN_FULL = 150;

/** Bytes that a span takes besides what was said, about. */
const SPAN_BYTES = 2_000;

interface Waiting {
  readonly span: ReadableSpan;
  readonly bytes: number;
}

/**
 * Brings spans to a sink in batches, one after the other. Calls never wait for it: what does not fit is dropped and
 * counted.
 */
export class BatchProcessor implements SpanProcessor {
  /** Spans that were lost. */
  dropped = 0;
  readonly #sink: TraceSink;
  readonly #options: BatchOptions;
  readonly #prepare: PrepareOptions;
  #queue: Waiting[] = [];
  /** Spans and bytes that wait or are under way. */
  #spans = 0;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #attempt: AbortController | undefined;
  /** Tries that failed since the last that did not. */
  #failures = 0;
  /** Whether the last of them did not even get there. */
  #isUnreachable = false;
  #toldOfLoss = 0;
  #isClosed = false;
  #wasFull = false;
  /** Until when nothing is sent of its own accord, by `performance.now()`. */
  #pausedUntil = 0;
  /** How many wait for all to be sent. */
  #flushes = 0;

  constructor(sink: TraceSink, options: BatchOptions, prepare: PrepareOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#prepare = prepare;
  }

  /** Spans that wait or are under way. */
  get pending(): number {
    return this.#spans;
  }

  /**
   * Whether no more traces are to begin. Once it was full, half of the room must be free again: traces that begin one by
   * one as places become free would be incomplete more often, and cost more.
   */
  get isFull(): boolean {
    const { maxQueueSpans, maxQueueBytes } = this.#options;
    const share = this.#wasFull ? 0.5 : 1;
    return this.#wasFull = this.#spans >= maxQueueSpans * share || this.#bytes >= maxQueueBytes * share;
  }

  /** A trace is not even begun, as there is no room for it. */
  skip(): void {
    this.#drop(1);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    const { maxQueueSpans, maxQueueBytes, batchSize } = this.#options;
    const bytes = sizeOf(span);
    if (this.#isClosed || this.#spans >= maxQueueSpans || this.#bytes + bytes > maxQueueBytes) return this.#drop(1);
    this.#spans++;
    this.#bytes += bytes;
    this.#queue.push({ span, bytes });
    if (this.#timer === undefined) this.#schedule();
    // Enough for a batch: no reason to wait, unless the sink wants to be left alone.
    else if (this.#queue.length === batchSize && this.#failures === 0) this.#schedule();
  }

  /**
   * Sends all that waits. A sink that is slow or busy is tried again as long as there is time; one that cannot be reached
   * is not.
   *
   * @param timeout Milliseconds that it may take.
   * @returns Whether all was sent.
   */
  async flush(timeout: number): Promise<boolean> {
    this.#flushes++;
    try {
      return await this.#flush(timeout);
    } finally {
      this.#flushes--;
    }
  }

  async #flush(timeout: number): Promise<boolean> {
    const until = performance.now() + timeout;
    while (this.#spans > 0) {
      const left = until - performance.now();
      if (left <= 0) return false;
      const failures = this.#failures;
      this.#pausedUntil = 0;
      await within(left, this.#send());
      if (this.#failures <= failures) continue;
      if (this.#isUnreachable) return false;
      const delay = Math.min(this.#delay(), until - performance.now());
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    }
    return true;
  }

  forceFlush(): Promise<void> {
    return this.flush(this.#options.timeout).then(() => {});
  }

  /**
   * Sends what waits and lets go of everything; what is left then is dropped, and what was dropped is said.
   *
   * @param timeout Milliseconds that it may take.
   */
  async close(timeout: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.flush(timeout);
    this.#attempt?.abort(new DOMException("Tracing ends", "AbortError"));
    await this.#sending;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const left = this.#queue.length;
    this.#settle(this.#queue);
    this.#queue = [];
    this.dropped += left;
    if (this.dropped > this.#toldOfLoss) this.#tellOfLoss("Tracing has ended");
    await this.#sink.close?.();
  }

  shutdown(): Promise<void> {
    return this.close(this.#options.timeout);
  }

  #schedule(delay: number = this.#delay()): void {
    if (this.#sending !== undefined) return;
    clearTimeout(this.#timer);
    const timer = this.#timer = setTimeout(() => void this.#send(), delay);
    // A program that ends by itself waits for its spans to be sent, but not for a sink that does not answer.
    if (this.#failures > 0) Deno.unrefTimer(timer);
  }

  #delay(): number {
    const { retryDelay, interval, batchSize } = this.#options;
    if (this.#failures === 0) {
      const wanted = this.#queue.length >= batchSize ? 0 : interval;
      return Math.max(wanted, this.#pausedUntil - performance.now());
    }
    return Math.min(retryDelay * 2 ** (this.#failures - 1), MAX_RETRY_DELAY) * (0.5 + Math.random() / 2);
  }

  #send(): Promise<void> {
    return this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#queue.length > 0 && !this.#isClosed) this.#schedule();
    });
  }

  async #sendAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.batchSize);
      try {
        await this.#write(batch);
        this.#failures = 0;
      } catch (error) {
        if (isRetryable(error)) {
          this.#queue.unshift(...batch);
          this.#failures++;
          this.#isUnreachable = ChatModelError.isInstance(error) && error.code === "upstream_unreachable";
          if (this.#failures === 1 && !this.#isClosed) {
            this.#warn(
              `Cannot send traces to ${this.#sink.name}: ${reasonOf(error)}. Calls are not affected; it is tried again`,
            );
          }
          return;
        }
        this.#settle(batch);
        this.dropped += batch.length;
        this.#tellOfLoss(reasonOf(error));
        continue;
      }
      this.#settle(batch);
      if (this.#pausedUntil > performance.now()) return;
    }
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const began = performance.now();
    const spans: ReadableSpan[] = [];
    for (const { span } of batch) {
      try {
        const prepared = prepareSpan(span, this.#prepare);
        if (prepared !== undefined) spans.push(prepared);
      } catch (error) {
        // Rather lost than sent as it is: it was to be redacted.
        this.#drop(1, `'redact' failed: ${reasonOf(error)}`);
      }
    }
    if (spans.length === 0) return;
    const attempt = this.#attempt = new AbortController();
    const { timeout } = this.#options;
    const timer = setTimeout(() => attempt.abort(lateError(timeout)), timeout);
    // Raced, as a sink may not look at the signal.
    const aborted = new Promise<never>((_, reject) => {
      attempt.signal.addEventListener("abort", () => reject(attempt.signal.reason));
    });
    try {
      const writing = this.#sink.write(spans, attempt.signal);
      // What it took of this thread is a small share of the time: calls come first, also when there are more than can be
      // written down.
      if (this.#flushes === 0) {
        this.#pausedUntil = began + (performance.now() - began) * (this.isFull ? PAUSE_WHEN_FULL : PAUSE);
      }
      await Promise.race([writing, aborted]);
    } finally {
      clearTimeout(timer);
      this.#attempt = undefined;
    }
  }

  #settle(batch: readonly Waiting[]): void {
    this.#spans -= batch.length;
    for (const { bytes } of batch) this.#bytes -= bytes;
  }

  #drop(count: number, why = `${this.#sink.name} does not take them as fast as they come`): void {
    this.dropped += count;
    if (this.#toldOfLoss === 0) this.#tellOfLoss(why);
  }

  #tellOfLoss(why: string): void {
    const isFirst = this.#toldOfLoss === 0;
    // Once when it begins and once in the end: a server that is down for a day must not fill the log.
    if (!isFirst && !this.#isClosed) return;
    this.#toldOfLoss = this.dropped;
    const spans = this.dropped === 1 ? "1 span was" : `${this.dropped} spans were`;
    this.#warn(`Traces are incomplete: ${spans} dropped so far: ${why}`);
  }

  #warn(message: string): void {
    this.#options.onWarning(message);
  }
}

/** Waits for something, but no longer than a time in milliseconds. */
async function within(time: number, awaited: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, time));
  await Promise.race([awaited, late]);
  clearTimeout(timer);
}

function lateError(timeout: number): ChatModelError {
  return new ChatModelError(`no answer within ${timeout} ms`, { code: "timeout", status: 504, retryable: true });
}

function isRetryable(error: unknown): boolean {
  if (ChatModelError.isInstance(error)) return error.retryable;
  // The end of tracing: what it was about counts as left.
  return error instanceof DOMException && error.name === "AbortError";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : toJson(error);
}

/** What makes spans large: what was said. */
const CONTENT = [
  "mlflow.spanInputs",
  "mlflow.spanOutputs",
  "mlflow.chat.tools",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
];

function sizeOf(span: ReadableSpan): number {
  let size = SPAN_BYTES + (deferredOf(span)?.bytes ?? 0);
  for (const name of CONTENT) {
    const value = span.attributes[name];
    if (typeof value === "string") size += value.length * 2;
  }
  return size;
}
