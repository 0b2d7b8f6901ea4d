import { TrackingError } from "../errors.ts";
import type { TrackingStore } from "../tracking_store.ts";
import type { OpenRun } from "./_open_run.ts";
import { currentRun, runOpenElsewhere, setImplicitRun } from "./_scope.ts";
import { getTrackingStore } from "./settings.ts";
import { begin } from "./start_run.ts";

/** Which run something is logged to. */
export interface TargetOptions {
  /** A run, active or not. Default: the active one; where there is none, one is started. */
  readonly runId?: string;
}

/** A run that something is logged to. */
export interface Target {
  readonly runId: string;
  readonly store: TrackingStore;
  /** Absent for runs that were named by their id. */
  readonly run?: OpenRun;
}

/** The implicit run while it is being started: whoever comes meanwhile waits for the same one. */
let starting: Promise<OpenRun> | undefined;

/**
 * The run that something is logged to.
 *
 * @param options Which one.
 * @returns The run.
 */
export async function targetOf({ runId }: TargetOptions): Promise<Target> {
  if (runId !== undefined) return { runId, store: getTrackingStore() };
  const run = currentRun() ?? await startImplicitRun();
  return { runId: run.info.runId, store: run.store, run };
}

function startImplicitRun(): Promise<OpenRun> {
  refuseIfLost("log");
  return starting ??= begin({}, undefined).then((run) => {
    setImplicitRun(run);
    return run;
  }).finally(() => starting = undefined);
}

/**
 * Makes sure that no run is open that a task without a run may rightly think its own.
 *
 * @param action What is to be done without a run.
 */
export function refuseIfLost(action: string): void {
  const open = runOpenElsewhere();
  if (open === undefined) return;
  throw new TrackingError(
    "INVALID_STATE",
    `Cannot ${action}: no run is active here, but run "${open.info.runId}" is in another task. ` +
      "Await startRun() in the function that logs, use startRun(options, callback), or give the runId",
    { status: 400 },
  );
}
