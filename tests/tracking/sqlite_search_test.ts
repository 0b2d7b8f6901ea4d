import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TrackingError } from "../../tracking/errors.ts";
import type { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import type { SearchRunsOptions } from "../../tracking/tracking_store.ts";
import { startRun, withStore } from "./_sqlite.ts";

const DATASET = { digest: "1", sourceType: "local", source: "{}" };

/** Four runs: a, b, c and d, each started after the one before. */
async function makeRuns(store: SqliteStore): Promise<string> {
  const experimentId = await store.createExperiment({ name: "runs" });
  const runs = [
    {
      name: "a",
      metrics: { acc: 0.5, "eval/loss": 1 },
      params: { model: "llama3.2:1b", "top k": "1" },
      tags: { t: "X" },
    },
    { name: "b", metrics: { acc: 0.9 }, params: { model: "qwen" }, tags: { t: "x", quoted: `it's` } },
    { name: "c", metrics: { acc: NaN }, params: {}, tags: { t: "100%" } },
    { name: "d", metrics: {}, params: { model: "Llama" }, tags: {} },
  ];
  for (const [index, { name, metrics, params, tags }] of runs.entries()) {
    const { info } = await store.createRun({
      experimentId,
      runName: name,
      startTime: 100 + index,
      userId: `user ${name}`,
    });
    await store.logBatch(info.runId, {
      metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp: 1, step: 0 })),
      params,
      tags,
    });
    const context = name === "a" ? "training" : "test";
    if (name < "c") {
      const tags = { "mlflow.data.context": context };
      await store.logInputs(info.runId, { datasets: [{ dataset: { name: `data-${name}`, ...DATASET }, tags }] });
    }
    if (name === "b") await store.updateRun(info.runId, { status: "FINISHED", endTime: 500 });
  }
  return experimentId;
}

async function namesOf(store: SqliteStore, options: SearchRunsOptions): Promise<string> {
  return (await store.searchRuns(options)).items.map(({ info }) => info.runName).join("");
}

Deno.test("searchRuns() understands MLflow's filters", () =>
  withStore(async (store) => {
    const experimentIds = [await makeRuns(store)];
    const cases: [filter: string, names: string][] = [
      ["", "abcd"],
      ["metrics.acc > 0.5", "b"],
      ["metric.acc >= 0.5", "ab"],
      ["metrics.acc = .9", "b"],
      ["metrics.acc != 0.9", "ac"],
      ["metrics.acc < 1e0 AND metrics.acc > -1", "ab"],
      ["metrics.acc = 0", ""],
      ["metrics.`eval/loss` = 1", "a"],
      ['metrics."eval/loss" = 1', "a"],
      ["`metrics`.`eval/loss` = 1", "a"],
      ["params.model = 'llama3.2:1b'", "a"],
      ['param.model = "qwen"', "b"],
      ["parameters.model != 'qwen'", "ad"],
      ["parameter.model LIKE 'llama%'", "a"],
      ["params.model ILIKE 'LLAMA%'", "ad"],
      ["params.model ilike '%A%'", "ad"],
      ["params.`top k` = '1'", "a"],
      ["params.model IS NULL", "c"],
      ["params.model is not null", "abd"],
      ["tags.t = 'X'", "a"],
      ['tags.quoted = "it\'s"', "b"],
      ["tags.t LIKE '%0%'", "c"],
      ["tags.mlflow.runName = 'a'", "a"],
      ["tags.`mlflow.runName` != 'a'", "bcd"],
      ["tag.t IS NULL and params.model = 'Llama'", "d"],
      ["run_name = 'b'", "b"],
      ["attributes.`Run name` = 'b'", "b"],
      ["attributes.run_name LIKE '%'", "abcd"],
      ["attr.status = 'FINISHED'", "b"],
      ["run.status != 'FINISHED'", "acd"],
      ["user_id = 'user c'", "c"],
      ["start_time >= 101 AND attribute.created < 103", "bc"],
      ["end_time = 500", "b"],
      ["artifact_uri LIKE '%/artifacts'", "abcd"],
      ["dataset.name = 'data-a'", "a"],
      ["datasets.name IN ('data-a', 'data-b')", "ab"],
      ["dataset.name NOT IN ('data-a')", "b"],
      ["dataset.digest = '1'", "ab"],
      ["dataset.context = 'test'", "b"],
      ["dataset.context LIKE 't%'", "ab"],
    ];
    for (const [filter, names] of cases) {
      assertEquals(await namesOf(store, { experimentIds, filter, orderBy: ["start_time ASC"] }), names, filter);
    }
    const [run] = (await store.searchRuns({ experimentIds, filter: "run_name = 'a'" })).items;
    const runId = run?.info.runId ?? "";
    assertEquals(run, await store.getRun(runId));
    assertEquals(await namesOf(store, { experimentIds, filter: `run_id = '${runId}'` }), "a");
    assertEquals(await namesOf(store, { experimentIds, filter: `attribute.run_id IN ('${runId}', "none")` }), "a");
    assertEquals(await namesOf(store, { experimentIds, filter: `run_id NOT IN ('${runId}')` }), "dcb");
  }));

