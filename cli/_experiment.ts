import { CommandError } from "../_command_error.ts";
import { TrackingError, type TrackingStore } from "../tracking/mod.ts";
import type { CommandInput, Flag } from "./command.ts";

/** The flag by which MLflow's command line names an experiment. */
export const EXPERIMENT_ID: Flag = { value: "ID", help: "The experiment by its id, as for MLflow" };

/**
 * The experiment that a line names, by `--experiment` or by `--experiment-id`.
 *
 * @throws {CommandError} With exit code 2 if it has both.
 */
export function experimentOf(input: CommandInput): string | undefined {
  const [experiment, id] = [input.text("experiment"), input.text("experiment-id")];
  if (experiment === undefined || id === undefined) return experiment ?? id;
  throw new CommandError("--experiment and --experiment-id name the same: give one of them", 2);
}

/**
 * The id of an experiment that was named by its name, or by its id.
 *
 * @throws {CommandError} If there is none.
 */
export async function getExperimentId(store: TrackingStore, experiment: string): Promise<string> {
  const named = await store.getExperimentByName(experiment);
  if (named !== undefined) return named.experimentId;
  if (/^\d+$/.test(experiment)) {
    try {
      return (await store.getExperiment(experiment)).experimentId;
    } catch (error) {
      if (!(error instanceof TrackingError) || error.errorCode !== "RESOURCE_DOES_NOT_EXIST") throw error;
    }
  }
  throw new CommandError(
    `There is no experiment "${experiment}" in ${store.uri}. 'cli.ts experiments list' shows those that there are`,
    1,
  );
}
