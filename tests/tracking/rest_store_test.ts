import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { TrackingError } from "../../tracking/mod.ts";
import { RestStore } from "../../tracking/rest/mod.ts";
import { type Answer, json, startFakeUpstream } from "../support/fake_upstream.ts";
import { answerOf, recorded, testEnvironment } from "./_mlflow.ts";

const RUN_ID = "6ccf5651a1434a959f0ee81dc2616290";

/** A store of which the server gives these answers in turn. */
async function withStore(
  answers: readonly Answer[],
  run: (store: RestStore, bodies: () => unknown[]) => Promise<void>,
): Promise<void> {
  await using upstream = await startFakeUpstream(answers);
  await using store = new RestStore(upstream.url, { env: testEnvironment() });
  await run(store, () => upstream.requests.map(({ body }) => body === "" ? undefined : JSON.parse(body)));
}

async function fails(action: () => Promise<unknown>, code: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, code, error.message);
  return error;
}

Deno.test("getExperimentByName() tells an experiment from none, and none from a wrong server", () =>
  withStore([
    answerOf("set_experiment:again"),
    answerOf("set_experiment:first", "get-by-name"),
    answerOf("raw:unknown api"),
  ], async (store) => {
    assertEquals(await store.getExperimentByName("chatmodel-quickstart"), {
      experimentId: "1",
      name: "chatmodel-quickstart",
      artifactLocation: "mlflow-artifacts:/1",
      lifecycleStage: "active",
      creationTime: 1795421214456,
      lastUpdateTime: 1795421214456,
      tags: {},
    });
    assertEquals(await store.getExperimentByName("chatmodel-quickstart"), undefined);
    await fails(() => store.getExperimentByName("x"), "ENDPOINT_NOT_FOUND");
  }));

Deno.test("searchExperiments() asks as MLflow's client does, and hands on the token", () =>
  withStore([answerOf("experiment.search p1")], async (store, bodies) => {
    const { items, nextPageToken } = await store.searchExperiments({ maxResults: 1 });
    assertEquals(items.map(({ experimentId, tags }) => [experimentId, tags]), [["2", { team: "x" }]]);
    assertEquals(nextPageToken, "eyJvZmZzZXQiOiAxfQ==");
    assertEquals(bodies(), [JSON.parse(recorded("experiment.search p1").req_body ?? "")]);
  }));

Deno.test("searchRuns() asks as MLflow's client does, and reads runs with NaN and datasets", () =>
  withStore([answerOf("run.search")], async (store, bodies) => {
    const { items, nextPageToken } = await store.searchRuns({
      experimentIds: ["2"],
      filter: "metrics.m1 > 0.1 and params.p1 = '5'",
      maxResults: 1,
      orderBy: ["metrics.m1 DESC"],
    });
    assertEquals(bodies(), [JSON.parse(recorded("run.search").req_body ?? "")]);
    assertEquals(nextPageToken, undefined);
    const [run] = items;
    assertEquals(run?.info, {
      runId: RUN_ID,
      runName: "r1",
      experimentId: "2",
      userId: "user",
      status: "FINISHED",
      startTime: 1795422130712,
      endTime: 1795422131658,
      lifecycleStage: "active",
      artifactUri: `mlflow-artifacts:/2/${RUN_ID}/artifacts`,
    });
    assertEquals(run?.data.metrics, { m1: 0.75, m2: 1, nan: NaN, inf: Number.MAX_VALUE, acc: 0.9 });
    assertEquals(run?.data.params, { p1: "5", p2: "0.5", p3: "s", p4: "None", p5: "True" });
    const [input] = run?.inputs.datasets ?? [];
    assertEquals([input?.dataset.name, input?.dataset.digest, input?.tags], [
      "ds",
      "124dd951",
      { "mlflow.data.context": "eval" },
    ]);
    assertEquals(run?.outputs, { models: [] });
  }));

Deno.test("createRun() always sends a time and the tags that MLflow's page needs", () =>
  withStore([answerOf("log_model:v1_chat_only", "runs/create")], async (store, bodies) => {
    const before = Date.now();
    const run = await store.createRun({ experimentId: "1", tags: { mine: "1" } });
    assertEquals([run.info.status, run.info.endTime], ["RUNNING", undefined]);
    const [body] = bodies();
    assert(typeof body === "object" && body !== null && "start_time" in body && "tags" in body);
    assert(typeof body.start_time === "number" && body.start_time >= before);
    assert(Array.isArray(body.tags));
    assertEquals(body.tags.map(({ key }) => key), [
      "mlflow.user",
      "mlflow.source.name",
      "mlflow.source.type",
      "mine",
    ]);
  }));

