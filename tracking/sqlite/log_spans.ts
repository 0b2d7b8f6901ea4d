import { appendToUri } from "./_append_to_uri.ts";
import { requireActiveExperiment } from "./_records.ts";
import { numberOf, optionalNumber, optionalText, textOf } from "./_rows.ts";
import { writeSpanRow } from "./_span_rows.ts";
import { writeTraceFigures, writeTraceMetadata, writeTraceTags } from "./_trace_writes.ts";
import { type TraceTables, traceTables } from "./_trace_tables.ts";
import type { Database, Row } from "./database.ts";
import { TrackingError } from "../errors.ts";
import type { LogSpansOptions } from "../trace_store.ts";
import type { TraceSpanInput } from "../trace_entities.ts";
import { TRACE_KEYS, TRACKING_STORE } from "../_trace_keys.ts";
import { previewOf } from "../_trace_preview.ts";
import { type CheckedSpan, checkSpans } from "../_trace_spans.ts";
import { checkLogSpansOptions } from "../_trace_checks.ts";
import { factsOfSpans, type TraceFacts } from "../_trace_facts.ts";

/** The transaction in course, and what it is for. */
interface Writing {
  readonly database: Database;
  readonly tables: TraceTables;
  readonly action: string;
}

/**
 * Logs spans as MLflow's database store does: all of them or, if an error is thrown, none.
 *
 * @param database The database.
 * @param experimentId Experiment for traces that there are not yet.
 * @param batch The spans, and what is said of their traces.
 */
export function logSpans(
  database: Database,
  experimentId: string,
  batch: { readonly spans: readonly TraceSpanInput[]; readonly options: LogSpansOptions },
): void {
  const action = `log spans to experiment "${experimentId}"`;
  const { options } = batch;
  options.signal?.throwIfAborted();
  checkLogSpansOptions(action, options);
  const spans = checkSpans(action, batch.spans);
  if (spans.length === 0) return;
  const facts = factsOfSpans(spans, options);
  database.write(() => {
    const writing = { database, tables: traceTables(database, action), action };
    const experiment = requireActiveExperiment(database, action, experimentId);
    for (const [traceId, trace] of facts) writeTrace(writing, experiment, { traceId, trace });
  });
}

function writeTrace(
  writing: Writing,
  experiment: Row,
  { traceId, trace }: { readonly traceId: string; readonly trace: TraceFacts },
): void {
  const { database, tables } = writing;
  const before = database.get("SELECT * FROM trace_info WHERE request_id = ?", [traceId]);
  if (before === undefined) insertTrace(writing, experiment, { traceId, trace });
  else requireSpansHere(writing, traceId);
  const row = before ?? database.get("SELECT * FROM trace_info WHERE request_id = ?", [traceId]) ?? {};
  const experimentId = textOf(row, "experiment_id");
  for (const span of trace.spans) writeSpanRow({ database, tables }, experimentId, span);
  const isFinalized = before !== undefined && metadataOf(database, traceId, TRACE_KEYS.finalized) !== undefined;
  updateTimes(writing, row, { trace, isFinalized });
  writeTraceFigures({ database, tables }, { traceId, row, trace, isFinalized, isNew: before === undefined });
  const { root } = trace;
  const hasName = before !== undefined && nameOf(writing, before) !== undefined;
  writeTraceTags({ database, tables }, traceId, {
    // Who has named the trace meanwhile knows better.
    ...(root !== undefined && !hasName && { [TRACE_KEYS.name]: root.name }),
    ...trace.tags,
    [TRACE_KEYS.spansLocation]: TRACKING_STORE,
  });
  writeTraceMetadata(database, traceId, trace.metadata);
  const { user } = trace;
  if (user !== undefined && metadataOf(database, traceId, TRACE_KEYS.user) === undefined) {
    writeTraceMetadata(database, traceId, { [TRACE_KEYS.user]: user });
  }
  if (tables.has("trace_info.db_payload_generation")) {
    // Whoever moves a trace into an archive sees by this that spans have come meanwhile.
    database.run("UPDATE trace_info SET db_payload_generation = db_payload_generation + 1 WHERE request_id = ?", [
      traceId,
    ]);
  }
}

