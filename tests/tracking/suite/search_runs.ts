import { assertEquals } from "@std/assert";
import type { SearchRunsOptions } from "@chatmodel/chat-model/tracking";
import { assertRefused, collectPages, type Fixture, NO_EXPERIMENT, START, type Suite, testStore } from "./support.ts";

/** Filters, and the runs of {@linkcode makeRuns} that they find. */
const FILTERS: readonly (readonly [filter: string, runs: string])[] = [
  ["", "abc"],
  ["metrics.m > 0.5", "bc"],
  ["metrics.m >= 0.5", "abc"],
  ["metrics.m < 0.75", "a"],
  ["metrics.m <= 0.75", "ab"],
  ["metrics.m = 0.75", "b"],
  ["metrics.m != 0.75", "ac"],
  ["metrics.m > -1", "abc"],
  ["metrics.m > 1e-1 AND metrics.m < 9.0E-1", "ab"],
  ["metric.`odd name` = 1", "a"],
  ['metrics."odd name" = 1', "a"],
  ["metrics.none > 0", ""],
  ["params.model = 'llama3.2:1b'", "a"],
  ["params.model != 'llama3.2:1b'", "b"],
  ["param.model LIKE 'LLAMA%'", ""],
  ["parameters.model ILIKE 'LLAMA%'", "ab"],
  ["params.model like '%:3_'", "b"],
  ["params.`odd/key.x` = '1'", "a"],
  ["params.model IS NULL", "c"],
  ["params.model IS NOT NULL", "ab"],
  ["params.quote = 'it\"s'", "b"],
  ['params.quote = "it\'s"', "a"],
  ["tags.team = 'x'", "ab"],
  ["tags.team != 'x'", ""],
  ["tag.`mlflow.note.content` = 'note'", "c"],
  ["tags.mlflow.note.content = 'note'", "c"],
  ["tags.team IS NULL", "c"],
  ["status = 'FINISHED'", "b"],
  ["attributes.status != 'FINISHED'", "ac"],
  ["attribute.run_name = 'b'", "b"],
  ["run_name LIKE '%'", "abc"],
  ["tags.mlflow.runName = 'b'", "b"],
  [`start_time > ${START}`, "bc"],
  [`attributes.start_time = ${START + 1}`, "b"],
  [`end_time > ${START}`, "b"],
  ["user_id = 'someone'", "a"],
  ["metrics.m > 0.5 and tags.team = 'x' and params.model LIKE 'llama%' and status = 'FINISHED'", "b"],
  ["dataset.name = 'questions'", "a"],
  ["dataset.digest LIKE 'd%'", "ab"],
  ["dataset.context = 'train'", "b"],
];

/** Orders, and the runs of {@linkcode makeRuns} in them. */
const ORDERS: readonly (readonly [orderBy: readonly string[], runs: string])[] = [
  [[], "cba"],
  [["metrics.m ASC"], "abc"],
  [["metrics.m DESC"], "cba"],
  [["metrics.other DESC"], "bca"],
  [["metrics.other"], "cba"],
  [["params.model ASC"], "abc"],
  [["params.model DESC"], "bac"],
  [["tags.team", "start_time ASC"], "abc"],
  [["attributes.start_time ASC"], "abc"],
  [["run_name DESC"], "cba"],
  [["status DESC", "attribute.start_time"], "acb"],
  [["end_time DESC"], "bca"],
];

const REFUSED: readonly Partial<SearchRunsOptions>[] = [
  { filter: "metrics.m >" },
  { filter: "metrics.m > 'text'" },
  { filter: "metrics.m LIKE '1'" },
  { filter: "params.p = 1" },
  { filter: "params.p > '1'" },
  { filter: "nope.m > 1" },
  { filter: "nope = 'x'" },
  { filter: "params.p = '1' OR params.p = '2'" },
  { filter: "params.p = 'unfinished" },
  { filter: "start_time > 'text'" },
  { orderBy: ["nope.x"] },
  { orderBy: ["metrics.m SIDEWAYS"] },
  { pageToken: "zz" },
  { maxResults: 0 },
  { maxResults: 50_001 },
];

