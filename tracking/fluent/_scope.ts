import { AsyncLocalStorage } from "node:async_hooks";
import type { OpenRun } from "./_open_run.ts";

/** What one asynchronous task and all that it calls see as their run. */
interface Scope {
  /** The scope around it. */
  readonly parent: Scope | undefined;
  /** Absent while the run is being started, and for good if that fails. */
  run?: OpenRun;
}

const scopes = new AsyncLocalStorage<Scope>();

/** The run that was started because something was logged without one: seen wherever no other is. */
let implicitRun: OpenRun | undefined;

/** Runs that end no later than the process: all but those with a callback, which end with it. */
const openRuns = new Set<OpenRun>();

/** The active run of the calling task. */
export function currentRun(): OpenRun | undefined {
  return liveScope()?.run ?? (implicitRun?.ended === false ? implicitRun : undefined);
}

/** Makes a run the active one of a callback, and of nothing else. */
export function runInScope<Result>(run: OpenRun, callback: () => Result): Result {
  return scopes.run({ parent: liveScope(), run }, callback);
}

/**
 * Makes a run that is yet to come the active one of the calling function, from its next `await` on.
 *
 * To be called synchronously: the context that is changed is the caller's. It is also that of what called the caller,
 * if there was no `await` between; so a scope whose run is not there yet is not seen, and tasks that start side by side
 * do not take each other's runs for their parents.
 *
 * @returns Puts the run in.
 */
export function enterScope(): (run: OpenRun) => void {
  const scope: Scope = { parent: liveScope() };
  scopes.enterWith(scope);
  return (run) => {
    scope.run = run;
    keepUntilEnd(run);
  };
}

/** Makes a run the one for all that is logged where no run is active. */
export function setImplicitRun(run: OpenRun): void {
  implicitRun = run;
  keepUntilEnd(run);
}

/** A run that is open, but not active in the calling task: whoever logs without a run may have lost it. */
export function runOpenElsewhere(): OpenRun | undefined {
  return openRuns.values().next().value;
}

/** Ends the runs that no callback ends, the last one first. */
export async function endOpenRuns(): Promise<void> {
  for (const run of [...openRuns].reverse()) await run.end();
}

function liveScope(): Scope | undefined {
  let scope = scopes.getStore();
  while (scope !== undefined && scope.run?.ended !== false) scope = scope.parent;
  return scope;
}

function keepUntilEnd(run: OpenRun): void {
  if (openRuns.size === 0) addEventListener("beforeunload", onBeforeUnload);
  openRuns.add(run);
  run.onEnd = () => {
    openRuns.delete(run);
    if (openRuns.size === 0) removeEventListener("beforeunload", onBeforeUnload);
  };
}

/** Keeps the process alive for as long as ending takes. What goes wrong then ends it as an unhandled rejection. */
function onBeforeUnload(event: Event): void {
  event.preventDefault();
  void endOpenRuns();
}
