import { type CheckedAssessment, checkExpectation, checkFeedback, toAssessmentValue } from "../_assessment_values.ts";
import type { Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { Assessment, AssessmentError } from "../trace_entities.ts";
import type { LogExpectationOptions, LogFeedbackOptions } from "../trace_store.ts";
import { dumpAsciiJson, isObject, tryParse } from "../_trace_json.ts";
import type { Database, Row, SqlValue } from "./database.ts";
import { newId, numberOf, only, optionalText, textOf } from "./_rows.ts";
import { traceTables } from "./_trace_tables.ts";

/** What was said of the quality of traces. */
export class Assessments {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  logFeedback(traceId: string, options: LogFeedbackOptions): Assessment {
    const action = `log feedback "${options.name}" of trace "${traceId}"`;
    return this.#log(action, traceId, checkFeedback(action, options));
  }

  logExpectation(traceId: string, options: LogExpectationOptions): Assessment {
    const action = `log expectation "${options.name}" of trace "${traceId}"`;
    return this.#log(action, traceId, checkExpectation(action, options));
  }

  list(traceId: string): Assessment[] {
    const action = `get assessments of trace "${traceId}"`;
    return this.#database.read(() => {
      traceTables(this.#database, action);
      requireTrace(this.#database, action, traceId);
      return loadAssessments(this.#database, JSON.stringify([traceId]));
    });
  }

  delete(traceId: string, assessmentId: string): void {
    const database = this.#database;
    const action = `delete assessment "${assessmentId}" of trace "${traceId}"`;
    database.write(() => {
      traceTables(database, action);
      requireTrace(database, action, traceId);
      const row = database.get("SELECT overrides FROM assessments WHERE trace_id = ? AND assessment_id = ?", [
        traceId,
        assessmentId,
      ]);
      if (row === undefined) return;
      const overrides = optionalText(row, "overrides");
      if (overrides !== undefined) {
        database.run("UPDATE assessments SET valid = 1 WHERE trace_id = ? AND assessment_id = ?", [traceId, overrides]);
      }
      database.run("DELETE FROM assessments WHERE assessment_id = ?", [assessmentId]);
    });
  }

  #log(action: string, traceId: string, assessment: CheckedAssessment): Assessment {
    const database = this.#database;
    const assessmentId = `a-${newId()}`;
    return database.write(() => {
      const tables = traceTables(database, action);
      const trace = requireTrace(database, action, traceId);
      if (assessment.overrides !== undefined) override(database, action, { traceId, overrides: assessment.overrides });
      const values = Object.entries(valuesOf(trace, assessmentId, assessment)).filter(([column]) =>
        !EXTRA_COLUMNS.has(column) || tables.has(`assessments.${column}`)
      );
      database.run(
        `INSERT INTO assessments (${values.map(([column]) => column).join(", ")}) ` +
          `VALUES (${values.map(() => "?").join(", ")})`,
        values.map(([, value]) => value),
      );
      const rows = database.all("SELECT * FROM assessments WHERE assessment_id = ?", [assessmentId]);
      return only(rows.map(toAssessment));
    });
  }
}

/** Columns that older versions of MLflow do not have. */
const EXTRA_COLUMNS: ReadonlySet<string> = new Set([
  "experiment_id",
  "trace_timestamp_ms",
  "aggregate_value",
  "is_numeric_value",
]);

function valuesOf(
  trace: Row,
  assessmentId: string,
  assessment: CheckedAssessment,
): { readonly [column: string]: SqlValue } {
  const { kind, name, value, source, metadata, spanId, rationale, error, overrides } = assessment;
  const now = Date.now();
  return {
    assessment_id: assessmentId,
    trace_id: textOf(trace, "request_id"),
    name,
    assessment_type: kind,
    value: dumpAsciiJson(value) ?? "null",
    error: error === undefined ? null : dumpAsciiJson({ error_code: error.code, error_message: error.message }) ?? null,
    created_timestamp: now,
    last_updated_timestamp: now,
    source_type: source.type,
    source_id: source.id,
    run_id: metadata["mlflow.assessment.sourceRunId"] ?? null,
    span_id: spanId ?? null,
    rationale: rationale ?? null,
    overrides: overrides ?? null,
    valid: 1,
    assessment_metadata: Object.keys(metadata).length === 0 ? null : dumpAsciiJson(metadata) ?? null,
    experiment_id: textOf(trace, "experiment_id"),
    trace_timestamp_ms: numberOf(trace, "timestamp_ms"),
    aggregate_value: aggregateOf(value),
    is_numeric_value: typeof value === "number" ? 1 : 0,
  };
}

/** The number by which MLflow averages. */
function aggregateOf(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const word = typeof value === "string" ? value.trim().toLowerCase() : undefined;
  if (word === "yes") return 1;
  return word === "no" ? 0 : null;
}

function override(
  database: Database,
  action: string,
  { traceId, overrides }: { readonly traceId: string; readonly overrides: string },
): void {
  const sql = "UPDATE assessments SET valid = 0 WHERE trace_id = ? AND assessment_id = ?";
  if (database.run(sql, [traceId, overrides]) > 0) return;
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot ${action}: the trace has no assessment "${overrides}" that it could take the place of`,
  );
}

/** The row of a trace. */
export function requireTrace(database: Database, action: string, traceId: string): Row {
  const row = database.get("SELECT * FROM trace_info WHERE request_id = ?", [traceId]);
  if (row !== undefined) return row;
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot ${action}: there is no such trace. List them with searchTraces`,
  );
}

/**
 * Reads what was said of traces.
 *
 * @param database The database.
 * @param ids Ids of the traces, as a list in JSON.
 * @returns The assessments, the oldest first.
 */
export function loadAssessments(database: Database, ids: string): Assessment[] {
  return database.all(
    "SELECT * FROM assessments WHERE trace_id IN (SELECT value FROM json_each(?)) ORDER BY created_timestamp, rowid",
    [ids],
  ).map(toAssessment);
}

function toAssessment(row: Row): Assessment {
  const kind = textOf(row, "assessment_type");
  const metadata = tryParse(textOf(row, "assessment_metadata"));
  const error = errorOf(optionalText(row, "error"));
  const [spanId, rationale, overrides] = ["span_id", "rationale", "overrides"].map((name) => optionalText(row, name));
  return {
    assessmentId: textOf(row, "assessment_id"),
    traceId: textOf(row, "trace_id"),
    ...(spanId !== undefined && { spanId }),
    name: textOf(row, "name"),
    kind: kind === "expectation" || kind === "issue" ? kind : "feedback",
    value: toAssessmentValue(tryParse(textOf(row, "value"))),
    ...(error !== undefined && { error }),
    source: { type: textOf(row, "source_type"), id: textOf(row, "source_id") },
    ...(rationale !== undefined && { rationale }),
    metadata: toTags(metadata),
    createTime: numberOf(row, "created_timestamp"),
    lastUpdateTime: numberOf(row, "last_updated_timestamp"),
    valid: numberOf(row, "valid") === 1,
    ...(overrides !== undefined && { overrides }),
  };
}

function errorOf(text: string | undefined): AssessmentError | undefined {
  const value = text === undefined ? undefined : tryParse(text);
  if (!isObject(value)) return undefined;
  const { error_code: code, error_message: message } = value;
  return { code: String(code), ...(typeof message === "string" && { message }) };
}

function toTags(value: unknown): Tags {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => [key, typeof text === "string" ? text : JSON.stringify(text)]),
  );
}