function insertTrace(
  { database }: Writing,
  experiment: Row,
  { traceId, trace }: { readonly traceId: string; readonly trace: TraceFacts },
): void {
  database.run(
    "INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES (?, ?, ?, 'IN_PROGRESS')",
    [traceId, textOf(experiment, "experiment_id"), trace.start],
  );
  const location = appendToUri(textOf(experiment, "artifact_location"), `traces/${traceId}/artifacts`);
  database.run("INSERT INTO trace_tags (key, value, request_id) VALUES (?, ?, ?)", [
    TRACE_KEYS.artifactLocation,
    location,
    traceId,
  ]);
  writeTraceMetadata(database, traceId, { [TRACE_KEYS.schemaVersion]: "3" });
}

/** Spans of a trace that is kept elsewhere would not be found beside the others. */
function requireSpansHere({ database, action }: Writing, traceId: string): void {
  const row = database.get("SELECT value FROM trace_tags WHERE request_id = ? AND key = ?", [
    traceId,
    TRACE_KEYS.spansLocation,
  ]);
  const location = row === undefined ? undefined : optionalText(row, "value");
  if (location === undefined || location === TRACKING_STORE) return;
  throw new TrackingError(
    "INVALID_STATE",
    `Cannot ${action}: the spans of trace "${traceId}" are no longer in the database, but in "${location}"`,
  );
}

/** Earliest start, latest end, and once the first span has ended, how it went. */
function updateTimes(
  { database, tables }: Writing,
  row: Row,
  { trace, isFinalized }: { readonly trace: TraceFacts; readonly isFinalized: boolean },
): void {
  const traceId = textOf(row, "request_id");
  const start = numberOf(row, "timestamp_ms");
  const status = textOf(row, "status");
  const isOpen = status === "IN_PROGRESS" || status === "STATE_UNSPECIFIED";
  const { root } = trace;
  if (isOpen && root?.endTime !== undefined) {
    database.run("UPDATE trace_info SET status = ? WHERE request_id = ?", [
      root.status.code === "ERROR" ? "ERROR" : "OK",
      traceId,
    ]);
  }
  if (root !== undefined) updatePreviews(database, row, root);
  if (isFinalized) return;
  const newStart = Math.min(start, trace.start);
  const duration = optionalNumber(row, "execution_time_ms");
  const ends = [...(duration === undefined ? [] : [start + duration]), ...(trace.end === undefined ? [] : [trace.end])];
  database.run("UPDATE trace_info SET timestamp_ms = ?, execution_time_ms = ? WHERE request_id = ?", [
    newStart,
    ends.length === 0 ? null : Math.max(...ends) - newStart,
    traceId,
  ]);
  if (newStart === start || !tables.has("assessments.trace_timestamp_ms")) return;
  // MLflow looks there for when the trace was that is judged.
  database.run("UPDATE assessments SET trace_timestamp_ms = ? WHERE trace_id = ?", [newStart, traceId]);
}

function updatePreviews(database: Database, row: Row, root: CheckedSpan): void {
  const traceId = textOf(row, "request_id");
  const inputs = root.attributes["mlflow.spanInputs"];
  const outputs = root.attributes["mlflow.spanOutputs"];
  if (inputs !== undefined && row.request_preview === null) {
    database.run("UPDATE trace_info SET request_preview = ? WHERE request_id = ?", [
      previewOf(inputs, "user"),
      traceId,
    ]);
  }
  if (outputs !== undefined && row.response_preview === null) {
    database.run("UPDATE trace_info SET response_preview = ? WHERE request_id = ?", [
      previewOf(outputs, "assistant"),
      traceId,
    ]);
  }
}

function nameOf({ database, tables }: Writing, row: Row): string | undefined {
  if (tables.has("trace_info.trace_name")) return optionalText(row, "trace_name");
  const tag = database.get("SELECT value FROM trace_tags WHERE request_id = ? AND key = ?", [
    textOf(row, "request_id"),
    TRACE_KEYS.name,
  ]);
  return tag === undefined ? undefined : optionalText(tag, "value");
}

function metadataOf(database: Database, traceId: string, key: string): string | undefined {
  const row = database.get("SELECT value FROM trace_request_metadata WHERE request_id = ? AND key = ?", [traceId, key]);
  return row === undefined ? undefined : textOf(row, "value");
}
