import type { DatabaseSync } from "node:sqlite";
import { TrackingError } from "../errors.ts";
import { REVISION, SCHEMA } from "./_schema.ts";

/** Columns that are read or written here, by table. */
const COLUMNS: { readonly [table: string]: string } = {
  experiments: "experiment_id name artifact_location lifecycle_stage creation_time last_update_time workspace",
  experiment_tags: "key value experiment_id",
  runs: "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version " +
    "lifecycle_stage artifact_uri experiment_id deleted_time",
  params: "key value run_uuid",
  tags: "key value run_uuid",
  metrics: "key value timestamp run_uuid step is_nan",
  latest_metrics: "key value timestamp step is_nan run_uuid",
  inputs: "input_uuid source_type source_id destination_type destination_id step",
  input_tags: "input_uuid name value",
  datasets: "dataset_uuid experiment_id name digest dataset_source_type dataset_source dataset_schema dataset_profile",
  logged_models: "model_id experiment_id name artifact_location creation_timestamp_ms last_updated_timestamp_ms " +
    "status lifecycle_stage model_type source_run_id status_message",
  logged_model_tags: "model_id experiment_id tag_key tag_value",
  logged_model_params: "model_id experiment_id param_key param_value",
  logged_model_metrics: "model_id metric_name metric_timestamp_ms metric_step metric_value experiment_id run_id " +
    "dataset_uuid dataset_name dataset_digest",
  registered_models: "name creation_time last_updated_time description workspace",
  registered_model_tags: "key value name workspace",
  registered_model_aliases: "alias version name workspace",
  model_versions: "name version creation_time last_updated_time description user_id current_stage source run_id " +
    "status status_message run_link storage_location workspace",
  model_version_tags: "key value name version workspace",
};

/**
 * Lays out an empty database as MLflow 3.17.2 does, in the transaction in course: its tables, its default workspace
 * and the experiment "Default". A database that another process has laid out meanwhile is left as it is.
 */
export function layOut(db: DatabaseSync, artifactRoot: string): void {
  if (!isEmpty(db)) return;
  db.exec(SCHEMA);
  db.prepare("INSERT INTO alembic_version (version_num) VALUES (?)").run(REVISION);
  db.prepare("INSERT INTO workspaces (name, description) VALUES ('default', ?)").run(
    "Default workspace for legacy resources",
  );
  const now = Date.now();
  db.prepare(
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) " +
      "VALUES (0, 'Default', ?, 'active', ?, ?)",
  ).run(`${artifactRoot}/0`, now, now);
}

/** Whether a database has no table at all. */
export function isEmpty(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1").get() === undefined;
}

/**
 * Reads which MLflow a database is of, and makes sure that all that is needed is there.
 *
 * @returns The revision.
 * @throws {TrackingError} If the database is none of MLflow's, or of one that has other tables.
 */
export function recognize(db: DatabaseSync, path: string): string {
  if (columnsOf(db, "alembic_version").size === 0) {
    throw new TrackingError(
      "INVALID_PARAMETER_VALUE",
      `Cannot use database "${path}": it has tables, but none of MLflow's. Name another file, or wait if MLflow is making it at this moment`,
    );
  }
  const row = db.prepare("SELECT version_num FROM alembic_version").get();
  const revision = typeof row?.version_num === "string" ? row.version_num : "none";
  const troubles: string[] = [];
  for (const [table, names] of Object.entries(COLUMNS)) {
    const known = new Set(names.split(" "));
    const columns = columnsOf(db, table);
    for (const name of known) if (!columns.has(name)) troubles.push(`no column ${table}.${name}`);
    for (const [name, column] of columns) {
      // A column that must be filled and that is not known here cannot be written right.
      if (!known.has(name) && column.required) troubles.push(`unknown column ${table}.${name}`);
    }
  }
  if (troubles.length > 0) {
    throw new TrackingError(
      "INVALID_STATE",
      `Cannot use database "${path}": it is of another version of MLflow (revision "${revision}"): ${
        troubles.slice(0, 3).join(", ")
      }${troubles.length > 3 ? ` and ${troubles.length - 3} more` : ""}. If it is older, save a copy and run ` +
        `'mlflow db upgrade "sqlite:///${path}"' with MLflow 3.12 to 3.17; if it is newer, update this package; or name another file`,
    );
  }
  return revision;
}

function columnsOf(db: DatabaseSync, table: string): Map<string, { required: boolean }> {
  const rows = db.prepare('SELECT name, "notnull" AS required, dflt_value FROM pragma_table_info(?)').all(table);
  return new Map(
    rows.map((row) => [String(row.name), { required: row.required === 1 && row.dflt_value === null }]),
  );
}
