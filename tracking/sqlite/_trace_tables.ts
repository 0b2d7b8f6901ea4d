import { TrackingError } from "../errors.ts";
import type { Database } from "./database.ts";
import { numberOf, textOf } from "./_rows.ts";

/** Columns of MLflow 3.12 to 3.17 that are needed, by table. */
const NEEDED: { readonly [table: string]: string } = {
  trace_info: "request_id experiment_id timestamp_ms execution_time_ms status client_request_id request_preview " +
    "response_preview",
  trace_tags: "key value request_id",
  trace_request_metadata: "key value request_id",
  spans: "trace_id experiment_id span_id parent_span_id name type status start_time_unix_nano end_time_unix_nano " +
    "content",
  assessments: "assessment_id trace_id name assessment_type value error created_timestamp last_updated_timestamp " +
    "source_type source_id run_id span_id rationale overrides valid assessment_metadata",
  entity_associations: "association_id source_type source_id destination_type destination_id created_time",
};

/** Columns that are filled where there are such: versions of MLflow differ in them. */
const OPTIONAL: { readonly [table: string]: string } = {
  trace_info: "db_payload_generation trace_name session_id input_tokens output_tokens total_tokens " +
    "cache_read_input_tokens cache_creation_input_tokens cache_creation_input_tokens_above_1hr input_cost " +
    "output_cost total_cost",
  trace_metrics: "request_id key value",
  span_metrics: "trace_id span_id key value",
  spans: "duration_ns dimension_attributes input_cost output_cost total_cost model_name model_provider",
  assessments: "experiment_id trace_timestamp_ms aggregate_value is_numeric_value",
};

/** Which tables and columns for traces a database has. */
export interface TraceTables {
  /** Whether it has a column, such as `trace_info.session_id`. */
  has(column: string): boolean;
}

interface Known extends TraceTables {
  readonly version: number;
}

const known = new WeakMap<Database, Known>();

/**
 * Which tables for traces a database has, looked at anew whenever its schema has changed: MLflow may bring a database
 * that is in use to a newer version.
 *
 * @param database The database.
 * @param action What is being done.
 * @throws {TrackingError} `INVALID_STATE` if something is missing, or unknown and needed.
 */
export function traceTables(database: Database, action: string): TraceTables {
  const version = numberOf(database.get("PRAGMA schema_version") ?? {}, "schema_version");
  const before = known.get(database);
  if (before?.version === version) return before;
  const columns = new Set<string>();
  const troubles: string[] = [];
  for (const table of new Set([...Object.keys(NEEDED), ...Object.keys(OPTIONAL)])) {
    const expected = new Set(`${NEEDED[table] ?? ""} ${OPTIONAL[table] ?? ""}`.split(" "));
    // `table_xinfo`, as the other does not show generated columns.
    const rows = database.all('SELECT name, "notnull" AS required, dflt_value FROM pragma_table_xinfo(?)', [table]);
    for (const row of rows) {
      const name = textOf(row, "name");
      columns.add(`${table}.${name}`);
      if (!expected.has(name) && row.required === 1 && row.dflt_value === null) {
        troubles.push(`unknown column ${table}.${name}`);
      }
    }
    for (const name of (NEEDED[table] ?? "").split(" ")) {
      if (name !== "" && !columns.has(`${table}.${name}`)) troubles.push(`no column ${table}.${name}`);
    }
  }
  if (troubles.length > 0) {
    throw new TrackingError(
      "INVALID_STATE",
      `Cannot ${action}: the database "${database.path}" keeps traces as another version of MLflow does (revision "${database.revision}"): ${
        troubles.slice(0, 3).join(", ")
      }. If it is older, save a copy and run 'mlflow db upgrade' with MLflow 3.12 to 3.17; if it is newer, update this package`,
    );
  }
  const tables: Known = { version, has: (column) => columns.has(column) };
  known.set(database, tables);
  return tables;
}
