import { resolve } from "@std/path";
import { checkKey, checkLength, invalid, LIMITS } from "../limits.ts";
import type { Experiment, Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { CreateExperimentOptions } from "../tracking_store.ts";
import type { Database, Row } from "./database.ts";
import { requireActiveExperiment, requireExperiment } from "./_records.ts";
import { only, optionalNumber, stageOf, textOf } from "./_rows.ts";

const SET_TAG = "INSERT INTO experiment_tags (key, value, experiment_id) VALUES (?, ?, ?) " +
  "ON CONFLICT (key, experiment_id) DO UPDATE SET value = excluded.value";

/** Experiments of a database. */
export class Experiments {
  readonly #database: Database;

  /**
   * Experiments of a database.
   *
   * @param database The database.
   */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes an experiment. */
  create({ name, artifactLocation, tags = {} }: CreateExperimentOptions): string {
    const action = `create experiment "${name}"`;
    checkName(action, name);
    checkTags(action, tags);
    const given = artifactLocation === undefined || artifactLocation === ""
      ? undefined
      : absoluteLocation(action, artifactLocation);
    const database = this.#database;
    return database.write(() => {
      this.#requireFreeName(action, name);
      const now = Date.now();
      database.run(
        "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time) " +
          "VALUES (?, ?, 'active', ?, ?)",
        [name, given ?? null, now, now],
      );
      const id = textOf(only(database.all("SELECT last_insert_rowid() AS id")), "id");
      if (given === undefined) {
        database.run("UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", [
          `${database.artifactRoot}/${id}`,
          id,
        ]);
      }
      for (const [key, value] of Object.entries(tags)) database.run(SET_TAG, [key, value, id]);
      return id;
    });
  }

  /** The experiment of an id. */
  get(experimentId: string): Experiment {
    return this.#database.read(() => {
      const row = requireExperiment(this.#database, `get experiment "${experimentId}"`, experimentId);
      return only(this.load([row]));
    });
  }

  /** The experiment of a name. */
  getByName(name: string): Experiment | undefined {
    return this.#database.read(() => {
      const row = this.#rowOfName(name);
      return row === undefined ? undefined : only(this.load([row]));
    });
  }

  /** Reads experiments with their tags, by one query however many there are. */
  load(rows: readonly Row[]): Experiment[] {
    const tags = new Map<string, [string, string][]>(rows.map((row) => [textOf(row, "experiment_id"), []]));
    const found = this.#database.all(
      "SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id IN (SELECT value FROM json_each(?))",
      [`[${[...tags.keys()].join()}]`],
    );
    for (const row of found) tags.get(textOf(row, "experiment_id"))?.push([textOf(row, "key"), textOf(row, "value")]);
    return rows.map((row) => toExperiment(row, Object.fromEntries(tags.get(textOf(row, "experiment_id")) ?? [])));
  }

  /** Gives an experiment another name. */
  rename(experimentId: string, newName: string): void {
    const action = `rename experiment "${experimentId}"`;
    checkName(action, newName);
    this.#database.write(() => {
      const row = requireExperiment(this.#database, action, experimentId);
      if (stageOf(row) === "deleted") {
        throw new TrackingError("INVALID_STATE", `Cannot ${action}: it is deleted. Restore it first`);
      }
      if (row.name === newName) return;
      this.#requireFreeName(action, newName);
      this.#database.run("UPDATE experiments SET name = ?, last_update_time = ? WHERE experiment_id = ?", [
        newName,
        Date.now(),
        textOf(row, "experiment_id"),
      ]);
    });
  }

  /** Puts an experiment and its runs in the bin. */
  delete(experimentId: string): void {
    this.#move(experimentId, { action: `delete experiment "${experimentId}"`, from: "active", to: "deleted" });
  }

  /** Takes an experiment and its runs out of the bin. */
  restore(experimentId: string): void {
    this.#move(experimentId, { action: `restore experiment "${experimentId}"`, from: "deleted", to: "active" });
  }

  /** Sets tags. */
  setTags(experimentId: string, tags: Tags): void {
    const action = `tag experiment "${experimentId}"`;
    checkTags(action, tags);
    this.#database.write(() => {
      const id = textOf(requireActiveExperiment(this.#database, action, experimentId), "experiment_id");
      for (const [key, value] of Object.entries(tags)) this.#database.run(SET_TAG, [key, value, id]);
    });
  }

  /** Removes a tag. */
  deleteTag(experimentId: string, key: string): void {
    const action = `delete tag "${key}" of experiment "${experimentId}"`;
    this.#database.write(() => {
      const id = textOf(requireActiveExperiment(this.#database, action, experimentId), "experiment_id");
      if (this.#database.run("DELETE FROM experiment_tags WHERE experiment_id = ? AND key = ?", [id, key]) > 0) return;
      throw new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: it has no such tag`);
    });
  }

  #move(
    experimentId: string,
    { action, from, to }: { readonly action: string; readonly from: string; readonly to: string },
  ): void {
    const database = this.#database;
    database.write(() => {
      const row = requireExperiment(database, action, experimentId);
      if (stageOf(row) !== from) {
        throw new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: there is no ${from} one of this id`);
      }
      const id = textOf(row, "experiment_id");
      const now = Date.now();
      database.run("UPDATE experiments SET lifecycle_stage = ?, last_update_time = ? WHERE experiment_id = ?", [
        to,
        now,
        id,
      ]);
      database.run("UPDATE runs SET lifecycle_stage = ?, deleted_time = ? WHERE experiment_id = ?", [
        to,
        to === "deleted" ? now : null,
        id,
      ]);
    });
  }

  #rowOfName(name: string): Row | undefined {
    return this.#database.get("SELECT * FROM experiments WHERE workspace = 'default' AND name = ?", [name]);
  }

  #requireFreeName(action: string, name: string): void {
    const row = this.#rowOfName(name);
    if (row === undefined) return;
    const hint = stageOf(row) === "deleted"
      ? `the deleted experiment "${row.experiment_id}" has this name. Restore it, or choose another name`
      : `the experiment "${row.experiment_id}" has this name. Use it, or choose another name`;
    throw new TrackingError("RESOURCE_ALREADY_EXISTS", `Cannot ${action}: ${hint}`);
  }
}

function toExperiment(row: Row, tags: Tags): Experiment {
  const creationTime = optionalNumber(row, "creation_time");
  const lastUpdateTime = optionalNumber(row, "last_update_time");
  return {
    experimentId: textOf(row, "experiment_id"),
    name: textOf(row, "name"),
    artifactLocation: textOf(row, "artifact_location"),
    lifecycleStage: stageOf(row),
    ...(creationTime === undefined ? {} : { creationTime }),
    ...(lastUpdateTime === undefined ? {} : { lastUpdateTime }),
    tags,
  };
}

function checkName(action: string, name: string): void {
  if (name === "") throw invalid(action, "a name is needed");
  checkLength(action, "the name", { text: name, limit: LIMITS.experimentName });
}

function checkTags(action: string, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    checkKey(action, "tag", key);
    checkLength(action, `the value of tag "${key}"`, { text: value, limit: LIMITS.experimentTagValue });
  }
}

function absoluteLocation(action: string, location: string): string {
  if (location.startsWith("runs:")) throw invalid(action, "its artifacts cannot be kept in a run. Name a folder");
  // One letter before the colon is a drive of Windows, not a scheme.
  const absolute = /^[a-z][a-z0-9+.-]+:/i.test(location) ? location : resolve(location);
  checkLength(action, "the artifact location", { text: absolute, limit: LIMITS.artifactLocation });
  return absolute;
}
