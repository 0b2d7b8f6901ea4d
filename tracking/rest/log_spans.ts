import { invalid } from "../limits.ts";
import { TrackingError } from "../errors.ts";
import type { TraceSpanInput } from "../trace_entities.ts";
import { checkLogSpansOptions } from "../_trace_checks.ts";
import { factsOfSpans, type TraceFacts } from "../_trace_facts.ts";
import { TRACE_KEYS } from "../_trace_keys.ts";
import { previewOf } from "../_trace_preview.ts";
import { checkSpans } from "../_trace_spans.ts";
import type { LogSpansOptions } from "../trace_store.ts";
import { toOtlp } from "./_otlp.ts";
import { anySchema } from "./_schemas.ts";
import { send } from "./call.ts";
import type { MlflowHttp } from "./http.ts";

/**
 * Sends spans to a tracking server: by OTLP, and then for each trace whose first span has ended what MLflow's own client
 * says of a trace besides.
 *
 * @param http What to send by.
 * @param experimentId Experiment for traces that there are not yet.
 * @param batch The spans, and what is said of their traces.
 */
export async function sendSpans(
  http: MlflowHttp,
  experimentId: string,
  batch: { readonly spans: readonly TraceSpanInput[]; readonly options: LogSpansOptions },
): Promise<void> {
  const action = `log spans to experiment "${experimentId}"`;
  const { options } = batch;
  const { signal } = options;
  signal?.throwIfAborted();
  checkLogSpansOptions(action, options);
  const spans = checkSpans(action, batch.spans);
  if (spans.length === 0) return;
  if (!/^\d+$/.test(experimentId)) throw invalid(action, `"${experimentId}" is no id of an experiment: ids are digits`);
  const content = new TextEncoder().encode(JSON.stringify(toOtlp(spans)));
  try {
    await http.put("/v1/traces", () => Promise.resolve({ content }), {
      action,
      method: "POST",
      headers: { "content-type": "application/json", "x-mlflow-experiment-id": experimentId },
      signal,
    });
  } catch (error) {
    throw explained(error, action);
  }
  for (const [traceId, trace] of factsOfSpans(spans, options)) {
    if (trace.root?.endTime === undefined) continue;
    await send(http, {
      action,
      path: "/api/3.0/mlflow/traces",
      body: { trace: { trace_info: infoOf(experimentId, { traceId, trace }) } },
      schema: anySchema,
      signal,
    });
  }
}

/** What is said of a trace that has ended: its spans tell the rest. */
function infoOf(
  experimentId: string,
  { traceId, trace }: { readonly traceId: string; readonly trace: TraceFacts },
): object {
  const { root, start, end = start, session, user, metadata, tags } = trace;
  const inputs = root?.attributes["mlflow.spanInputs"];
  const outputs = root?.attributes["mlflow.spanOutputs"];
  return {
    trace_id: traceId,
    trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: experimentId } },
    request_time: new Date(start).toISOString(),
    execution_duration: `${((end - start) / 1000).toFixed(3)}s`,
    state: root?.status.code === "ERROR" ? "ERROR" : "OK",
    ...(inputs !== undefined && { request_preview: previewOf(inputs, "user") }),
    ...(outputs !== undefined && { response_preview: previewOf(outputs, "assistant") }),
    trace_metadata: {
      [TRACE_KEYS.schemaVersion]: "3",
      ...(session !== undefined && { [TRACE_KEYS.session]: session }),
      ...(user !== undefined && { [TRACE_KEYS.user]: user }),
      ...metadata,
    },
    tags: { [TRACE_KEYS.name]: root?.name ?? "", ...tags },
  };
}

/** Servers that are too old say so in ways that do not tell it. */
function explained(error: unknown, action: string): unknown {
  if (!(error instanceof TrackingError)) return error;
  const isTooOld = error.errorCode === "ENDPOINT_NOT_FOUND" || error.status === 405 ||
    error.status === 400 && error.message.includes("Content-Type");
  if (!isTooOld) return error;
  return new TrackingError(
    "ENDPOINT_NOT_FOUND",
    `Cannot ${action}: the server does not take spans by OTLP in JSON. Use a server of MLflow 3.12 or newer`,
    { cause: error },
  );
}
