import { MlflowHttp } from "../tracking/rest/http.ts";
import { RestExperiments } from "../tracking/rest/experiments.ts";
import { TrackingError } from "../tracking/mod.ts";
import { experimentIdOf } from "./_experiment.ts";
import { linksOf } from "./_links.ts";
import { traceInfoOf } from "./_trace_info.ts";
import type { ProtobufTraceSerializer } from "./_sdk.ts";
import type { ReadableSpan } from "./_sdk_types.ts";
import type { TraceSink } from "./trace_sink.ts";
import type { TracingOptions } from "./tracing_options.ts";

/** Traces that MLflow links to a run in one request. */
const MAX_RUN_LINKS = 100;
/** Requests that link at once. */
const LINKS_AT_ONCE = 4;

/** Options for {@linkcode MlflowSink}. */
export interface MlflowSinkOptions extends Pick<TracingOptions, "experiment" | "runId" | "headers"> {
  /** Told once that traces cannot be linked. */
  readonly onWarning: (message: string) => void;
  /** Milliseconds that a request may take. */
  readonly timeout: number;
  readonly serializer: typeof ProtobufTraceSerializer;
}

/**
 * Sends spans to a genuine MLflow server: by OTLP as protobuf, which every version takes that takes OTLP at all.
 *
 * The server makes the trace's figures, previews, session and tags of the spans' attributes itself.
 */
export class MlflowSink implements TraceSink, Disposable {
  readonly name: string;
  readonly #http: MlflowHttp;
  readonly #options: MlflowSinkOptions;
  #experimentId: string | undefined;
  /** Whether the server has refused it for good. */
  #cannotLink = false;
  #hasToldOfLinks = false;

  constructor(uri: string, options: MlflowSinkOptions) {
    const { headers, timeout } = options;
    // Tried again by those who hand over spans: they know what waits, and when to stop.
    this.#http = new MlflowHttp(uri, { maxRetries: 0, timeout, ...(headers !== undefined && { headers }) });
    this.#options = options;
    this.name = `MLflow at "${this.#http.uri}"`;
  }

  async write(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void> {
    const { serializer } = this.#options;
    const experimentId = this.#experimentId ??= await this.#findExperiment();
    const body = serializer.serializeRequest([...spans]);
    if (body === undefined) {
      throw new TrackingError("INVALID_PARAMETER_VALUE", "Cannot send traces: the spans cannot be written down");
    }
    const headers = {
      "content-type": "application/x-protobuf",
      "x-mlflow-experiment-id": experimentId,
    };
    try {
      await this.#http.put("/v1/traces", () => Promise.resolve({ content: new Uint8Array(body) }), {
        action: "send traces",
        method: "POST",
        headers,
        signal,
      });
    } catch (error) {
      if (error instanceof TrackingError && (error.status === 405 || error.errorCode === "ENDPOINT_NOT_FOUND")) {
        throw new TrackingError(
          "ENDPOINT_NOT_FOUND",
          `Cannot send traces: ${this.name} does not take them by OTLP. Use a server of MLflow 3.6 or newer`,
          { cause: error },
        );
      }
      throw error;
    }
    await this.#linkToRun(spans, signal);
    await this.#linkAll(experimentId, spans, signal);
  }

  /** By the REST API: older servers do not know OTLP's header for it. */
  async #linkToRun(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void> {
    const { runId } = this.#options;
    if (runId === undefined) return;
    const traceIds = spans.flatMap((span) =>
      span.parentSpanContext === undefined ? [`tr-${span.spanContext().traceId}`] : []
    );
    try {
      for (let start = 0; start < traceIds.length; start += MAX_RUN_LINKS) {
        await this.#http.request("POST", "/api/2.0/mlflow/traces/link-to-run", {
          action: "link traces to a run",
          body: { run_id: runId, trace_ids: traceIds.slice(start, start + MAX_RUN_LINKS) },
          idempotent: true,
          signal,
        });
      }
    } catch (error) {
      signal.throwIfAborted();
      this.#tellOfLinks(error instanceof Error ? error.message : String(error));
    }
  }

  /** Half of the time is for it at most: the spans themselves are there by now, and must not be sent again for it. */
  async #linkAll(experimentId: string, spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void> {
    const until = performance.now() + this.#options.timeout / 2;
    const waiting = spans.filter((span) => span.parentSpanContext === undefined && linksOf(span) !== undefined);
    const work = async () => {
      for (let span = waiting.pop(); span !== undefined && !this.#cannotLink; span = waiting.pop()) {
        if (performance.now() > until) return this.#tellOfLinks("the server is too slow for it");
        await this.#link(experimentId, span, signal);
      }
    };
    await Promise.all(Array.from({ length: LINKS_AT_ONCE }, work));
  }

  /** Says of a trace which model was called: its spans cannot, as only they are taken by OTLP. */
  async #link(experimentId: string, span: ReadableSpan, signal: AbortSignal): Promise<void> {
    const links = linksOf(span);
    if (links === undefined) return;
    try {
      await this.#http.request("POST", "/api/3.0/mlflow/traces", {
        action: "link traces to models",
        body: { trace: { trace_info: traceInfoOf(experimentId, span, links) } },
        idempotent: true,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      this.#cannotLink ||= !(error instanceof TrackingError && error.retryable);
      this.#tellOfLinks(error instanceof Error ? error.message : String(error));
    }
  }

  #tellOfLinks(why: string): void {
    if (this.#hasToldOfLinks) return;
    this.#hasToldOfLinks = true;
    this.#options.onWarning(`Traces are there, but not all are linked to their models and runs: ${why}`);
  }

  close(): void {
    this.#http[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #findExperiment(): Promise<string> {
    return await experimentIdOf(new RestExperiments(this.#http), this.#options.experiment, this.#http.env);
  }
}