/** Searching for runs. */
export function searchRunTests(suite: Suite): void {
  testStore(suite, "searchRuns() understands MLflow's filters", async (fixture) => {
    await makeRuns(fixture);
    for (const [filter, runs] of FILTERS) {
      assertEquals((await find(fixture, { filter })).split("").sort().join(""), runs, filter);
    }
  });

  testStore(suite, "searchRuns() finds runs by their ids", async (fixture) => {
    const [a, , c] = await makeRuns(fixture);
    assertEquals(await find(fixture, { filter: `run_id = '${a}'` }), "a");
    assertEquals(await find(fixture, { filter: `attributes.run_id IN ('${a}', '${c}')` }), "ca");
    assertEquals(await find(fixture, { filter: `run_id NOT IN ('${a}', '${c}')` }), "b");
    assertEquals(await find(fixture, { filter: `run_id IN ('${a}') AND status = 'FINISHED'` }), "");
  });

  testStore(
    suite,
    "searchRuns() orders as told, the newest first otherwise, and what lacks the value last",
    async (fixture) => {
      await makeRuns(fixture);
      for (const [orderBy, runs] of ORDERS) assertEquals(await find(fixture, { orderBy }), runs, orderBy.join());
    },
  );

  testStore(suite, "searchRuns() puts NaN behind numbers, and before runs without the metric", async (fixture) => {
    await makeRuns(fixture);
    const nan = await fixture.runId({ runName: "n", startTime: START + 9 });
    await fixture.store.logBatch(nan, { metrics: [{ key: "other", value: NaN, timestamp: START, step: 0 }] });
    assertEquals(await find(fixture, { orderBy: ["metrics.other ASC"] }), "cbna");
    assertEquals(await find(fixture, { orderBy: ["metrics.other DESC"] }), "bcna");
  });

  testStore(suite, "searchRuns() gives runs as getRun() does", async (fixture) => {
    const [a] = await makeRuns(fixture);
    const { items } = await search(fixture, { filter: "run_name = 'a'" });
    const run = await fixture.store.getRun(a);
    assertEquals(items.length, 1);
    assertEquals(items[0]?.info, run.info);
    assertEquals(items[0]?.data, run.data);
    assertEquals(items[0]?.inputs.datasets, run.inputs.datasets);
    assertEquals(items[0]?.outputs, run.outputs);
  });

  testStore(suite, "searchRuns() tells deleted runs from active ones", async (fixture) => {
    const [, b] = await makeRuns(fixture);
    await fixture.store.deleteRun(b);
    assertEquals(await find(fixture, {}), "ca");
    assertEquals(await find(fixture, { viewType: "active" }), "ca");
    assertEquals(await find(fixture, { viewType: "deleted" }), "b");
    assertEquals(await find(fixture, { viewType: "all" }), "cba");
  });

  testStore(suite, "searchRuns() looks in the experiments that it is told, and no others", async (fixture) => {
    await makeRuns(fixture);
    const other = await fixture.store.createExperiment({ name: `${fixture.name}-other` });
    await fixture.store.createRun({ experimentId: other, runName: "o", startTime: START + 9 });
    assertEquals(await find(fixture, { experimentIds: [other] }), "o");
    assertEquals(await find(fixture, { experimentIds: [fixture.experimentId, other] }), "ocba");
    assertEquals(await find(fixture, { experimentIds: [NO_EXPERIMENT] }), "");
  });

  testStore(suite, "searchRuns() gives pages, also of runs that started at the same time", async (fixture) => {
    const ids = await Promise.all([1, 2, 3, 4, 5].map(() => fixture.runId({ startTime: START })));
    const runs = await collectPages((page) => search(fixture, page));
    assertEquals(runs.map(({ info }) => info.runId), [...ids].sort());
  });

  testStore(suite, "searchRuns() refuses what it does not understand", async (fixture) => {
    for (const options of REFUSED) {
      const error = await assertRefused(() => search(fixture, options), "INVALID_PARAMETER_VALUE");
      assertEquals(error.status, 400);
    }
  });
}

/** Makes the runs "a", "b" and "c", in this order. */
async function makeRuns({ store, runId }: Fixture): Promise<readonly [string, string, string]> {
  const a = await runId({ runName: "a", startTime: START, userId: "someone", tags: { team: "x" } });
  const b = await runId({ runName: "b", startTime: START + 1, tags: { team: "x" } });
  const c = await runId({ runName: "c", startTime: START + 2, tags: { "mlflow.note.content": "note" } });
  const metric = (key: string, value: number, step = 0) => ({ key, value, timestamp: START, step });
  await store.logBatch(a, {
    // Only the latest value counts.
    metrics: [metric("m", 99), metric("m", 0.5, 1), metric("odd name", 1)],
    params: { model: "llama3.2:1b", "odd/key.x": "1", quote: "it's" },
  });
  await store.logBatch(b, {
    metrics: [metric("m", 0.75), metric("other", 2)],
    params: { model: "llama3.2:3b", quote: 'it"s' },
  });
  await store.logBatch(c, { metrics: [metric("m", 1), metric("other", 1)] });
  await store.updateRun(b, { status: "FINISHED", endTime: START + 7 });
  const dataset = { digest: "d1", sourceType: "local", source: "{}" };
  await store.logInputs(a, { datasets: [{ dataset: { ...dataset, name: "questions" }, tags: {} }] });
  await store.logInputs(b, {
    datasets: [{ dataset: { ...dataset, name: "answers", digest: "d2" }, tags: { "mlflow.data.context": "train" } }],
  });
  return [a, b, c];
}

function search({ store, experimentId }: Fixture, options: Partial<SearchRunsOptions>) {
  return store.searchRuns({ experimentIds: [experimentId], ...options });
}

/** The names of what is found, one letter each. */
async function find(fixture: Fixture, options: Partial<SearchRunsOptions>): Promise<string> {
  return (await search(fixture, options)).items.map(({ info }) => info.runName).join("");
}
