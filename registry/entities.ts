import type { Tags } from "../tracking/mod.ts";

/** A name under which versions of a model are registered. */
export interface RegisteredModel {
  /** Unique name. */
  readonly name: string;
  /** When it was created, in ms since 1970. */
  readonly creationTimestamp: number;
  /** When it or one of its versions was last changed, in ms since 1970. */
  readonly lastUpdatedTimestamp: number;
  /** What it is for. */
  readonly description: string;
  /** Its tags. */
  readonly tags: Tags;
  /** Aliases, and the version each stands for. */
  readonly aliases: Tags;
  /** The latest version of each stage. */
  readonly latestVersions: readonly ModelVersion[];
}

/** Deprecated by MLflow in favour of aliases; readable here, and settable. */
export type ModelStage = "None" | "Staging" | "Production" | "Archived";

/** One version of a registered model. */
export interface ModelVersion {
  /** Name of the registered model. */
  readonly name: string;
  /** Number: digits. */
  readonly version: string;
  /** When it was created, in ms since 1970. */
  readonly creationTimestamp: number;
  /** When it was last changed, in ms since 1970. */
  readonly lastUpdatedTimestamp: number;
  /** What is special about it. */
  readonly description: string;
  /** Who created it. */
  readonly userId: string;
  /** Its stage. */
  readonly currentStage: ModelStage;
  /** URI that it was made from, such as `models:/m-…`. */
  readonly source: string;
  /** Run that made the model. */
  readonly runId?: string;
  /** Logged model that it is; absent where a server does not tell. */
  readonly modelId?: string;
  /** How far it has come. */
  readonly status: "PENDING_REGISTRATION" | "FAILED_REGISTRATION" | "READY";
  /** Its tags. */
  readonly tags: Tags;
  /** Aliases that stand for it. */
  readonly aliases: readonly string[];
}