Deno.test("searchRuns() refuses bad filters and tells what would be right", () =>
  withStore(async (store) => {
    const cases: [filter: string, hint: string][] = [
      ["metrics.acc", "=, !=, <, <=, >, >="],
      ["metrics.acc > 'x'", "number"],
      ["metrics.acc > 1x", "number"],
      ["metrics.acc LIKE '1'", "=, !=, <, <=, >, >="],
      ["metrics.acc IS NULL", "=, !=, <, <=, >, >="],
      ["params.model > 'x'", "LIKE"],
      ["params.model = x", "quotes"],
      ["params.model = 5", "quotes"],
      ["params.model IN ('x')", "LIKE"],
      ["nonsense.x = 'y'", "metrics.<key>"],
      ["statuss = 'y'", "status"],
      ["dataset.size = 'y'", "name, digest, context"],
      ["status = 'a' OR status = 'b'", "AND"],
      ["status = 'a' status = 'b'", "AND"],
      ["status = 'a' AND", "at its end"],
      ["status == 'a'", "quotes"],
      ["status = 'a", "quotes"],
      ["run_id IN ()", "quotes"],
      ["run_id IN ('a'", "parenthesis"],
      ["metrics.a-b > 1", "backticks"],
      ["(status = 'a')", "a field is expected"],
      ["'; DROP TABLE runs; --", "a field is expected"],
    ];
    for (const [filter, hint] of cases) {
      const error = await assertRejects(() => store.searchRuns({ experimentIds: ["0"], filter }), TrackingError);
      assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE", filter);
      assertStringIncludes(error.message, hint, filter);
    }
  }));

Deno.test("searchRuns() orders as MLflow does: numbers, NaN, none", () =>
  withStore(async (store) => {
    const experimentIds = [await makeRuns(store)];
    const cases: [orderBy: string[], names: string][] = [
      [[], "dcba"],
      [["start_time"], "abcd"],
      [["attributes.start_time DESC"], "dcba"],
      [["Created asc"], "abcd"],
      [["metrics.acc"], "abcd"],
      [["metrics.acc DESC"], "bacd"],
      [["metrics.`acc` desc"], "bacd"],
      [["params.model ASC"], "dabc"],
      [["tags.t DESC", "run_name"], "bacd"],
      [["status", "metrics.acc DESC"], "bacd"],
      [["end_time"], "bdca"],
      [["metrics.`eval/loss`", "start_time ASC"], "abcd"],
    ];
    for (const [orderBy, names] of cases) {
      assertEquals(await namesOf(store, { experimentIds, orderBy }), names, orderBy.join());
    }
    for (const orderBy of [["nome"], ["metrics.acc up"], ["dataset.name"], ["metrics.a", "metrics.a DESC"], [""]]) {
      await assertRejects(() => store.searchRuns({ experimentIds, orderBy }), TrackingError);
    }
  }));

Deno.test("searchRuns() pages, and looks at what is deleted if told to", () =>
  withStore(async (store) => {
    const experimentId = await makeRuns(store);
    const experimentIds = ["0", experimentId];
    const first = await store.searchRuns({ experimentIds, maxResults: 3 });
    assertEquals(first.items.map(({ info }) => info.runName), ["d", "c", "b"]);
    assertEquals(JSON.parse(atob(first.nextPageToken ?? "")), { offset: 3 });
    const second = await store.searchRuns({ experimentIds, maxResults: 3, pageToken: first.nextPageToken ?? "" });
    assertEquals(second.items.map(({ info }) => info.runName), ["a"]);
    assertEquals(second.nextPageToken, undefined);
    await store.deleteRun(second.items[0]?.info.runId ?? "");
    assertEquals(await namesOf(store, { experimentIds }), "dcb");
    assertEquals(await namesOf(store, { experimentIds, viewType: "deleted" }), "a");
    assertEquals(await namesOf(store, { experimentIds, viewType: "all" }), "dcba");
    assertEquals(await namesOf(store, { experimentIds: ["0"] }), "");
    await assertRejects(() => store.searchRuns({ experimentIds: [] }), TrackingError, "at least one");
    await assertRejects(() => store.searchRuns({ experimentIds: ["x"] }), TrackingError);
    await assertRejects(() => store.searchRuns({ experimentIds, maxResults: 50_001 }), TrackingError);
  }));

Deno.test("searchRuns() refuses a field that is given twice in the order as MLflow does, whatever its name", () =>
  withStore(async (store) => {
    const { experimentId } = await startRun(store);
    for (
      const orderBy of [
        ["metrics.m", "metrics.m DESC"],
        ["metrics.m", "metric.`m`"],
        ["params.p", "parameters.p"],
        ["tags.t ASC", "tag.t DESC"],
        ["start_time", "attributes.start_time"],
        ["created", "start_time"],
        ["end_time", "run.end_time"],
      ]
    ) {
      const error = await assertRejects(
        () => store.searchRuns({ experimentIds: [experimentId], orderBy }),
        TrackingError,
      );
      assertEquals([error.errorCode, error.status], ["INTERNAL_ERROR", 400], orderBy.join());
      assert(error.message.endsWith("is given twice in the order. Give it once"), error.message);
    }
    for (const orderBy of [["metrics.m", "params.m"], ["run_name", "tags.`mlflow.runName`"]]) {
      assertEquals((await store.searchRuns({ experimentIds: [experimentId], orderBy })).items.length, 1);
    }
  }));
