import type { Page, Tags } from "../tracking/mod.ts";
import { TrackingError } from "../tracking/mod.ts";
import { Database, type Row } from "../tracking/sqlite/database.ts";
import { sqlitePath } from "../tracking/sqlite/path.ts";
import type { ModelStage, ModelVersion, RegisteredModel } from "./entities.ts";
import type { CreateModelVersionOptions, ModelRegistry, SearchRegistryOptions } from "./model_registry.ts";
import { checkAlias, checkName } from "./names.ts";
import { checkStage, checkTags, checkVersion, missing } from "./_rules.ts";
import { loadRegisteredModels } from "./_sqlite_rows.ts";
import { searchModelVersions, searchRegisteredModels } from "./_sqlite_search.ts";
import { SqliteVersions } from "./_sqlite_versions.ts";

/** Registered models in MLflow's SQLite database. */
export class SqliteRegistry implements ModelRegistry {
  readonly uri: string;
  readonly #database: Database;
  readonly #versions: SqliteVersions;

  /**
   * Not for direct use: see {@linkcode SqliteRegistry.open}.
   *
   * @param uri The URI.
   * @param database The database.
   */
  constructor(uri: string, database: Database) {
    this.uri = uri;
    this.#database = database;
    this.#versions = new SqliteVersions(database);
  }

  /**
   * Opens the registry of a database, which is made if there is none.
   *
   * @param uri Such as `sqlite:///mlflow.db`.
   * @returns The registry, which the caller disposes of.
   * @throws {TrackingError} If it cannot be opened.
   */
  static open(uri: string): SqliteRegistry {
    return new SqliteRegistry(uri, Database.open(sqlitePath(uri)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.try(() => this.#database.close());
  }

  createRegisteredModel(
    name: string,
    options: { readonly description?: string; readonly tags?: Tags } = {},
  ): Promise<RegisteredModel> {
    return Promise.try(() => {
      const action = `create registered model "${name}"`;
      const { description = null, tags = {} } = options;
      checkName(action, name);
      checkTags(action, tags);
      return this.#database.write(() => {
        if (this.#find(name) !== undefined) {
          throw new TrackingError("RESOURCE_ALREADY_EXISTS", `Cannot ${action}: there is one of that name already`);
        }
        const now = Date.now();
        this.#database.run(
          "INSERT INTO registered_models (name, creation_time, last_updated_time, description, workspace) " +
            "VALUES (?, ?, ?, ?, 'default')",
          [name, now, now, description],
        );
        for (const [key, value] of Object.entries(tags)) this.#writeTag(name, key, value);
        return this.#load(action, name);
      });
    });
  }

