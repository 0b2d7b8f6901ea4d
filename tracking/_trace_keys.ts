/** Tags and metadata by which MLflow knows things of traces. */
export const TRACE_KEYS = {
  /** Tag: name of the trace. Newer databases have a column for it. */
  name: "mlflow.traceName",
  /** Tag: where files of the trace are. */
  artifactLocation: "mlflow.artifactLocation",
  /** Tag: where its spans are. */
  spansLocation: "mlflow.trace.spansLocation",
  /** Metadata: session. Newer databases have a column for it. */
  session: "mlflow.trace.session",
  /** Metadata: tokens. Newer databases have columns for them. */
  tokenUsage: "mlflow.trace.tokenUsage",
  /** Metadata: cost. Newer databases have columns for it. */
  cost: "mlflow.trace.cost",
  /** Metadata: user. */
  user: "mlflow.trace.user",
  /** Metadata: run. */
  sourceRun: "mlflow.sourceRun",
  /** Metadata: logged model. */
  modelId: "mlflow.modelId",
  /** Metadata: version of what traces look like. */
  schemaVersion: "mlflow.trace_schema.version",
  /** Metadata: whoever made the trace has said all that is to be said of it. */
  finalized: "mlflow.trace.infoFinalized",
} as const;

/** Begins attributes of a first span that are tags of its trace. */
export const TRACE_TAG_PREFIX = "mlflow.traceTag.";
/** What `mlflow.trace.spansLocation` says of spans in the database. */
export const TRACKING_STORE = "TRACKING_STORE";
