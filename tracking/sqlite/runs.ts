import { checkKey, checkLength, checkWhole, invalid, LIMITS } from "../limits.ts";
import { withRunTags } from "../_run_tags.ts";
import type { Run, RunInfo, Tags } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { CreateRunOptions, RunChanges } from "../tracking_store.ts";
import type { Database } from "./database.ts";
import { isRunStatus, loadRuns, toRunInfo } from "./_load_runs.ts";
import { requireActiveExperiment, requireActiveRun, requireRun } from "./_records.ts";
import { appendToUri } from "./_append_to_uri.ts";
import { newId, only, textOf } from "./_rows.ts";
import { inventRunName } from "./_run_names.ts";

/** The tag that a run's name is kept in as well. */
const RUN_NAME = "mlflow.runName";

/** Runs of a database. */
export class Runs {
  readonly #database: Database;

  /**
   * Runs of a database.
   *
   * @param database The database.
   */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes a run. */
  create(options: CreateRunOptions): Run {
    const { experimentId, startTime = Date.now(), userId = "", tags = {} } = options;
    const action = `create run in experiment "${experimentId}"`;
    checkRunTags(action, tags);
    checkWhole(action, "the start time", { value: startTime, least: 0 });
    const runName = runNameOf(action, options.runName, tags[RUN_NAME]);
    return this.#database.write(() => {
      const experiment = requireActiveExperiment(this.#database, action, experimentId);
      const runId = newId();
      this.#database.run(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, " +
          "end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time) " +
          "VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, NULL, '', 'active', ?, ?, NULL)",
        [
          runId,
          runName,
          userId,
          startTime,
          appendToUri(textOf(experiment, "artifact_location"), `${runId}/artifacts`),
          textOf(experiment, "experiment_id"),
        ],
      );
      this.#writeTags(runId, { ...withRunTags(tags, userId), [RUN_NAME]: runName });
      return this.get(runId);
    });
  }

  /** The run of an id. */
  get(runId: string): Run {
    return this.#database.read(() => {
      return only(loadRuns(this.#database, [requireRun(this.#database, `get run "${runId}"`, runId)]));
    });
  }

  /** Changes a run. */
  update(runId: string, { status, endTime, runName }: RunChanges): RunInfo {
    const action = `update run "${runId}"`;
    if (status !== undefined && !isRunStatus(status)) {
      throw invalid(action, `"${status}" is no status: there are RUNNING, SCHEDULED, FINISHED, FAILED, KILLED`);
    }
    if (endTime !== undefined) checkWhole(action, "the end time", { value: endTime, least: 0 });
    if (runName !== undefined) checkRunTags(action, { [RUN_NAME]: runName });
    return this.#database.write(() => {
      requireActiveRun(this.#database, action, runId);
      if (status !== undefined) this.#database.run("UPDATE runs SET status = ? WHERE run_uuid = ?", [status, runId]);
      if (endTime !== undefined) {
        this.#database.run("UPDATE runs SET end_time = ? WHERE run_uuid = ?", [endTime, runId]);
      }
      if (runName !== undefined && runName !== "") this.#writeTags(runId, { [RUN_NAME]: runName });
      return toRunInfo(requireRun(this.#database, action, runId));
    });
  }

  /** Puts a run in the bin. */
  delete(runId: string): void {
    this.#database.write(() => {
      requireRun(this.#database, `delete run "${runId}"`, runId);
      this.#database.run("UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE run_uuid = ?", [
        Date.now(),
        runId,
      ]);
    });
  }

  /** Takes a run out of the bin. */
  restore(runId: string): void {
    this.#database.write(() => {
      requireRun(this.#database, `restore run "${runId}"`, runId);
      this.#database.run("UPDATE runs SET lifecycle_stage = 'active', deleted_time = NULL WHERE run_uuid = ?", [runId]);
    });
  }

  /** Writes tags of a run that may be written, in the transaction in course. */
  setTags(action: string, runId: string, tags: Tags): void {
    checkRunTags(action, tags);
    this.#writeTags(runId, tags);
  }

  /** Removes a tag. */
  deleteTag(runId: string, key: string): void {
    const action = `delete tag "${key}" of run "${runId}"`;
    this.#database.write(() => {
      requireActiveRun(this.#database, action, runId);
      if (this.#database.run("DELETE FROM tags WHERE run_uuid = ? AND key = ?", [runId, key]) > 0) return;
      throw new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: it has no such tag`);
    });
  }

  #writeTags(runId: string, tags: Tags): void {
    for (const [key, value] of Object.entries(tags)) {
      this.#database.run(
        "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?) " +
          "ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value",
        [key, value, runId],
      );
      if (key === RUN_NAME) this.#database.run("UPDATE runs SET name = ? WHERE run_uuid = ?", [value, runId]);
    }
  }
}

function runNameOf(action: string, name: string | undefined, tag: string | undefined): string {
  if (name !== undefined && name !== "" && tag !== undefined && tag !== "" && name !== tag) {
    throw invalid(action, `its name is "${name}", but its tag "${RUN_NAME}" is "${tag}". Give one of them`);
  }
  const runName = name || tag || inventRunName();
  checkRunTags(action, { [RUN_NAME]: runName });
  return runName;
}

function checkRunTags(action: string, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    checkKey(action, "tag", key);
    checkLength(action, `the value of tag "${key}"`, { text: value, limit: LIMITS.tagValue });
  }
}
