import type { Run } from "../entities.ts";
import type { SearchRunsOptions } from "../tracking_store.ts";
import type { ActiveRun, EndStatus } from "./active_run.ts";
import { activeExperimentId } from "./experiment.ts";
import { lastEndedRun } from "./_open_run.ts";
import { currentRun, endOpenRuns } from "./_scope.ts";
import { closeStores, getTrackingStore } from "./settings.ts";
import { refuseIfLost } from "./_target.ts";

/** Most runs that a store gives at once. */
const LARGEST_PAGE = 50_000;

/**
 * The run that what is logged here goes to.
 *
 * @returns The innermost one of the calling task; `undefined` if there is none.
 */
export function activeRun(): ActiveRun | undefined {
  return currentRun();
}

/**
 * The active run, else the run that ended last in this process, as it is now.
 *
 * @returns The run with what it logged; `undefined` if there has been none.
 */
export async function lastActiveRun(): Promise<Run | undefined> {
  const run = currentRun() ?? lastEndedRun();
  return await run?.store.getRun(run.info.runId);
}

/**
 * Ends the active run; the one that it is nested in is then active again. Does nothing if no run is active.
 *
 * @param status How it ended.
 * @throws {TrackingError} If no run is active here, but one that was started in another task is open (`INVALID_STATE`).
 */
export async function endRun(status: EndStatus = "FINISHED"): Promise<void> {
  const run = currentRun();
  if (run === undefined) return refuseIfLost("end the active run");
  await run.end(status);
}

/** Options for {@linkcode searchRuns}. */
export interface SearchAllRunsOptions extends Omit<SearchRunsOptions, "experimentIds" | "pageToken"> {
  /** Experiments to look in. Default: the one that a run started now would belong to. */
  readonly experimentIds?: readonly string[];
  /** Most runs in all. @default {100_000} */
  readonly maxResults?: number;
}

/**
 * Looks for runs, page after page.
 *
 * @param options Which runs.
 * @returns The runs.
 * @throws {TrackingError} As {@linkcode TrackingStore.searchRuns} does.
 */
export async function searchRuns(options: SearchAllRunsOptions = {}): Promise<readonly Run[]> {
  const { maxResults = 100_000, ...search } = options;
  const store = getTrackingStore();
  const experimentIds = options.experimentIds ?? [await activeExperimentId()];
  const runs: Run[] = [];
  let pageToken: string | undefined;
  do {
    const page = await store.searchRuns({
      ...search,
      experimentIds,
      maxResults: Math.min(maxResults - runs.length, LARGEST_PAGE),
      ...(pageToken !== undefined && { pageToken }),
    });
    runs.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && runs.length < maxResults);
  return runs;
}

/**
 * Ends runs that are active and that no callback ends, as `FINISHED`, and closes the stores that the functions here
 * opened. They open again when they are needed. A process that ends does the first by itself and needs not the second;
 * tests do.
 */
export async function closeTracking(): Promise<void> {
  try {
    await endOpenRuns();
  } finally {
    await closeStores();
  }
}
