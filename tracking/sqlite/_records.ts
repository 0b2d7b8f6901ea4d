import { TrackingError } from "../errors.ts";
import { invalid } from "../_limits.ts";
import type { Database, Row } from "./database.ts";
import { stageOf } from "./_rows.ts";

/** The number of an experiment. An id that is no number names none. */
export function experimentNumber(action: string, experimentId: string): number {
  if (!/^\d{1,15}$/.test(experimentId)) {
    throw invalid(action, `"${experimentId}" is no id of an experiment: ids are digits`);
  }
  return Number(experimentId);
}

/** The row of an experiment. */
export function requireExperiment(database: Database, action: string, experimentId: string): Row {
  const row = database.get("SELECT * FROM experiments WHERE experiment_id = ?", [
    experimentNumber(action, experimentId),
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
