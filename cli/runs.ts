import { CommandError } from "../_command_error.ts";
import { EXPERIMENT_ID, experimentOf, getExperimentId } from "./_experiment.ts";
import type { Run, TrackingStore } from "../tracking/mod.ts";
import type { Command } from "./command.ts";
import { countOf, VIEW, viewOf } from "./_flags.ts";
import { formatTime, print, printJson, table } from "./_output.ts";
import { withStores } from "./_stores.ts";

/** Runs that MLflow lists at once at most. */
const MOST_RUNS = 50_000;

/** `runs list`. */
export const runsList: Command = {
  words: ["runs", "list"],
  summary: "List runs, the newest first",
  positionals: [],
  flags: {
    "experiment": { value: "NAME|ID", help: "Experiment to look in (default: all)" },
    "experiment-id": EXPERIMENT_ID,
    "filter": { value: "FILTER", help: `MLflow's filter, such as "metrics.accuracy > 0.9"` },
    "order-by": { value: "FIELD", repeated: true, help: 'Such as "metrics.accuracy DESC"' },
    "view": VIEW,
    "max-results": { value: "COUNT", help: "Most runs to list (default: 100)" },
  },
  async run(input) {
    const experiment = experimentOf(input);
    const filter = input.text("filter");
    const orderBy = input.texts("order-by");
    const viewType = viewOf(input.text("view"));
    const maxResults = countOf("max-results", input.text("max-results"), { fallback: 100, most: MOST_RUNS });
    const runs = await withStores(input, async ({ store }) => {
      const experimentIds = experiment === undefined
        ? await allExperimentIds(store)
        : [await getExperimentId(store, experiment)];
      if (experimentIds.length === 0) return [];
      const { items } = await store.searchRuns({
        experimentIds,
        viewType,
        maxResults,
        ...(filter !== undefined && { filter }),
        ...(orderBy.length > 0 && { orderBy }),
      });
      return items;
    });
    if (input.json) return printJson(runs.map(runObject));
    print(table(
      ["run id", "name", "experiment", "status", "started", "ended"],
      runs.map(({ info }) => [
        info.runId,
        info.runName,
        info.experimentId,
        info.status,
        formatTime(info.startTime),
        formatTime(info.endTime),
      ]),
    ));
  },
};

/** `runs show`. */
export const runsShow: Command = {
  words: ["runs", "show"],
  summary: "Show a run: what it is, and what it logged",
  positionals: ["RUN_ID"],
  flags: {},
  async run(input) {
    const [runId = ""] = input.positionals;
    const run = await withStores(input, ({ store }) => store.getRun(runId));
    if (input.json) return printJson(runObject(run));
    const { info, data } = run;
    print([
      `Run         ${info.runId}  ${info.runName}`,
      `Experiment  ${info.experimentId}`,
      `Status      ${info.status}${info.lifecycleStage === "deleted" ? " (deleted)" : ""}`,
      `Started     ${formatTime(info.startTime)}`,
      `Ended       ${formatTime(info.endTime)}`,
      `Artifacts   ${info.artifactUri}`,
      ...run.outputs.models.map(({ modelId }) => `Model       models:/${modelId}`),
      ...section("Params", data.params),
      ...section("Metrics", data.metrics),
      ...section("Tags", data.tags),
    ].join("\n"));
  },
};

/** `runs describe`: as MLflow's, it prints JSON. */
export const runsDescribe: Command = {
  words: ["runs", "describe"],
  summary: "Show all of a run as JSON",
  positionals: [],
  flags: { "run-id": { value: "ID", required: true, help: "The run" } },
  async run(input) {
    printJson(runObject(await withStores(input, ({ store }) => store.getRun(input.text("run-id") ?? ""))));
  },
};

function section(title: string, values: { readonly [key: string]: string | number }): string[] {
  const entries = Object.entries(values);
  if (entries.length === 0) return [];
  const width = Math.max(...entries.map(([key]) => key.length));
  return ["", title, ...entries.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`)];
}

/** A run as MLflow's API shows it. */
function runObject({ info, data, outputs }: Run): object {
  return {
    info: {
      run_id: info.runId,
      run_name: info.runName,
      experiment_id: info.experimentId,
      user_id: info.userId,
      status: info.status,
      start_time: info.startTime,
      end_time: info.endTime,
      lifecycle_stage: info.lifecycleStage,
      artifact_uri: info.artifactUri,
    },
    data,
    outputs: { models: outputs.models.map(({ modelId, step }) => ({ model_id: modelId, step })) },
  };
}

async function allExperimentIds(store: TrackingStore): Promise<string[]> {
  const { items, nextPageToken } = await store.searchExperiments({ maxResults: 1000 });
  if (nextPageToken !== undefined) {
    throw new CommandError("There are over 1000 experiments: name one with --experiment", 2);
  }
  return items.map(({ experimentId }) => experimentId);
}
