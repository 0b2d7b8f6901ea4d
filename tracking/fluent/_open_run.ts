import type { Run, RunInfo } from "../entities.ts";
import type { TrackingStore } from "../tracking_store.ts";
import type { ActiveRun, EndStatus } from "./active_run.ts";
import { storeAt } from "./settings.ts";

let lastEnded: OpenRun | undefined;

/** The one implementation of {@linkcode ActiveRun}. */
export class OpenRun implements ActiveRun {
  readonly info: RunInfo;
  readonly trackingUri: string;
  /** Logged models that the store already links to the run. */
  readonly linkedModels: Set<string>;
  /** Told when it ends. */
  onEnd?: () => void;
  #ending: Promise<void> | undefined;

  constructor(run: Run, trackingUri: string) {
    this.info = run.info;
    this.trackingUri = trackingUri;
    this.linkedModels = new Set([...run.inputs.modelIds, ...run.outputs.models.map(({ modelId }) => modelId)]);
  }

  /** Looked up anew each time, as stores may be closed while a run goes on. */
  get store(): TrackingStore {
    return storeAt(this.trackingUri);
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  end(status: EndStatus = "FINISHED"): Promise<void> {
    return this.#ending ??= this.#end(status);
  }

  async #end(status: EndStatus): Promise<void> {
    lastEnded = this;
    this.onEnd?.();
    await this.store.updateRun(this.info.runId, { status, endTime: Date.now() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** The run that ended last in this process, if any has. */
export function lastEndedRun(): ActiveRun | undefined {
  return lastEnded;
}
