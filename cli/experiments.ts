import type { Command } from "./command.ts";
import { countOf, VIEW, viewOf } from "./_flags.ts";
import { formatTime, print, printJson, table } from "./_output.ts";
import { allPages, withStores } from "./_stores.ts";

/** `experiments list`. */
export const experimentsList: Command = {
  words: ["experiments", "list"],
  summary: "List experiments, the newest first",
  positionals: [],
  flags: {
    "view": VIEW,
    "filter": { value: "FILTER", help: `MLflow's filter, such as "name LIKE 'chat%'"` },
    "max-results": { value: "COUNT", help: "Most experiments to list (default: all)" },
  },
  async run(input) {
    const filter = input.text("filter");
    const viewType = viewOf(input.text("view"));
    const most = countOf("max-results", input.text("max-results"), { fallback: Infinity, most: 1_000_000 });
    const found = await withStores(input, ({ store }) =>
      allPages((pageToken) =>
        store.searchExperiments({
          viewType,
          ...(filter !== undefined && { filter }),
          ...(pageToken !== undefined && { pageToken }),
        })
      ));
    const experiments = found.slice(0, most);
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

/** `experiments search`: the same, by MLflow's name. */
export const experimentsSearch: Command = { ...experimentsList, words: ["experiments", "search"] };