Deno.test("createRun() is not sent twice when its answer is lost", () =>
  withStore([["reset"], answerOf("log_model:v1_chat_only", "runs/create")], async (store, bodies) => {
    await fails(() => store.createRun({ experimentId: "1" }), "TEMPORARILY_UNAVAILABLE");
    assertEquals(bodies().length, 1);
  }));

/** An experiment as the server has it, made at a time. */
function experimentOf(creationTime: number, tags: readonly { key: string; value: string }[] = []): Answer {
  const experiment = { experiment_id: "9", name: "x", lifecycle_stage: "active", creation_time: creationTime, tags };
  return json({ experiment });
}

Deno.test("createExperiment() takes one that its lost try made for its own, and no other", async () => {
  const taken = answerOf("experiment.create duplicate");
  const mine = { key: "a", value: "1" };
  await withStore([["reset"], taken, experimentOf(Date.now(), [mine])], async (store) => {
    assertEquals(await store.createExperiment({ name: "x", tags: { a: "1" } }), "9");
  });
  await withStore([["reset"], taken, experimentOf(Date.now() - 60_000, [mine])], async (store) => {
    await fails(() => store.createExperiment({ name: "x", tags: { a: "1" } }), "RESOURCE_ALREADY_EXISTS");
  });
  await withStore([["reset"], taken, experimentOf(Date.now())], async (store) => {
    await fails(() => store.createExperiment({ name: "x", tags: { a: "1" } }), "RESOURCE_ALREADY_EXISTS");
  });
  await withStore([taken, experimentOf(Date.now())], async (store, bodies) => {
    await fails(() => store.createExperiment({ name: "x" }), "RESOURCE_ALREADY_EXISTS");
    assertEquals(bodies().length, 1);
  });
});

Deno.test("deleteTag() takes what is gone after a lost answer for done, and else refuses it", async () => {
  const gone = answerOf("run.delete_tag missing");
  await withStore([gone], async (store) => {
    await fails(() => store.deleteTag(RUN_ID, "t"), "RESOURCE_DOES_NOT_EXIST");
  });
  await withStore([["reset"], gone], async (store, bodies) => {
    await store.deleteTag(RUN_ID, "t");
    assertEquals(bodies(), [{ run_id: RUN_ID, key: "t" }, { run_id: RUN_ID, key: "t" }]);
  });
});

Deno.test("What the server would take wrongly is not sent", () =>
  withStore([json({})], async (store, bodies) => {
    const wrongs: (() => Promise<unknown>)[] = [
      () => store.logBatch(RUN_ID, { params: { p: "x".repeat(6001) } }),
      () => store.logBatch(RUN_ID, { metrics: [{ key: "m", value: 1, timestamp: 1.5, step: 0 }] }),
      () => store.logBatch(RUN_ID, { metrics: [{ key: "m", value: 1, timestamp: 1, step: NaN }] }),
      // @ts-expect-error: no such status
      () => store.updateRun(RUN_ID, { status: "DONE" }),
      // @ts-expect-error: no such status
      () => store.finalizeLoggedModel("m-1", "DONE"),
      () => store.createLoggedModel({ experimentId: "1", params: { p: "x".repeat(6001) } }),
      () => store.searchRuns({ experimentIds: [] }),
      () => store.searchLoggedModels({ experimentIds: ["1"], maxResults: 0 }),
      () => store.getLoggedModel(".."),
    ];
    for (const wrong of wrongs) await fails(async () => await wrong(), "INVALID_PARAMETER_VALUE");
    assertEquals(bodies(), []);
    await store.logBatch(RUN_ID, {
      metrics: [NaN, -Infinity].map((value) => ({ key: "m", value, timestamp: 1, step: 0 })),
    });
    const [body] = bodies();
    assert(typeof body === "object" && body !== null && "metrics" in body && Array.isArray(body.metrics));
    assertEquals(body.metrics.map(({ value }) => value), ["NaN", "-Infinity"]);
  }));

