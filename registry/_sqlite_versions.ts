import { fromFileUrl, isAbsolute } from "@std/path";
import { TrackingError } from "../tracking/mod.ts";
import type { Database, Row } from "../tracking/sqlite/database.ts";
import type { ModelStage, ModelVersion } from "./entities.ts";
import type { CreateModelVersionOptions } from "./model_registry.ts";
import { parseModelUri } from "./model_uri.ts";
import { checkStage, checkTags, checkVersion, invalid, missing } from "./_rules.ts";
import { loadVersions, NOT_REMOVED, REMOVED_STAGE, text } from "./_sqlite_rows.ts";
import { VERSIONS_TAG, withVersion } from "./_version_notes.ts";

const WHERE = "workspace = 'default' AND name = ? AND version = ?";

/** Versions of registered models. Each method runs in the transaction of its caller. */
export class SqliteVersions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  create(options: CreateModelVersionOptions): ModelVersion {
    const { name, source, modelId, description = null, tags = {} } = options;
    const action = `create a version of model "${name}"`;
    if (source === "") throw invalid(action, "it has no source. Name one, such as models:/m-…");
    checkTags(action, tags);
    const origin = this.#origin(action, source, options.location);
    if (modelId !== undefined && origin.modelId !== undefined && modelId !== origin.modelId) {
      throw invalid(action, `the source "${source}" is another model than "${modelId}"`);
    }
    const logged = modelId ?? origin.modelId;
    const model = logged === undefined ? undefined : this.#findLoggedModel(logged);
    if (logged !== undefined && model === undefined && options.location === undefined) {
      throw missing(action, `logged model "${logged}"`, "");
    }
    const runId = options.runId ?? origin.runId ?? (model && text(model, "source_run_id"));
    const now = Date.now();
    const { last } = this.#database.get(
      "SELECT max(version) AS last FROM model_versions WHERE workspace = 'default' AND name = ?",
      [name],
    ) ?? {};
    const version = Number(last ?? 0) + 1;
    this.#database.run(
      "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, " +
        "current_stage, source, run_id, status, storage_location, workspace) " +
        "VALUES (?, ?, ?, ?, ?, 'None', ?, ?, 'READY', ?, 'default')",
      [name, version, now, now, description, source, runId || null, origin.location],
    );
    this.#database.run(
      "UPDATE registered_models SET last_updated_time = ? WHERE workspace = 'default' AND name = ?",
      [now, name],
    );
    for (const [key, value] of Object.entries(tags)) this.#writeTag(name, version, key, value);
    if (model !== undefined) this.#noteOnLoggedModel(model, name, version);
    return this.get(name, version);
  }

  get(name: string, version: string | number): ModelVersion {
    const action = `get version ${version} of model "${name}"`;
    const [found] = loadVersions(this.#database, [this.require(action, name, checkVersion(action, version))]);
    if (found !== undefined) return found;
    throw missing(action, "such version", "");
  }

  describe(name: string, version: string | number, description: string): ModelVersion {
    this.#update(`update version ${version} of model "${name}"`, name, version, "description", description);
    return this.get(name, version);
  }

  setStage(name: string, version: string | number, stage: ModelStage): ModelVersion {
    const action = `move version ${version} of model "${name}"`;
    this.#update(action, name, version, "current_stage", checkStage(action, stage));
    return this.get(name, version);
  }

  delete(name: string, version: string | number): void {
    const action = `delete version ${version} of model "${name}"`;
    const number = checkVersion(action, version);
    this.require(action, name, number);
    this.#database.run(
      "UPDATE model_versions SET current_stage = ?, last_updated_time = ?, description = NULL, user_id = NULL, " +
        "source = 'REDACTED-SOURCE-PATH', run_id = 'REDACTED-RUN-ID', run_link = 'REDACTED-RUN-LINK', " +
        `status_message = NULL WHERE ${WHERE}`,
      [REMOVED_STAGE, Date.now(), name, number],
    );
    this.#database.run(
      "DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND version = ?",
      [name, number],
    );
    this.#database.run(
      "UPDATE registered_models SET last_updated_time = ? WHERE workspace = 'default' AND name = ?",
      [Date.now(), name],
    );
  }

  location(name: string, version: string | number): string {
    const action = `find the files of version ${version} of model "${name}"`;
    const row = this.require(action, name, checkVersion(action, version));
    return text(row, "storage_location") || text(row, "source");
  }

  setTag(name: string, version: string | number, key: string, value: string): void {
    const action = `tag version ${version} of model "${name}"`;
    checkTags(action, { [key]: value });
    const number = checkVersion(action, version);
    this.require(action, name, number);
    this.#writeTag(name, number, key, value);
  }

  deleteTag(name: string, version: string | number, key: string): void {
    const action = `delete tag "${key}" of version ${version} of model "${name}"`;
    const number = checkVersion(action, version);
    this.require(action, name, number);
    this.#database.run(`DELETE FROM model_version_tags WHERE ${WHERE} AND key = ?`, [name, number, key]);
  }

  require(action: string, name: string, version: number): Row {
    const row = this.#database.get(`SELECT * FROM model_versions WHERE ${WHERE} AND ${NOT_REMOVED}`, [name, version]);
    if (row !== undefined) return row;
    const known = this.#database.all(
      `SELECT version FROM model_versions WHERE workspace = 'default' AND name = ? AND ${NOT_REMOVED} ORDER BY version`,
      [name],
    ).map((row) => text(row, "version"));
    throw missing(
      action,
      `version ${version} of model "${name}"`,
      known.length === 0 ? ": it has none" : `: it has ${known.join(", ")}`,
    );
  }

  #update(action: string, name: string, version: string | number, column: string, value: string): void {
    const number = checkVersion(action, version);
    this.require(action, name, number);
    this.#database.run(`UPDATE model_versions SET ${column} = ?, last_updated_time = ? WHERE ${WHERE}`, [
      value,
      Date.now(),
      name,
      number,
    ]);
    if (column === "current_stage") {
      this.#database.run(
        "UPDATE registered_models SET last_updated_time = ? WHERE workspace = 'default' AND name = ?",
        [Date.now(), name],
      );
    }
  }

  /** Where a source's files are, and what it is. */
  #origin(
    action: string,
    source: string,
    told: string | undefined,
  ): { readonly location: string; readonly modelId?: string; readonly runId?: string } {
    if (leadsUp(source)) throw invalid(action, `the source "${source}" leads up by ".."`);
    const uri = parseModelUri(source);
    switch (uri.kind) {
      case "logged": {
        const model = this.#findLoggedModel(uri.modelId);
        const location = model === undefined ? told : text(model, "artifact_location");
        if (location === undefined) throw missing(action, `logged model "${uri.modelId}"`, "");
        return { location, modelId: uri.modelId };
      }
      case "version":
        return { location: this.location(uri.name, uri.version) };
      case "run":
        return { location: this.#runLocation(action, uri.runId, uri.path), runId: uri.runId };
      case "artifacts":
        return { location: source };
      default:
        throw invalid(action, `the source "${source}" may mean another version tomorrow. Name the version`);
    }
  }

  /** The run's artifacts if there are any at the path; else its model of that name, as that is what MLflow 3 logs. */
  #runLocation(action: string, runId: string, path: string): string {
    const run = this.#database.get("SELECT artifact_uri FROM runs WHERE run_uuid = ?", [runId]);
    if (run === undefined) throw missing(action, `run "${runId}"`, "");
    const model = this.#database.get(
      "SELECT artifact_location FROM logged_models WHERE source_run_id = ? AND name = ? AND " +
        "lifecycle_stage = 'active' ORDER BY creation_timestamp_ms DESC LIMIT 1",
      [runId, path],
    );
    const artifacts = `${text(run, "artifact_uri").replace(/\/+$/, "")}/${path}`;
    return model === undefined || hasFiles(action, artifacts) ? artifacts : text(model, "artifact_location");
  }

  #findLoggedModel(modelId: string): Row | undefined {
    return this.#database.get(
      "SELECT * FROM logged_models WHERE model_id = ? AND lifecycle_stage = 'active'",
      [modelId],
    );
  }

  /** As MLflow's client does. */
  #noteOnLoggedModel(model: Row, name: string, version: number): void {
    const modelId = text(model, "model_id");
    const tag = this.#database.get(
      "SELECT tag_value FROM logged_model_tags WHERE model_id = ? AND tag_key = ?",
      [modelId, VERSIONS_TAG],
    );
    this.#database.run(
      "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
      [modelId, text(model, "experiment_id"), VERSIONS_TAG, withVersion(tag && text(tag, "tag_value"), name, version)],
    );
  }

  #writeTag(name: string, version: number, key: string, value: string): void {
    this.#database.run(
      "INSERT INTO model_version_tags (key, value, name, version, workspace) VALUES (?, ?, ?, ?, 'default') " +
        "ON CONFLICT (workspace, key, name, version) DO UPDATE SET value = excluded.value",
      [key, value, name, version],
    );
  }
}

/** Whether files are there. Those that this machine does not hold itself are not seen. */
function hasFiles(action: string, place: string): boolean {
  try {
    const folder = /^file:/i.test(place) ? fromFileUrl(place) : place;
    return isAbsolute(folder) && Deno.readDirSync(folder)[Symbol.iterator]().next().done === false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new TrackingError(
      "PERMISSION_DENIED",
      `Cannot ${action}: the permission to read "${place}" was not granted. Run with --allow-read for it`,
      { cause: error },
    );
  }
}

/** Also where the dots are percent-encoded, as readers of URLs decode them. */
function leadsUp(source: string): boolean {
  return /(?:^|[\\/])\.\.(?:[\\/?#]|$)/.test(source.replace(/%2e/gi, ".").replace(/%2f/gi, "/").replace(/%5c/gi, "\\"));
}
