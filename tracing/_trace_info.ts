import { previewOf } from "../tracking/_trace_preview.ts";
import type { FinishedSpan, SpanTime } from "./trace_sink.ts";

/**
 * What MLflow's REST API is told of a trace besides its spans. It takes the place of what the server has found out, so
 * all of it is said anew.
 *
 * @param experimentId Where it belongs.
 * @param span The first span.
 * @param metadata What is to be known of the trace.
 * @returns `trace_info` of MLflow's API.
 */
export function traceInfoOf(
  experimentId: string,
  span: FinishedSpan,
  metadata: { readonly [name: string]: string },
): object {
  const { name, status, startTime, endTime, attributes } = span;
  const start = milliseconds(startTime);
  const text = (key: string) => {
    const value = attributes[key];
    return typeof value === "string" ? value : undefined;
  };
  const inputs = text("mlflow.spanInputs");
  const outputs = text("mlflow.spanOutputs");
  const session = text("session.id");
  const user = text("user.id");
  return {
    trace_id: `tr-${span.spanContext().traceId}`,
    trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: experimentId } },
    request_time: new Date(start).toISOString(),
    execution_duration: `${((milliseconds(endTime) - start) / 1000).toFixed(3)}s`,
    state: status.code === 2 ? "ERROR" : "OK",
    ...(inputs !== undefined && { request_preview: previewOf(inputs, "user") }),
    ...(outputs !== undefined && { response_preview: previewOf(outputs, "assistant") }),
    trace_metadata: {
      "mlflow.trace_schema.version": "3",
      ...(session !== undefined && { "mlflow.trace.session": session }),
      ...(user !== undefined && { "mlflow.trace.user": user }),
      ...metadata,
    },
    tags: { "mlflow.traceName": name, ...tagsOf(attributes) },
  };
}

const TAG = "mlflow.traceTag.";

function tagsOf(attributes: FinishedSpan["attributes"]): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith(TAG) && typeof value === "string" ? [[name.slice(TAG.length), value]] : []
    ),
  );
}

function milliseconds([seconds, rest]: SpanTime): number {
  return seconds * 1000 + Math.floor(rest / 1_000_000);
}
