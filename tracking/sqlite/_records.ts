import { TrackingError } from "../errors.ts";
import { invalid } from "../limits.ts";
import type { Database, Row } from "./database.ts";
import { stageOf } from "./_rows.ts";

/**
 * The id of an experiment as SQLite and JSON read a whole number. It stays text, as MLflow has ids of 18 digits, too.
 */
export function experimentKey(action: string, experimentId: string): string {
  if (/^\d{1,19}$/.test(experimentId)) return experimentId.replace(/^0+(?=\d)/, "");
  throw invalid(action, `"${experimentId}" is no id of an experiment: ids are digits`);
}

/** The row of an experiment. */
export function requireExperiment(database: Database, action: string, experimentId: string): Row {
  const row = database.get("SELECT * FROM experiments WHERE experiment_id = ?", [
    experimentKey(action, experimentId),
  ]);
  if (row !== undefined) return row;
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot ${action}: there is no experiment "${experimentId}". List them with searchExperiments`,
  );
}

/** The row of an experiment that is not deleted. */
export function requireActiveExperiment(database: Database, action: string, experimentId: string): Row {
  const row = requireExperiment(database, action, experimentId);
  if (stageOf(row) === "active") return row;
  throw invalid(action, `the experiment "${experimentId}" is deleted. Restore it first`);
}

/** The row of a run. */
export function requireRun(database: Database, action: string, runId: string): Row {
  const row = database.get("SELECT * FROM runs WHERE run_uuid = ?", [runId]);
  if (row !== undefined) return row;
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot ${action}: there is no run "${runId}". List them with searchRuns`,
  );
}

/** The row of a run that is not deleted. */
export function requireActiveRun(database: Database, action: string, runId: string): Row {
  const row = requireRun(database, action, runId);
  if (stageOf(row) === "active") return row;
  throw invalid(action, `the run "${runId}" is deleted. Restore it first`);
}
