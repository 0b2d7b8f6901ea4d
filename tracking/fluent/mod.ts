/**
 * MLflow's functions without a store in hand: `startRun`, `logParam`, `logMetric` and their like, for the active run.
 *
 * @module
 */
export type { ActiveRun, EndStatus } from "./active_run.ts";
export { activeExperimentId, setExperiment } from "./experiment.ts";
export {
  deleteTag,
  logInput,
  type LogInputOptions,
  logMetric,
  type LogMetricOptions,
  logMetrics,
  logParam,
  logParams,
  setTag,
  setTags,
} from "./log.ts";
export {
  logArtifact,
  type LogArtifactOptions,
  logArtifacts,
  type LogContentOptions,
  logDict,
  logText,
} from "./log_artifacts.ts";
export { logTable, type TableData } from "./log_table.ts";
export { activeRun, closeTracking, endRun, lastActiveRun, type SearchAllRunsOptions, searchRuns } from "./runs.ts";
export { getRegistryUri, getTrackingStore, getTrackingUri, setRegistryUri, setTrackingUri } from "./settings.ts";
export { type RunCallback, startRun, type StartRunOptions } from "./start_run.ts";
export type { TargetOptions } from "./_target.ts";
export type { LoggableValue } from "./_values.ts";
