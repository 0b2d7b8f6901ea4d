import { CommandError } from "../_command_error.ts";
import { TrackingError, type TrackingStore } from "../tracking/mod.ts";

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
