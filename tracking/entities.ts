/** Whether something is in use or in the bin, from where it can be restored. */
export type LifecycleStage = "active" | "deleted";

/** Which things a search looks at. */
export type ViewType = "active" | "deleted" | "all";

/** Names and values, both text. */
export type Tags = { readonly [key: string]: string };

/** A group of runs and logged models. */
export interface Experiment {
  /** Id: digits. */
  readonly experimentId: string;
  /** Unique name. */
  readonly name: string;
  /** URI under which artifacts of its runs and models are kept. */
  readonly artifactLocation: string;
  /** Whether it is in use. */
  readonly lifecycleStage: LifecycleStage;
  /** When it was created, in ms since 1970; absent where an old server does not tell. */
  readonly creationTime?: number;
  /** When it was last changed, in ms since 1970; absent where an old server does not tell. */
  readonly lastUpdateTime?: number;
  /** Its tags. */
  readonly tags: Tags;
}

/** What a run is doing, in MLflow's words. */
export type RunStatus = "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";

/** What a run is, without what it logged. */
export interface RunInfo {
  /** Id: 32 hexadecimal digits. */
  readonly runId: string;
  /** Name for people; not unique. */
  readonly runName: string;
  /** Experiment that it belongs to. */
  readonly experimentId: string;
  /** Who started it. */
  readonly userId: string;
  /** What it is doing. */
  readonly status: RunStatus;
  /** When it started, in ms since 1970. */
  readonly startTime: number;
  /** When it ended, in ms since 1970; absent while it runs. */
  readonly endTime?: number;
  /** Whether it is in use. */
  readonly lifecycleStage: LifecycleStage;
  /** URI under which its artifacts are kept. */
  readonly artifactUri: string;
}

/** One point of a metric. */
export interface Metric {
  /** Name of the metric. */
  readonly key: string;
  /** Value. `NaN` is kept; infinities come back as ±1.7976931348623157e308, as MLflow stores them. */
  readonly value: number;
  /** When it was measured, in ms since 1970. */
  readonly timestamp: number;
  /** Step, such as of a training. */
  readonly step: number;
  /** Logged model that it tells of. */
  readonly modelId?: string;
  /** Name of the dataset that it was measured on. */
  readonly datasetName?: string;
  /** Digest of the dataset that it was measured on. */
  readonly datasetDigest?: string;
}

/** Data that something was made from. */
export interface Dataset {
  /** Name. */
  readonly name: string;
  /** Digest of its contents; name and digest together are unique in an experiment. */
  readonly digest: string;
  /** Kind of its source, such as `local`, `code` or `http`. */
  readonly sourceType: string;
  /** Where it comes from: text of any form, mostly JSON. */
  readonly source: string;
  /** Its schema: text of any form, mostly JSON. */
  readonly schema?: string;
  /** Its statistics: text of any form, mostly JSON. */
  readonly profile?: string;
}

/** A dataset that a run used. */
export interface DatasetInput {
  /** The dataset. */
  readonly dataset: Dataset;
  /** Tags, such as `mlflow.data.context`. */
  readonly tags: Tags;
}

/** A logged model that a run made. */
export interface ModelOutput {
  /** Id of the model. */
  readonly modelId: string;
  /** Step at which it was made. */
  readonly step: number;
}

/** A run with what it logged. */
export interface Run {
  /** What it is. */
  readonly info: RunInfo;
  /** What it logged. */
  readonly data: {
    /** The latest value of each metric: the one of the greatest step, then timestamp, then value. */
    readonly metrics: { readonly [key: string]: number };
    /** Parameters. */
    readonly params: Tags;
    /** Tags. */
    readonly tags: Tags;
  };
  /** What it used. */
  readonly inputs: { readonly datasets: readonly DatasetInput[]; readonly modelIds: readonly string[] };
  /** What it made. */
  readonly outputs: { readonly models: readonly ModelOutput[] };
}

/** How far a logged model has come. */
export type LoggedModelStatus = "UNSPECIFIED" | "PENDING" | "READY" | "FAILED";

/** A model that was logged in an experiment. */
export interface LoggedModel {
  /** Id: `m-` and 32 hexadecimal digits. */
  readonly modelId: string;
  /** Experiment that it belongs to. */
  readonly experimentId: string;
  /** Name; not unique. */
  readonly name: string;
  /** Kind of model, for people. */
  readonly modelType?: string;
  /** Run that made it. */
  readonly sourceRunId?: string;
  /** How far it has come. */
  readonly status: LoggedModelStatus;
  /** URI under which its files are kept. */
  readonly artifactLocation: string;
  /** When it was created, in ms since 1970. */
  readonly creationTimestamp: number;
  /** When it was last changed, in ms since 1970. */
  readonly lastUpdatedTimestamp: number;
  /** Its tags. */
  readonly tags: Tags;
  /** Its parameters. */
  readonly params: Tags;
  /** What was measured of it. */
  readonly metrics: readonly (Metric & { readonly runId: string })[];
}

/** A file or folder among artifacts. */
export interface FileInfo {
  /** Path from the root of the artifacts, with `/`. */
  readonly path: string;
  /** Whether it is a folder. */
  readonly isDirectory: boolean;
  /** Size in bytes; absent for folders. */
  readonly fileSize?: number;
}

/** A part of a long list. */
export interface Page<Item> {
  /** Things of this part. */
  readonly items: readonly Item[];
  /** What to ask for the next part with; absent on the last one. */
  readonly nextPageToken?: string;
}