Deno.test("getMetricHistory() brings all pages unless a part is asked for, and always says how many", async () => {
  await using upstream = await startFakeUpstream([
    answerOf("raw:get-history NaN repr"),
    answerOf("raw:get-history NaN repr"),
    answerOf("run.metric_history"),
  ]);
  await using store = new RestStore(upstream.url, { env: testEnvironment() });
  const first = await store.getMetricHistory(RUN_ID, "m", { maxResults: 1 });
  assertEquals(first, {
    items: [{ key: "m", value: 1, timestamp: 0, step: 0 }],
    nextPageToken: "eyJvZmZzZXQiOiAxfQ==",
  });
  const all = await store.getMetricHistory(RUN_ID, "m");
  assertEquals(all.items.map(({ value }) => value), [1, 0.5, 0.75]);
  assertEquals(all.nextPageToken, undefined);
  const queries = upstream.requests.map(({ path }) => new URL(path, upstream.url).searchParams);
  assertEquals(queries.map((query) => query.get("max_results")), ["1", "50000", "50000"]);
  assertEquals(queries[2]?.get("page_token"), "eyJvZmZzZXQiOiAxfQ==");
});

Deno.test("Logged models are read, also with a status that says nothing", () =>
  withStore([
    answerOf("raw:logged-model search 51"),
    answerOf("raw:logged-model finalize bad"),
    answerOf("log_model:v1_chat_only", "logged-models"),
  ], async (store, bodies) => {
    const { items } = await store.searchLoggedModels({ experimentIds: ["5"] });
    assertEquals(items.map(({ name, status }) => [name, status]), [["bouncy-ray-853", "PENDING"], ["lm", "READY"]]);
    assertEquals([items[0]?.modelType, items[0]?.sourceRunId], [undefined, undefined]);
    assertEquals(items[1], {
      modelId: "m-d3b93d5ca5da4596a520bf44887c0ecd",
      experimentId: "5",
      name: "lm",
      modelType: "Agent",
      sourceRunId: "1144f7c08b2646ccb0d54df7c937cee8",
      status: "READY",
      artifactLocation: "mlflow-artifacts:/5/models/m-d3b93d5ca5da4596a520bf44887c0ecd/artifacts",
      creationTimestamp: 1795422317018,
      lastUpdatedTimestamp: 1795422317083,
      tags: { t: "v" },
      params: { a: "b" },
      metrics: [],
    });
    assertEquals((await store.finalizeLoggedModel("m-1", "READY")).status, "UNSPECIFIED");
    assertEquals(bodies()[1], { model_id: "m-1", status: "LOGGED_MODEL_READY" });
    assertEquals((await store.createLoggedModel({ experimentId: "1", name: "ollama_model" })).status, "PENDING");
  }));

Deno.test("createLoggedModel() rejects with ENDPOINT_NOT_FOUND on a server without logged models", () =>
  withStore([answerOf("raw:unknown api")], async (store) => {
    const error = await fails(() => store.createLoggedModel({ experimentId: "1" }), "ENDPOINT_NOT_FOUND");
    assertEquals(error.status, 404);
    assertMatch(error.message, /too old/);
  }));

Deno.test("createLoggedModel() sends more than 100 params in parts", () => {
  const model = json({ model: { info: { model_id: "m-1", experiment_id: 1, creation_timestamp_ms: "12" } } });
  return withStore([model, json({}), model], async (store, bodies) => {
    const params = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`k${index}`, "v"]));
    const made = await store.createLoggedModel({ experimentId: "1", params });
    // Ids as numbers and times as text are read as well.
    assertEquals([made.experimentId, made.creationTimestamp], ["1", 12]);
    const counts = bodies().map((body) =>
      typeof body === "object" && body !== null && "params" in body && Array.isArray(body.params) && body.params.length
    );
    assertEquals(counts, [100, 50, false]);
  });
});

Deno.test("An answer that is not as expected is told with the place", () =>
  withStore([json({ run: { info: { experiment_id: "1", status: "DREAMING" } } })], async (store) => {
    const error = await fails(() => store.getRun("x"), "INTERNAL_ERROR");
    assertMatch(error.message, /^Cannot get run "x": MLflow's answer is not as expected: "run\.info\.status"/);
  }));
