import type { Command } from "./command.ts";
import { EXPERIMENT_ID, experimentOf, getExperimentId } from "./_experiment.ts";
import { formatTime, print, printJson, table } from "./_output.ts";
import { allPages, type Stores, withStores } from "./_stores.ts";

/** `models list`. */
export const modelsList: Command = {
  words: ["models", "list"],
  summary: "List registered models, or the models logged in an experiment",
  positionals: [],
  flags: {
    "experiment": { value: "NAME|ID", help: "List the models logged in this experiment instead" },
    "experiment-id": EXPERIMENT_ID,
    "filter": { value: "FILTER", help: `MLflow's filter, such as "name LIKE 'chat%'"` },
  },
  async run(input) {
    const experiment = experimentOf(input);
    const filter = input.text("filter");
    const search = filter === undefined ? {} : { filter };
    await withStores(input, async (stores) => {
      if (experiment === undefined) await listRegistered(stores, search, input.json);
      else await listLogged(stores, experiment, search, input.json);
    });
  },
};

async function listRegistered({ registry }: Stores, search: { filter?: string }, json: boolean): Promise<void> {
  const models = await allPages((pageToken) =>
    registry.searchRegisteredModels({ ...search, ...(pageToken !== undefined && { pageToken }) })
  );
  if (json) {
    return printJson(models.map((model) => ({
      name: model.name,
      description: model.description,
      latest_version: latest(model.latestVersions),
      aliases: model.aliases,
      tags: model.tags,
      creation_timestamp: model.creationTimestamp,
      last_updated_timestamp: model.lastUpdatedTimestamp,
    })));
  }
  print(table(
    ["name", "latest", "aliases", "changed"],
    models.map((model) => [
      model.name,
      latest(model.latestVersions) ?? "",
      Object.entries(model.aliases).map(([alias, version]) => `${alias}=${version}`).join(" "),
      formatTime(model.lastUpdatedTimestamp),
    ]),
  ));
}

async function listLogged(
  { store }: Stores,
  experiment: string,
  search: { filter?: string },
  json: boolean,
): Promise<void> {
  const experimentIds = [await getExperimentId(store, experiment)];
  const models = await allPages((pageToken) =>
    store.searchLoggedModels({ experimentIds, ...search, ...(pageToken !== undefined && { pageToken }) })
  );
  if (json) {
    return printJson(models.map((model) => ({
      model_uri: `models:/${model.modelId}`,
      model_id: model.modelId,
      name: model.name,
      status: model.status,
      experiment_id: model.experimentId,
      source_run_id: model.sourceRunId,
      artifact_location: model.artifactLocation,
      creation_timestamp: model.creationTimestamp,
      params: model.params,
      tags: model.tags,
    })));
  }
  print(table(
    ["uri", "name", "status", "created", "run"],
    models.map((model) => [
      `models:/${model.modelId}`,
      model.name,
      model.status,
      formatTime(model.creationTimestamp),
      model.sourceRunId ?? "",
    ]),
  ));
}

/** The greatest version; versions are numbers written as text. */
function latest(versions: readonly { readonly version: string }[]): string | undefined {
  return versions.map(({ version }) => version).toSorted((a, b) => Number(b) - Number(a))[0];
}
