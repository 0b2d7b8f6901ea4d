import { TrackingError } from "../tracking/mod.ts";
import type { Experiment } from "../tracking/mod.ts";
import { readVariable } from "../tracking/_environment.ts";
import type { TracingOptions } from "./tracing_options.ts";

/** MLflow's "Default", which every store has from the start. */
const DEFAULT_EXPERIMENT_ID = "0";

/** What is asked about experiments. */
export interface Experiments {
  getByName(name: string): Promise<Experiment | undefined>;
  create(options: { readonly name: string }): Promise<string>;
}

/**
 * The experiment that traces belong to: the one that is wanted, else the one that the environment names.
 *
 * @param experiments The store's.
 * @param wanted The one that is wanted.
 * @param read Reads a variable of the environment.
 * @returns Its id. One of a name that does not exist is made.
 * @throws {TrackingError} If it is deleted, or cannot be made.
 */
export async function experimentIdOf(
  experiments: Experiments,
  wanted: TracingOptions["experiment"],
  read: (variable: string) => string | undefined = readVariable,
): Promise<string> {
  if (typeof wanted === "object") return wanted.experimentId;
  const name = wanted ?? read("MLFLOW_EXPERIMENT_NAME");
  if (!name) return read("MLFLOW_EXPERIMENT_ID") || DEFAULT_EXPERIMENT_ID;
  const found = await experiments.getByName(name) ?? await create(experiments, name);
  if (typeof found === "string") return found;
  if (found.lifecycleStage === "active") return found.experimentId;
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot send traces: experiment "${name}" is deleted. Restore it, or name another one`,
  );
}

async function create(experiments: Experiments, name: string): Promise<Experiment | string> {
  try {
    return await experiments.create({ name });
  } catch (error) {
    // Another process was quicker: its is as good.
    const made = await experiments.getByName(name);
    if (made === undefined) throw error;
    return made;
  }
}
