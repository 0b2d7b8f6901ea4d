import { objectOf, textOf } from "../_span_translation.ts";
import { dumpJson } from "../_trace_json.ts";
import type { CheckedSpan } from "../_trace_spans.ts";
import { COST_KEYS } from "../_trace_usage.ts";
import type { TraceTables } from "./_trace_tables.ts";
import type { Database, SqlValue } from "./database.ts";

/** Characters of the name of a model or of its provider in their columns. */
const MAX_MODEL_LENGTH = 500;

/** Writes a span, in the place of the one with its id. */
export function writeSpanRow(
  { database, tables }: { readonly database: Database; readonly tables: TraceTables },
  experimentId: string,
  span: CheckedSpan,
): void {
  const { attributes } = span;
  const model = textOf(attributes["mlflow.llm.model"]);
  const provider = textOf(attributes["mlflow.llm.provider"]);
  const cost = objectOf(attributes["mlflow.llm.cost"]) ?? {};
  const costs = COST_KEYS.flatMap((key): [string, number][] => {
    const value = cost[key];
    return typeof value === "number" && Number.isFinite(value) ? [[key, value]] : [];
  });
  const dimensions = {
    ...(model && { "mlflow.llm.model": model }),
    ...(provider && { "mlflow.llm.provider": provider }),
  };
  const optional: { readonly [column: string]: SqlValue } = {
    dimension_attributes: Object.keys(dimensions).length === 0 ? null : dumpJson(dimensions) ?? null,
    ...Object.fromEntries(COST_KEYS.map((key) => [key, null])),
    ...Object.fromEntries(costs),
    model_name: model?.slice(0, MAX_MODEL_LENGTH) ?? null,
    model_provider: provider?.slice(0, MAX_MODEL_LENGTH) ?? null,
  };
  const values: { readonly [column: string]: SqlValue } = {
    trace_id: span.traceId,
    experiment_id: experimentId,
    span_id: span.spanId,
    parent_span_id: span.parentId ?? null,
    name: span.name,
    type: textOf(attributes["mlflow.spanType"]) ?? null,
    status: span.status.code,
    // As text, which the columns turn into whole numbers: JavaScript's are not exact there.
    start_time_unix_nano: String(span.startTime),
    end_time_unix_nano: span.endTime === undefined ? null : String(span.endTime),
    content: contentOf(span),
    ...Object.fromEntries(Object.entries(optional).filter(([column]) => tables.has(`spans.${column}`))),
  };
  const columns = Object.keys(values);
  const changes = columns.filter((column) => column !== "trace_id" && column !== "span_id");
  database.run(
    `INSERT INTO spans (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")}) ` +
      `ON CONFLICT (trace_id, span_id) DO UPDATE SET ${changes.map((name) => `${name} = excluded.${name}`).join(", ")}`,
    Object.values(values),
  );
  if (tables.has("spans.total_cost") || !tables.has("span_metrics.value")) return;
  for (const [key, value] of costs) {
    database.run(
      "INSERT INTO span_metrics (trace_id, span_id, key, value) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (trace_id, span_id, key) DO UPDATE SET value = excluded.value",
      [span.traceId, span.spanId, key, value],
    );
  }
}

/** A span as MLflow's column `content` has it: ids in Base64, times as whole numbers of any size. */
function contentOf(span: CheckedSpan): string {
  const { traceId, parentId, status } = span;
  const base64 = (hex: string) => `"${Uint8Array.fromHex(hex.replace(/^tr-/, "")).toBase64()}"`;
  const events = span.events.map(({ name, time, attributes }) =>
    `{"name": ${dumpJson(name)}, "time_unix_nano": ${time}, "attributes": ${dumpJson(attributes)}}`
  );
  const links = span.links.map(({ traceId, spanId, attributes }) => ({
    trace_id: traceId,
    span_id: spanId,
    attributes,
  }));
  return [
    `{"trace_id": ${base64(traceId)}`,
    `"span_id": ${base64(span.spanId)}`,
    `"parent_span_id": ${parentId === undefined ? "null" : base64(parentId)}`,
    `"name": ${dumpJson(span.name)}`,
    `"start_time_unix_nano": ${span.startTime}`,
    `"end_time_unix_nano": ${span.endTime ?? "null"}`,
    `"events": [${events.join(", ")}]`,
    `"status": {"code": "STATUS_CODE_${status.code}", "message": ${dumpJson(status.message)}}`,
    `"attributes": ${dumpJson(span.attributes)}`,
    `"links": ${dumpJson(links)}}`,
  ].join(", ");
}
