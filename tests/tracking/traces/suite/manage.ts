import { assertEquals } from "@std/assert";
import { assertRefused, NO_RUN, type Suite, testStore } from "../../suite/support.ts";
import { sampleTrace, START_MS, START_NS } from "../support.ts";

/** Tags, links and deletion. */
export function manageTests(suite: Suite): void {
  testStore(suite, "setTraceTag() and deleteTraceTag() change tags", async ({ store, experimentId }) => {
    const sample = sampleTrace();
    await store.logSpans(experimentId, [sample.root()]);
    const tags = async () => (await store.getTrace(sample.traceId)).info.tags;
    await store.setTraceTag(sample.traceId, { key: "env", value: "dev" });
    await store.setTraceTag(sample.traceId, { key: "env", value: "prod é" });
    await store.setTraceTag(sample.traceId, { key: "mlflow.traceName", value: "renamed" });
    assertEquals([(await tags()).env, (await tags())["mlflow.traceName"]], ["prod é", "renamed"]);
    assertEquals((await store.getTrace(sample.traceId)).info.name, "renamed");
    await store.deleteTraceTag(sample.traceId, "env");
    assertEquals((await tags()).env, undefined);
    await assertRefused(() => store.deleteTraceTag(sample.traceId, "env"), "RESOURCE_DOES_NOT_EXIST");
    const tooLong = { key: "env", value: "x".repeat(8001) };
    await assertRefused(() => store.setTraceTag(sample.traceId, tooLong), "INVALID_PARAMETER_VALUE");
  });

  testStore(suite, "linkTracesToRun() has traces found by their run", async ({ store, experimentId, runId }) => {
    const run = await runId();
    const samples = [sampleTrace(), sampleTrace(), sampleTrace()];
    await store.logSpans(experimentId, samples.map((sample) => sample.root()));
    const [first = "", second = ""] = samples.map(({ traceId }) => traceId);
    await store.linkTracesToRun(run, [first, second]);
    await store.linkTracesToRun(run, [first]);
    const { items } = await store.searchTraces({ experimentIds: [experimentId], filter: `run_id = '${run}'` });
    assertEquals(items.map(({ traceId }) => traceId).toSorted(), [first, second].toSorted());
    const [other] = (await store.searchTraces({ experimentIds: [experimentId], filter: `run_id = '${NO_RUN}'` })).items;
    assertEquals(other, undefined);
  });

  testStore(suite, "deleteTraces() deletes by ids and by time", async ({ store, experimentId }) => {
    const samples = Array.from({ length: 4 }, () => sampleTrace());
    for (const [index, sample] of samples.entries()) {
      const startTime = START_NS + BigInt(index) * 1_000_000_000n;
      await store.logSpans(experimentId, [sample.root({ startTime, endTime: startTime })]);
    }
    const [first = "", second = "", third = "", fourth = ""] = samples.map(({ traceId }) => traceId);
    await store.logFeedback(first, { name: "good", value: true });
    const left = async () =>
      (await store.searchTraces({ experimentIds: [experimentId] })).items.map(({ traceId }) => traceId);
    assertEquals(await store.deleteTraces({ experimentId, traceIds: [first, sampleTrace().traceId] }), 1);
    assertEquals(await left(), [fourth, third, second]);
    await assertRefused(() => store.getTrace(first), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await store.deleteTraces({ experimentId, maxRequestTime: START_MS + 2000, maxTraces: 1 }), 1);
    assertEquals(await left(), [fourth, third]);
    assertEquals(await store.deleteTraces({ experimentId, maxRequestTime: START_MS + 2000 }), 1);
    assertEquals(await left(), [fourth]);
    assertEquals(await store.deleteTraces({ experimentId, traceIds: [] }), 0);
    assertEquals(await left(), [fourth]);
    for (const options of [{}, { traceIds: [fourth], maxRequestTime: 1 }, { traceIds: [fourth], maxTraces: 1 }]) {
      await assertRefused(() => store.deleteTraces({ experimentId, ...options }), "INVALID_PARAMETER_VALUE");
    }
  });
}
