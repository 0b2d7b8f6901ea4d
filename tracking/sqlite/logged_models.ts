import { checkKey, checkLength, invalid, LIMITS } from "../limits.ts";
import type { LoggedModel, Page, Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { CreateLoggedModelOptions, SearchLoggedModelsOptions } from "../tracking_store.ts";
import { appendToUri } from "./_append_to_uri.ts";
import type { Database, Row } from "./database.ts";
import { loadModels, STATUS } from "./_load_models.ts";
import { searchLoggedModels } from "./logged_model_search.ts";
import { requireActiveExperiment, requireRun } from "./_records.ts";
import { newId, only, textOf } from "./_rows.ts";
import { inventRunName } from "./_run_names.ts";

/** Logged models of a database. */
export class LoggedModels {
  readonly #database: Database;

  /**
   * Logged models of a database.
   *
   * @param database The database.
   */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes a model, in state `PENDING`. */
  createLoggedModel(options: CreateLoggedModelOptions): LoggedModel {
    const { experimentId, name, modelType, sourceRunId, params = {}, tags = {} } = options;
    const action = `create logged model in experiment "${experimentId}"`;
    if (name !== undefined) checkName(action, name);
    checkParams(action, params);
    checkTags(action, tags);
    return this.#database.write(() => {
      const experiment = requireActiveExperiment(this.#database, action, experimentId);
      if (sourceRunId !== undefined) requireRun(this.#database, action, sourceRunId);
      const modelId = `m-${newId()}`;
      const location = appendToUri(textOf(experiment, "artifact_location"), `models/${modelId}/artifacts`);
      const now = Date.now();
      this.#database.run(
        "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms, " +
          "last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id) " +
          "VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)",
        [
          modelId,
          textOf(experiment, "experiment_id"),
          name || inventRunName(),
          location,
          now,
          now,
          STATUS.PENDING,
          modelType ?? null,
          sourceRunId ?? null,
        ],
      );
      const row = this.#require(action, modelId);
      this.#writeParams(action, row, params);
      this.#writeTags(row, tags);
      return this.getLoggedModel(modelId);
    });
  }

  /** Says whether a model is complete. */
  finalizeLoggedModel(modelId: string, status: "READY" | "FAILED"): LoggedModel {
    const action = `finalize logged model "${modelId}"`;
    if (status !== "READY" && status !== "FAILED") {
      throw invalid(action, `its status must be "READY" or "FAILED", not "${String(status)}"`);
    }
    return this.#database.write(() => {
      this.#require(action, modelId);
      this.#database.run(
        "UPDATE logged_models SET status = ?, last_updated_timestamp_ms = ? WHERE model_id = ?",
        [STATUS[status], Date.now(), modelId],
      );
      return this.getLoggedModel(modelId);
    });
  }

  /** The model of an id. */
  getLoggedModel(modelId: string): LoggedModel {
    return this.#database.read(() =>
      only(loadModels(this.#database, [this.#require(`get logged model "${modelId}"`, modelId)]))
    );
  }

  /** Puts a model in the bin. */
  deleteLoggedModel(modelId: string): void {
    this.#database.write(() => {
      this.#require(`delete logged model "${modelId}"`, modelId);
      this.#database.run(
        "UPDATE logged_models SET lifecycle_stage = 'deleted', last_updated_timestamp_ms = ? WHERE model_id = ?",
        [Date.now(), modelId],
      );
    });
  }

  /** Looks for models. */
  searchLoggedModels(options: SearchLoggedModelsOptions): Page<LoggedModel> {
    return searchLoggedModels(this.#database, options);
  }

  /** Sets tags. */
  setLoggedModelTags(modelId: string, tags: Tags): void {
    const action = `tag logged model "${modelId}"`;
    checkTags(action, tags);
    this.#database.write(() => this.#writeTags(this.#require(action, modelId), tags));
  }

  /** Removes a tag. */
  deleteLoggedModelTag(modelId: string, key: string): void {
    const action = `delete tag "${key}" of logged model "${modelId}"`;
    this.#database.write(() => {
      this.#require(action, modelId);
      const changed = this.#database.run("DELETE FROM logged_model_tags WHERE model_id = ? AND tag_key = ?", [
        modelId,
        key,
      ]);
      if (changed === 0) throw new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: it has no such tag`);
    });
  }

  /** Logs parameters; each keeps its first value. */
  logLoggedModelParams(modelId: string, params: Tags): void {
    const action = `log params of logged model "${modelId}"`;
    checkParams(action, params);
    this.#database.write(() => this.#writeParams(action, this.#require(action, modelId), params));
  }

  #require(action: string, modelId: string): Row {
    const row = this.#database.get("SELECT * FROM logged_models WHERE model_id = ? AND lifecycle_stage = 'active'", [
      modelId,
    ]);
    if (row !== undefined) return row;
    throw new TrackingError(
      "RESOURCE_DOES_NOT_EXIST",
      `Cannot ${action}: there is no logged model "${modelId}". List them with searchLoggedModels`,
    );
  }

  #writeParams(action: string, model: Row, params: Tags): void {
    const modelId = textOf(model, "model_id");
    for (const [key, value] of Object.entries(params)) {
      const known = this.#database.get(
        "SELECT param_value FROM logged_model_params WHERE model_id = ? AND param_key = ?",
        [modelId, key],
      );
      if (known !== undefined) {
        if (textOf(known, "param_value") === value) continue;
        throw invalid(action, `param "${key}" has another value already, and params keep their first one`);
      }
      this.#database.run(
        "INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value) VALUES (?, ?, ?, ?)",
        [modelId, textOf(model, "experiment_id"), key, value],
      );
    }
  }

  #writeTags(model: Row, tags: Tags): void {
    for (const [key, value] of Object.entries(tags)) {
      this.#database.run(
        "INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value) VALUES (?, ?, ?, ?) " +
          "ON CONFLICT (model_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
        [textOf(model, "model_id"), textOf(model, "experiment_id"), key, value],
      );
    }
  }
}

/** Characters that MLflow refuses in names, as they mean something in its URIs and filters. */
const FORBIDDEN = /[/:.%"']/;

function checkName(action: string, name: string): void {
  if (name === "") return;
  const [found] = FORBIDDEN.exec(name) ?? [];
  if (found !== undefined) throw invalid(action, `its name must be without any of / : . % " ', but holds ${found}`);
  checkLength(action, "its name", { text: name, limit: 500 });
}

function checkParams(action: string, params: Tags): void {
  for (const [key, value] of Object.entries(params)) {
    checkKey(action, "param", key);
    checkLength(action, `the value of param "${key}"`, { text: value, limit: LIMITS.paramValue });
  }
}

function checkTags(action: string, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    checkKey(action, "tag", key);
    checkLength(action, `the value of tag "${key}"`, { text: value, limit: LIMITS.tagValue });
  }
}
