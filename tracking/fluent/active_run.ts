import type { RunInfo } from "../entities.ts";
import type { TrackingStore } from "../tracking_store.ts";

/** How a run may end. */
export type EndStatus = "FINISHED" | "FAILED" | "KILLED";

/**
 * A run that was started or resumed, and that what is logged goes to. Disposing of it ends it as `FINISHED`, unless it
 * has ended before.
 */
export interface ActiveRun extends AsyncDisposable {
  /** What the run was when it started. */
  readonly info: RunInfo;
  /** URI of the store that it is in. */
  readonly trackingUri: string;
  /** The store that it is in. */
  readonly store: TrackingStore;
  /** Whether it has ended, by whatever way. */
  readonly ended: boolean;
  /**
   * Ends the run, and waits until the store knows. It stops being active at once. Ending it once more does nothing.
   *
   * @param status How it ended. @default {"FINISHED"}
   */
  end(status?: EndStatus): Promise<void>;
}
