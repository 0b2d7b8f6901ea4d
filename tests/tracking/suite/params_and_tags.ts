import { assertEquals } from "@std/assert";
import type { Batch } from "@chatmodel/chat-model/tracking";
import { assertRefused, manyEntries, START, type Suite, testStore } from "./support.ts";

/** Names of params, tags and metrics that MLflow takes. */
const GOOD_NAMES: readonly string[] = ["a", "a b/c-d_e.f:g", "é日", "a/b", "0", "x".repeat(250)];
/** Names that it does not take. */
const BAD_NAMES: readonly string[] = ["", "../b", "/a", "a//b", ".", "a/../b", "a\\b", "a,b", "a$b", "a*b"];

/** Params, tags, and batches of them. */
export function paramAndTagTests(suite: Suite): void {
  testStore(suite, "logBatch() keeps params, tags and metrics together", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, {
      params: { model: "llama3.2:1b", empty: "", text: "é\n'\"日" },
      tags: { stage: "dev", none: "" },
      metrics: [{ key: "accuracy", value: 0.5, timestamp: START, step: 0 }],
    });
    const { data } = await store.getRun(runId);
    assertEquals(data.params, { model: "llama3.2:1b", empty: "", text: "é\n'\"日" });
    assertEquals([data.tags["stage"], data.tags["none"]], ["dev", ""]);
    assertEquals(data.metrics, { accuracy: 0.5 });
  });

  testStore(suite, "logBatch() does nothing when it is given nothing", async (fixture) => {
    const runId = await fixture.runId();
    await fixture.store.logBatch(runId, {});
    await fixture.store.logBatch(runId, { params: {}, tags: {}, metrics: [] });
    assertEquals((await fixture.store.getRun(runId)).data.params, {});
  });

  testStore(suite, "logBatch() keeps a param's first value", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, { params: { p: "1" } });
    await store.logBatch(runId, { params: { p: "1", q: "2" } });
    await assertRefused(() => store.logBatch(runId, { params: { p: "2" } }), "INVALID_PARAMETER_VALUE");
    assertEquals((await store.getRun(runId)).data.params, { p: "1", q: "2" });
  });

  testStore(suite, "logBatch() replaces tags, and renames the run by one of them", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId({ runName: "old", tags: { a: "1" } });
    await store.logBatch(runId, { tags: { a: "2", "mlflow.runName": "new" } });
    const { info, data } = await store.getRun(runId);
    assertEquals([info.runName, data.tags["mlflow.runName"], data.tags["a"]], ["new", "new", "2"]);
  });

  testStore(suite, "deleteTag() removes a tag, once", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId({ tags: { a: "1", b: "2" } });
    await store.deleteTag(runId, "a");
    const { data } = await store.getRun(runId);
    assertEquals(["a" in data.tags, data.tags["b"]], [false, "2"]);
    await assertRefused(() => store.deleteTag(runId, "a"), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(suite, "logBatch() takes what MLflow's limits allow", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, { params: manyEntries(100), tags: manyEntries(100), metrics: manyMetrics(800) });
    await store.logBatch(runId, { metrics: manyMetrics(1000) });
    await store.logBatch(runId, { params: { long: "x".repeat(6000) }, tags: { long: "x".repeat(8000) } });
    const { data } = await store.getRun(runId);
    assertEquals(Object.keys(data.params).length, 101);
    assertEquals(Object.keys(data.metrics).length, 1000);
    assertEquals([data.params["long"]?.length, data.tags["long"]?.length], [6000, 8000]);
  });

  testStore(suite, "logBatch() counts characters, not UTF-16 units", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, { params: { long: "😀".repeat(6000) }, tags: { long: "😀".repeat(8000) } });
    const { data } = await store.getRun(runId);
    assertEquals([data.params["long"]?.length, data.tags["long"]?.length], [12_000, 16_000]);
  });

  testStore(suite, "logBatch() refuses what MLflow's limits forbid, and logs nothing of it", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const before = await store.getRun(runId);
    const refuse = (batch: Batch) => assertRefused(() => store.logBatch(runId, batch), "INVALID_PARAMETER_VALUE");
    await refuse({ params: manyEntries(101) });
    await refuse({ tags: manyEntries(101) });
    await refuse({ metrics: manyMetrics(1001) });
    await refuse({ params: manyEntries(100), metrics: manyMetrics(901) });
    await refuse({ params: { long: "x".repeat(6001) } });
    await refuse({ tags: { long: "x".repeat(8001) } });
    await refuse({ params: { ["k".repeat(251)]: "v" } });
    await refuse({ tags: { ["k".repeat(251)]: "v" } });
    await refuse({ metrics: [{ key: "k".repeat(251), value: 1, timestamp: START, step: 0 }] });
    await refuse({ metrics: [{ key: "m", value: 1, timestamp: -1, step: 0 }] });
    assertEquals(await store.getRun(runId), before);
  });

  testStore(suite, "logBatch() takes the names that MLflow takes, for params, tags and metrics", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const entries = Object.fromEntries(GOOD_NAMES.map((name) => [name, "1"]));
    const metrics = GOOD_NAMES.map((key) => ({ key, value: 1, timestamp: START, step: 0 }));
    await store.logBatch(runId, { params: entries, tags: entries, metrics });
    const { data } = await store.getRun(runId);
    assertEquals(data.params, entries);
    assertEquals(Object.keys(data.metrics).sort(), [...GOOD_NAMES].sort());
    assertEquals(GOOD_NAMES.every((name) => data.tags[name] === "1"), true);
  });

  for (const name of BAD_NAMES) {
    testStore(suite, `logBatch() refuses the name ${JSON.stringify(name)}`, async (fixture) => {
      const { store } = fixture;
      const runId = await fixture.runId();
      const refuse = (batch: Batch) => assertRefused(() => store.logBatch(runId, batch), "INVALID_PARAMETER_VALUE");
      await refuse({ params: { [name]: "1" } });
      await refuse({ tags: { [name]: "1" } });
      await refuse({ metrics: [{ key: name, value: 1, timestamp: START, step: 0 }] });
    });
  }

  testStore(suite, "logBatch() loses nothing of many calls at once", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key, step) =>
      store.logBatch(runId, {
        params: { [key]: key },
        tags: { [key]: key },
        metrics: [{ key: "m", value: step, timestamp: START + step, step }],
      })
    ));
    const { data } = await store.getRun(runId);
    assertEquals(Object.keys(data.params).sort(), [...keys].sort());
    assertEquals(keys.every((key) => data.tags[key] === key), true);
    assertEquals(data.metrics, { m: 19 });
    assertEquals((await store.getMetricHistory(runId, "m")).items.length, 20);
  });
}

function manyMetrics(count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `key${index}`, value: index, timestamp: START, step: 0 }));
}
