import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertRefused, defined, NO_EXPERIMENT, NO_RUN, START, type Suite, testStore } from "./support.ts";

/** Runs: all but what they log and searching for them. */
export function runTests(suite: Suite): void {
  testStore(suite, "createRun() makes a run that is found by its id", async ({ store, experimentId }) => {
    const run = await store.createRun({
      experimentId,
      runName: "first",
      startTime: START,
      userId: "someone",
      tags: { a: "é", "mlflow.user": "someone" },
    });
    const { info, data } = run;
    assertMatch(info.runId, /^[0-9a-f]{32}$/);
    assertEquals(info.experimentId, experimentId);
    assertEquals(info.runName, "first");
    assertEquals(info.startTime, START);
    assertEquals(info.endTime, undefined);
    assertEquals(info.status, "RUNNING");
    assertEquals(info.userId, "someone");
    assertEquals(info.lifecycleStage, "active");
    assertStringIncludes(info.artifactUri, info.runId);
    assertEquals(data.tags["a"], "é");
    assertEquals(data.tags["mlflow.runName"], "first");
    assertEquals(data.tags["mlflow.user"], "someone");
    assertEquals(await store.getRun(info.runId), run);
    assertEquals(run.inputs, { datasets: [], modelIds: [] });
    assertEquals(run.outputs, { models: [] });
  });

  testStore(suite, "createRun() fills in what MLflow's page needs", async (fixture) => {
    const before = Date.now();
    const { info, data } = await fixture.run();
    assert(info.startTime >= before - 1000 && info.startTime <= Date.now() + 1000);
    assertMatch(info.runName, /./);
    assertEquals(data.tags["mlflow.runName"], info.runName);
    for (const tag of ["mlflow.user", "mlflow.source.name", "mlflow.source.type"]) {
      assert(data.tags[tag] !== undefined, tag);
    }
  });

  testStore(suite, "createRun() takes the name from the tag, and refuses two names", async (fixture) => {
    const tags = { "mlflow.runName": "by tag" };
    assertEquals((await fixture.run({ tags })).info.runName, "by tag");
    await assertRefused(() => fixture.run({ runName: "other", tags }), "INVALID_PARAMETER_VALUE");
  });

  testStore(suite, "createRun() refuses an experiment that is not there", async ({ store }) => {
    await assertRefused(() => store.createRun({ experimentId: NO_EXPERIMENT }), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(suite, "getRun() refuses an id of nothing", async ({ store }) => {
    const error = await assertRefused(() => store.getRun(NO_RUN), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(error.status, 404);
  });

  testStore(suite, "updateRun() changes what it is told and leaves the rest", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId({ runName: "old", startTime: START });
    const ended = await store.updateRun(runId, { status: "FINISHED", endTime: START + 5 });
    assertEquals([ended.status, ended.endTime, ended.runName], ["FINISHED", START + 5, "old"]);
    const renamed = await store.updateRun(runId, { runName: "new" });
    assertEquals([renamed.status, renamed.endTime, renamed.runName], ["FINISHED", START + 5, "new"]);
    const resumed = await store.updateRun(runId, { status: "RUNNING" });
    assertEquals([resumed.status, resumed.endTime], ["RUNNING", START + 5]);
    const { info, data } = await store.getRun(runId);
    assertEquals(info, resumed);
    assertEquals(data.tags["mlflow.runName"], "new");
  });

  for (const status of ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] as const) {
    testStore(suite, `updateRun() keeps the status ${status}`, async (fixture) => {
      const runId = await fixture.runId();
      await fixture.store.updateRun(runId, { status });
      assertEquals((await fixture.store.getRun(runId)).info.status, status);
    });
  }

  testStore(
    suite,
    "deleteRun() puts a run in the bin, where it cannot be changed, and restoreRun() takes it out",
    async (fixture) => {
      const { store } = fixture;
      const runId = await fixture.runId({ tags: { a: "b" } });
      await store.deleteRun(runId);
      assertEquals((await store.getRun(runId)).info.lifecycleStage, "deleted");
      await assertRefused(() => store.updateRun(runId, { status: "FAILED" }), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.logBatch(runId, { params: { a: "b" } }), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.deleteTag(runId, "a"), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.logInputs(runId, { modelIds: ["m-1"] }), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.logOutputs(runId, [{ modelId: "m-1", step: 0 }]), "INVALID_PARAMETER_VALUE");
      await store.restoreRun(runId);
      const { info, data } = await store.getRun(runId);
      assertEquals(info.lifecycleStage, "active");
      assertEquals(defined(data.tags["a"]), "b");
      assertEquals(data.params, {});
    },
  );

  testStore(suite, "What is done with a run that is not there is refused", async ({ store }) => {
    const gone = "RESOURCE_DOES_NOT_EXIST";
    await assertRefused(() => store.updateRun(NO_RUN, { status: "FAILED" }), gone);
    await assertRefused(() => store.deleteRun(NO_RUN), gone);
    await assertRefused(() => store.restoreRun(NO_RUN), gone);
    await assertRefused(() => store.logBatch(NO_RUN, { params: { a: "b" } }), gone);
    await assertRefused(() => store.deleteTag(NO_RUN, "a"), gone);
    await assertRefused(() => store.logInputs(NO_RUN, { modelIds: ["m-1"] }), gone);
    await assertRefused(() => store.logOutputs(NO_RUN, [{ modelId: "m-1", step: 0 }]), gone);
  });
}
