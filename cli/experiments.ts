import type { Command } from "./command.ts";
import { viewOf } from "./_flags.ts";
import { formatTime, print, printJson, table } from "./_output.ts";
import { allPages, withStores } from "./_stores.ts";

/** `experiments list`. */
export const experimentsList: Command = {
  words: ["experiments", "list"],
  summary: "List experiments, the newest first",
  positionals: [],
  flags: {
    "view": { value: "active|deleted|all", help: "Which ones (default: active)" },
    "filter": { value: "FILTER", help: `MLflow's filter, such as "name LIKE 'chat%'"` },
  },
  async run(input) {
    const filter = input.text("filter");
    const viewType = viewOf(input.text("view"));
    const experiments = await withStores(input, ({ store }) =>
      allPages((pageToken) =>
        store.searchExperiments({
          viewType,
          ...(filter !== undefined && { filter }),
          ...(pageToken !== undefined && { pageToken }),
        })
      ));
    if (input.json) {
      return printJson(experiments.map((experiment) => ({
        experiment_id: experiment.experimentId,
        name: experiment.name,
        artifact_location: experiment.artifactLocation,
        lifecycle_stage: experiment.lifecycleStage,
        creation_time: experiment.creationTime,
        last_update_time: experiment.lastUpdateTime,
        tags: experiment.tags,
      })));
    }
    print(table(
      ["id", "name", "stage", "changed", "artifacts"],
      experiments.map((experiment) => [
        experiment.experimentId,
        experiment.name,
        experiment.lifecycleStage,
        formatTime(experiment.lastUpdateTime),
        experiment.artifactLocation,
      ]),
    ));
  },
};
