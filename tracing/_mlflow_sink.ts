import { MlflowHttp } from "../tracking/rest/http.ts";
import { RestExperiments } from "../tracking/rest/experiments.ts";
import { TrackingError } from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import type { ProtobufTraceSerializer } from "./_sdk.ts";
import type { ReadableSpan } from "./_sdk_types.ts";
import type { TraceSink } from "./trace_sink.ts";
import type { TracingOptions } from "./tracing_options.ts";

/** Options for {@linkcode MlflowSink}. */
export interface MlflowSinkOptions extends Pick<TracingOptions, "experiment" | "runId" | "headers"> {
  /** Milliseconds that a request may take. */
  readonly timeout: number;
  readonly serializer: typeof ProtobufTraceSerializer;
}

/** MLflow's "Default", which every server has from the start. */
const DEFAULT_EXPERIMENT_ID = "0";

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

  constructor(uri: string, options: MlflowSinkOptions) {
    const { headers, timeout } = options;
    // Tried again by those who hand over spans: they know what waits, and when to stop.
    this.#http = new MlflowHttp(uri, { maxRetries: 0, timeout, ...(headers !== undefined && { headers }) });
    this.#options = options;
    this.name = `MLflow at "${this.#http.uri}"`;
  }

  async write(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<void> {
    const { serializer, runId } = this.#options;
    const experimentId = this.#experimentId ??= await this.#findExperiment();
    const body = serializer.serializeRequest([...spans]);
    if (body === undefined) {
      throw new TrackingError("INVALID_PARAMETER_VALUE", "Cannot send traces: the spans cannot be written down");
    }
    const headers = {
      "content-type": "application/x-protobuf",
      "x-mlflow-experiment-id": experimentId,
      ...(runId !== undefined && { "x-mlflow-run-id": runId }),
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
  }

  close(): void {
    this.#http[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #findExperiment(): Promise<string> {
    const { experiment } = this.#options;
    if (typeof experiment === "object") return experiment.experimentId;
    const { env } = this.#http;
    const name = experiment ?? env("MLFLOW_EXPERIMENT_NAME");
    if (!name) return env("MLFLOW_EXPERIMENT_ID") || DEFAULT_EXPERIMENT_ID;
    const experiments = new RestExperiments(this.#http);
    const found = await experiments.getByName(name);
    if (found?.lifecycleStage === "deleted") {
      throw new ChatModelError(
        `Cannot send traces: experiment "${name}" is deleted. Restore it, or name another one`,
        { code: "invalid_parameter_value", status: 400 },
      );
    }
    return found?.experimentId ?? await this.#create(experiments, name);
  }

  async #create(experiments: RestExperiments, name: string): Promise<string> {
    try {
      return await experiments.create({ name });
    } catch (error) {
      // Another process was quicker: its is as good.
      const made = await experiments.getByName(name);
      if (made === undefined) throw error;
      return made.experimentId;
    }
  }
}
