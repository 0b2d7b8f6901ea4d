import { assertEquals } from "@std/assert";
import type { Metric } from "@chatmodel/chat-model/tracking";
import { assertRefused, collectPages, START, type Suite, testStore } from "./support.ts";

/** Metrics and their history. */
export function metricTests(suite: Suite): void {
  testStore(suite, "getMetricHistory() gives all points by their timestamps", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, { metrics: [point(3, 30, 1), point(1, 10, 5)] });
    await store.logBatch(runId, { metrics: [point(2, 20, 3), point(-0.1, 5, -2)] });
    const { items, nextPageToken } = await store.getMetricHistory(runId, "m");
    assertEquals(items, [point(-0.1, 5, -2), point(1, 10, 5), point(2, 20, 3), point(3, 30, 1)]);
    assertEquals(nextPageToken, undefined);
  });

  testStore(suite, "getMetricHistory() is empty for a metric that was never logged", async (fixture) => {
    assertEquals(await fixture.store.getMetricHistory(await fixture.runId(), "none"), { items: [] });
  });

  testStore(suite, "getMetricHistory() gives pages", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const points = Array.from({ length: 5 }, (_, index) => point(index / 7, index, index));
    await store.logBatch(runId, { metrics: points });
    assertEquals(await collectPages((page) => store.getMetricHistory(runId, "m", page)), points);
    await assertRefused(() => store.getMetricHistory(runId, "m", { maxResults: 0 }), "INVALID_PARAMETER_VALUE");
  });

  testStore(suite, "getRun() gives the value of the greatest step, then timestamp, then value", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, {
      metrics: [
        { ...point(5, 10, 2), key: "step" },
        { ...point(9, 99, 1), key: "step" },
        { ...point(7, 20, 1), key: "time" },
        { ...point(8, 10, 1), key: "time" },
        { ...point(1, 10, 1), key: "value" },
        { ...point(3, 10, 1), key: "value" },
        { ...point(2, 10, 1), key: "value" },
      ],
    });
    assertEquals((await store.getRun(runId)).data.metrics, { step: 5, time: 7, value: 3 });
    await store.logBatch(runId, { metrics: [{ ...point(-1, 0, 3), key: "step" }, { ...point(0, 5, 1), key: "time" }] });
    assertEquals((await store.getRun(runId)).data.metrics, { step: -1, time: 7, value: 3 });
  });

  testStore(suite, "logBatch() keeps a point that is logged twice once", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    await store.logBatch(runId, { metrics: [point(1, 1, 1), point(1, 1, 1)] });
    await store.logBatch(runId, { metrics: [point(1, 1, 1), point(2, 1, 1)] });
    assertEquals((await store.getMetricHistory(runId, "m")).items, [point(1, 1, 1), point(2, 1, 1)]);
  });

  testStore(suite, "logBatch() keeps NaN, and infinities as the largest numbers", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const values = { nan: NaN, up: Infinity, down: -Infinity, zero: 0, tiny: 5e-324, big: 2 ** 60, third: 1 / 3 };
    const metrics = Object.entries(values).map(([key, value]) => ({ key, value, timestamp: START, step: 1 }));
    await store.logBatch(runId, { metrics });
    const stored = { ...values, up: Number.MAX_VALUE, down: -Number.MAX_VALUE };
    assertEquals((await store.getRun(runId)).data.metrics, stored);
    for (const [key, value] of Object.entries(stored)) {
      assertEquals((await store.getMetricHistory(runId, key)).items, [{ key, value, timestamp: START, step: 1 }]);
    }
  });

  testStore(suite, "logBatch() takes steps and timestamps beyond 32 bits", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const far: Metric = { key: "m", value: 1, timestamp: 4_102_444_800_000, step: 5_000_000_000 };
    await store.logBatch(runId, { metrics: [far] });
    assertEquals((await store.getMetricHistory(runId, "m")).items, [far]);
  });
}

function point(value: number, timestamp: number, step: number): Metric {
  return { key: "m", value, timestamp, step };
}