  getRegisteredModel(name: string): Promise<RegisteredModel> {
    return Promise.try(() => this.#database.read(() => this.#load(`get registered model "${name}"`, name)));
  }

  updateRegisteredModel(name: string, description: string): Promise<RegisteredModel> {
    return this.#change(`update registered model "${name}"`, name, () => {
      this.#database.run(
        "UPDATE registered_models SET description = ?, last_updated_time = ? WHERE workspace = 'default' AND name = ?",
        [description, Date.now(), name],
      );
    });
  }

  renameRegisteredModel(name: string, newName: string): Promise<RegisteredModel> {
    return Promise.try(() => {
      const action = `rename registered model "${name}" to "${newName}"`;
      checkName(action, newName);
      return this.#database.write(() => {
        this.#require(action, name);
        if (newName !== name && this.#find(newName) !== undefined) {
          throw new TrackingError("RESOURCE_ALREADY_EXISTS", `Cannot ${action}: there is one of that name already`);
        }
        const now = Date.now();
        // What refers to it follows by the foreign keys' ON UPDATE CASCADE.
        this.#database.run(
          "UPDATE registered_models SET name = ?, last_updated_time = ? WHERE workspace = 'default' AND name = ?",
          [newName, now, name],
        );
        this.#database.run(
          "UPDATE model_versions SET last_updated_time = ? WHERE workspace = 'default' AND name = ?",
          [now, newName],
        );
        return this.#load(action, newName);
      });
    });
  }

  deleteRegisteredModel(name: string): Promise<void> {
    return Promise.try(() =>
      this.#database.write(() => {
        this.#require(`delete registered model "${name}"`, name);
        for (
          const table of [
            "model_version_tags",
            "model_versions",
            "registered_model_aliases",
            "registered_model_tags",
            "registered_models",
          ]
        ) this.#database.run(`DELETE FROM ${table} WHERE workspace = 'default' AND name = ?`, [name]);
      })
    );
  }

  searchRegisteredModels(options: SearchRegistryOptions = {}): Promise<Page<RegisteredModel>> {
    return Promise.try(() => searchRegisteredModels(this.#database, options));
  }

  getLatestVersions(name: string, stages?: readonly ModelStage[]): Promise<readonly ModelVersion[]> {
    return Promise.try(() => {
      const action = `get the latest versions of model "${name}"`;
      const wanted = stages?.map((stage) => checkStage(action, stage));
      const { latestVersions } = this.#database.read(() => this.#load(action, name));
      if (wanted === undefined || wanted.length === 0) return latestVersions;
      return latestVersions.filter(({ currentStage }) => wanted.includes(currentStage));
    });
  }

  setRegisteredModelTag(name: string, key: string, value: string): Promise<void> {
    return Promise.try(() => {
      const action = `tag registered model "${name}"`;
      checkTags(action, { [key]: value });
      this.#database.write(() => {
        this.#require(action, name);
        this.#writeTag(name, key, value);
      });
    });
  }

  deleteRegisteredModelTag(name: string, key: string): Promise<void> {
    return Promise.try(() =>
      this.#database.write(() => {
        this.#require(`delete tag "${key}" of registered model "${name}"`, name);
        this.#database.run(
          "DELETE FROM registered_model_tags WHERE workspace = 'default' AND name = ? AND key = ?",
          [name, key],
        );
      })
    );
  }

  setAlias(name: string, alias: string, version: string | number): Promise<void> {
    return Promise.try(() => {
      const action = `set alias "${alias}" of model "${name}"`;
      checkAlias(action, alias);
      const number = checkVersion(action, version);
      this.#database.write(() => {
        this.#require(action, name);
        this.#versions.require(action, name, number);
        this.#database.run(
          "INSERT INTO registered_model_aliases (alias, version, name, workspace) VALUES (?, ?, ?, 'default') " +
            "ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version",
          [alias, number, name],
        );
      });
    });
  }

  deleteAlias(name: string, alias: string): Promise<void> {
    return Promise.try(() =>
      this.#database.write(() => {
        this.#require(`delete alias "${alias}" of model "${name}"`, name);
        this.#database.run(
          "DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?",
          [name, alias],
        );
      })
    );
  }

  getModelVersionByAlias(name: string, alias: string): Promise<ModelVersion> {
    return Promise.try(() =>
      this.#database.read(() => {
        const action = `get the version of alias "${alias}" of model "${name}"`;
        const { aliases, latestVersions } = this.#load(action, name);
        if (alias.toLowerCase() === "latest") return highest(action, latestVersions);
        const version = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
        if (version !== undefined) return this.#versions.get(name, version);
        const known = Object.keys(aliases).map((alias) => `"${alias}"`).join(", ");
        throw missing(action, "such alias", known === "" ? ": it has none" : `: it has ${known}`);
      })
    );
  }

  createModelVersion(options: CreateModelVersionOptions): Promise<ModelVersion> {
    return Promise.try(() =>
      this.#database.write(() => {
        this.#require(`create a version of model "${options.name}"`, options.name);
        return this.#versions.create(options);
      })
    );
  }

  getModelVersion(name: string, version: string | number): Promise<ModelVersion> {
    return Promise.try(() => this.#database.read(() => this.#versions.get(name, version)));
  }

  updateModelVersion(name: string, version: string | number, description: string): Promise<ModelVersion> {
    return Promise.try(() => this.#database.write(() => this.#versions.describe(name, version, description)));
  }

  deleteModelVersion(name: string, version: string | number): Promise<void> {
    return Promise.try(() => this.#database.write(() => this.#versions.delete(name, version)));
  }

  searchModelVersions(options: SearchRegistryOptions = {}): Promise<Page<ModelVersion>> {
    return Promise.try(() => searchModelVersions(this.#database, options));
  }

  getModelVersionDownloadUri(name: string, version: string | number): Promise<string> {
    return Promise.try(() => this.#database.read(() => this.#versions.location(name, version)));
  }

  setModelVersionTag(name: string, version: string | number, key: string, value: string): Promise<void> {
    return Promise.try(() => this.#database.write(() => this.#versions.setTag(name, version, key, value)));
  }

  deleteModelVersionTag(name: string, version: string | number, key: string): Promise<void> {
    return Promise.try(() => this.#database.write(() => this.#versions.deleteTag(name, version, key)));
  }

  transitionModelVersionStage(name: string, version: string | number, stage: ModelStage): Promise<ModelVersion> {
    return Promise.try(() => this.#database.write(() => this.#versions.setStage(name, version, stage)));
  }

  #change(action: string, name: string, change: () => void): Promise<RegisteredModel> {
    return Promise.try(() =>
      this.#database.write(() => {
        this.#require(action, name);
        change();
        return this.#load(action, name);
      })
    );
  }

  #find(name: string): Row | undefined {
    return this.#database.get("SELECT * FROM registered_models WHERE workspace = 'default' AND name = ?", [name]);
  }

  #require(action: string, name: string): Row {
    const row = this.#find(name);
    if (row !== undefined) return row;
    throw missing(action, `registered model "${name}"`, ". List them with searchRegisteredModels");
  }

  #load(action: string, name: string): RegisteredModel {
    const [model] = loadRegisteredModels(this.#database, [this.#require(action, name)]);
    if (model !== undefined) return model;
    throw missing(action, `registered model "${name}"`, "");
  }

  #writeTag(name: string, key: string, value: string): void {
    this.#database.run(
      "INSERT INTO registered_model_tags (key, value, name, workspace) VALUES (?, ?, ?, 'default') " +
        "ON CONFLICT (workspace, key, name) DO UPDATE SET value = excluded.value",
      [key, value, name],
    );
  }
}

/** MLflow reads "latest" as an alias, too. */
function highest(action: string, versions: readonly ModelVersion[]): ModelVersion {
  const [latest] = versions.toSorted((one, other) => Number(other.version) - Number(one.version));
  if (latest !== undefined) return latest;
  throw missing(action, "version", ": register one first");
}
