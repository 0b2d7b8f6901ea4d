import { ChatModelError } from "../types/mod.ts";
import type { FinishedSpan, SpanExporterLike, TraceSink } from "./trace_sink.ts";

/** Hands spans to an exporter of OpenTelemetry's SDK. */
export class ExporterSink implements TraceSink {
  readonly name: string;
  readonly #exporter: SpanExporterLike;

  constructor(exporter: SpanExporterLike, name: string = exporter.constructor.name) {
    this.#exporter = exporter;
    this.name = name;
  }

  write(spans: readonly FinishedSpan[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#exporter.export([...spans], ({ code, error }) => {
        // 0 is success. Exporters try again by themselves where that may help.
        if (code === 0) return resolve();
        reject(
          new ChatModelError(`${this.name} failed: ${error?.message ?? "no reason told"}`, {
            code: "traces_refused",
            status: 500,
            ...(error !== undefined && { cause: error }),
          }),
        );
      });
    });
  }

  async close(): Promise<void> {
    await this.#exporter.shutdown();
  }
}
