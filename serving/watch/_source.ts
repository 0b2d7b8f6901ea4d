import type { CallLimits } from "../../loaded_chat_model.ts";
import type { LoadedModel } from "../directory.ts";

/** What a model is loaded with. */
export interface SourceLoadOptions extends CallLimits {
  /** Name it is served under. */
  readonly name: string;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** What was seen at a place that is watched. */
export interface Sighting {
  /** Tells one state from another. */
  readonly key: string;
  /** The version, for people. */
  readonly version: string;
  /** What `loadModel` takes for just this version. */
  readonly uri: string;
}

/** A place at which versions of a model turn up. */
export interface ModelSource {
  /** Milliseconds between two looks; absent if nothing can ever change there. */
  readonly interval?: number;
  /** Milliseconds for which nothing must change before a version is taken for complete. @default {0} */
  readonly settleTime?: number;
  /**
   * Looks what is there.
   *
   * @param signal Gives up.
   * @throws What keeps it from being seen.
   */
  look(signal: AbortSignal): Promise<Sighting>;
  /** Whether something else is there than what was seen. */
  hasMoved(sighting: Sighting, signal: AbortSignal): Promise<boolean>;
  /** Loads what was seen. */
  load(sighting: Sighting, options: SourceLoadOptions): Promise<LoadedModel>;
  /** Nothing more is wanted of it. */
  close(): void;
}
