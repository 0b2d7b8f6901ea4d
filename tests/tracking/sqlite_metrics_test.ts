import { assertEquals, assertRejects } from "@std/assert";
import fastCheck from "fast-check";
import { TrackingError } from "../../tracking/errors.ts";
import { readRows, runSql, startRun, withStore } from "./_sqlite.ts";

Deno.test("logBatch() keeps every point and the latest value", () =>
  withStore(async (store, folder) => {
    const { runId } = await startRun(store);
    const points: [value: number, timestamp: number, step: number][] = [[1, 10, 0], [3, 30, 2], [2, 40, 1], [
      2.5,
      30,
      2,
    ]];
    for (const [value, timestamp, step] of points) {
      await store.logBatch(runId, { metrics: [{ key: "loss", value, timestamp, step }] });
    }
    assertEquals((await store.getRun(runId)).data.metrics, { loss: 3 });
    assertEquals((await store.getMetricHistory(runId, "loss")).items, [
      { key: "loss", value: 1, timestamp: 10, step: 0 },
      { key: "loss", value: 2.5, timestamp: 30, step: 2 },
      { key: "loss", value: 3, timestamp: 30, step: 2 },
      { key: "loss", value: 2, timestamp: 40, step: 1 },
    ]);
    assertEquals(readRows(folder, "SELECT * FROM latest_metrics"), [
      { key: "loss", value: 3, timestamp: 30, step: 2, is_nan: 0, run_uuid: runId },
    ]);
  }));

Deno.test("logBatch() stores NaN and infinities as MLflow does", () =>
  withStore(async (store, folder) => {
    const { runId } = await startRun(store);
    const metrics = [["nan", NaN], ["up", Infinity], ["down", -Infinity], ["tiny", Number.MIN_VALUE], [
      "zero",
      -0,
    ]] as const;
    await store.logBatch(runId, { metrics: metrics.map(([key, value]) => ({ key, value, timestamp: 1, step: 0 })) });
    const { data } = await store.getRun(runId);
    assertEquals(data.metrics.nan, NaN);
    assertEquals(data.metrics.up, 1.7976931348623157e308);
    assertEquals(data.metrics.down, -1.7976931348623157e308);
    assertEquals(data.metrics.tiny, 5e-324);
    assertEquals((await store.getMetricHistory(runId, "nan")).items[0]?.value, NaN);
    assertEquals(readRows(folder, "SELECT value, is_nan FROM metrics WHERE key = 'nan'"), [{ value: 0, is_nan: 1 }]);
  }));

Deno.test("logBatch() writes a point once, however often it is logged", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    const metric = { key: "m", value: 1, timestamp: 1, step: 0 };
    const nan = { ...metric, value: NaN };
    await store.logBatch(runId, { metrics: [metric, metric, nan, nan] });
    await store.logBatch(runId, { metrics: [metric, nan] });
    assertEquals((await store.getMetricHistory(runId, "m")).items.map(({ value }) => value), [NaN, 1]);
  }));

Deno.test("getMetricHistory() pages", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    await store.logBatch(runId, {
      metrics: Array.from({ length: 1000 }, (_, step) => ({ key: "m", value: step, timestamp: 1000 - step, step })),
    });
    const values: number[] = [];
    let pageToken: string | undefined;
    do {
      const page = await store.getMetricHistory(runId, "m", {
        maxResults: 300,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      values.push(...page.items.map(({ value }) => value));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    assertEquals(values, Array.from({ length: 1000 }, (_, index) => 999 - index));
    assertEquals((await store.getMetricHistory(runId, "none")).items, []);
    await assertRejects(() => store.getMetricHistory("none", "m"), TrackingError);
  }));

Deno.test("logBatch() adds metrics of a logged model to that model", () =>
  withStore(async (store, folder) => {
    const { runId, experimentId } = await startRun(store);
    runSql(
      store.database.path,
      `INSERT INTO logged_models VALUES ('m-1', ${experimentId}, 'x', '/x', 1, 1, 2, 'active', NULL, NULL, NULL)`,
    );
    const metric = { key: "m", value: 1, timestamp: 1, step: 0, modelId: "m-1", datasetName: "d", datasetDigest: "1" };
    await store.logBatch(runId, { metrics: [metric, metric] });
    assertEquals(readRows(folder, "SELECT * FROM logged_model_metrics"), [{
      model_id: "m-1",
      metric_name: "m",
      metric_timestamp_ms: 1,
      metric_step: 0,
      metric_value: 1,
      experiment_id: Number(experimentId),
      run_id: runId,
      dataset_uuid: null,
      dataset_name: "d",
      dataset_digest: "1",
    }]);
    for (const other of [{ ...metric, value: 2 }, { ...metric, modelId: "m-2" }]) {
      await assertRejects(() => store.logBatch(runId, { metrics: [other] }), TrackingError);
    }
    assertEquals((await store.getMetricHistory(runId, "m")).items.length, 1);
  }));

Deno.test("getRun() reads numbers that are larger than JavaScript counts exactly", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    runSql(
      store.database.path,
      `INSERT INTO metrics VALUES ('m', 1, 9223372036854775807, '${runId}', 9007199254740993, 0)`,
    );
    runSql(store.database.path, `UPDATE runs SET end_time = 9223372036854775807`);
    assertEquals((await store.getMetricHistory(runId, "m")).items[0]?.timestamp, 9223372036854775807);
    assertEquals((await store.getRun(runId)).info.endTime, 9223372036854775807);
  }));

Deno.test("logBatch() keeps the point of the greatest step, time and value, in whatever order and batches", () =>
  withStore(async (store) => {
    const { experimentId } = await startRun(store);
    const number = fastCheck.integer({ min: 0, max: 3 });
    const point = fastCheck.record({ value: number, timestamp: number, step: number });
    await fastCheck.assert(
      fastCheck.asyncProperty(
        fastCheck.array(fastCheck.array(point, { maxLength: 4 }), { maxLength: 4 }),
        async (batches) => {
          const { info } = await store.createRun({ experimentId });
          for (const batch of batches) {
            await store.logBatch(info.runId, { metrics: batch.map((metric) => ({ key: "m", ...metric })) });
          }
          const [latest] = batches.flat().sort((one, two) =>
            two.step - one.step || two.timestamp - one.timestamp || two.value - one.value
          );
          assertEquals((await store.getRun(info.runId)).data.metrics.m, latest?.value);
        },
      ),
      { numRuns: 30 },
    );
  }));
