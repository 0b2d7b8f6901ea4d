import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertRefused, NO_EXPERIMENT, NO_MODEL, START, type Suite, testStore } from "./support.ts";

/** Logged models: all but searching for them. */
export function loggedModelTests(suite: Suite): void {
  testStore(suite, "createLoggedModel() makes a pending model that is found by its id", async (fixture) => {
    const { store, experimentId } = fixture;
    const runId = await fixture.runId();
    const model = await store.createLoggedModel({
      experimentId,
      name: "assistant",
      modelType: "chat",
      sourceRunId: runId,
      params: { model: "llama3.2:1b" },
      tags: { team: "é" },
    });
    assertMatch(model.modelId, /^m-[0-9a-f]{32}$/);
    assertEquals(model.status, "PENDING");
    assertEquals([model.experimentId, model.name, model.modelType], [experimentId, "assistant", "chat"]);
    assertEquals(model.sourceRunId, runId);
    assertEquals([model.params, model.tags], [{ model: "llama3.2:1b" }, { team: "é" }]);
    assertEquals(model.metrics, []);
    assertEquals(model.lastUpdatedTimestamp, model.creationTimestamp);
    assertStringIncludes(model.artifactLocation, model.modelId);
    assertEquals(await store.getLoggedModel(model.modelId), model);
  });

  testStore(suite, "createLoggedModel() needs no more than an experiment", async ({ store, experimentId }) => {
    const model = await store.createLoggedModel({ experimentId });
    assertMatch(model.name, /./);
    assertEquals([model.modelType, model.sourceRunId], [undefined, undefined]);
    await assertRefused(() => store.createLoggedModel({ experimentId: NO_EXPERIMENT }), "RESOURCE_DOES_NOT_EXIST");
  });

  for (const name of ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"]) {
    testStore(suite, `createLoggedModel() refuses the name ${name}`, async ({ store, experimentId }) => {
      await assertRefused(() => store.createLoggedModel({ experimentId, name }), "INVALID_PARAMETER_VALUE");
    });
  }

  for (const status of ["READY", "FAILED"] as const) {
    testStore(suite, `finalizeLoggedModel() makes a model ${status}`, async ({ store, experimentId }) => {
      const { modelId, creationTimestamp } = await store.createLoggedModel({ experimentId });
      const model = await store.finalizeLoggedModel(modelId, status);
      assertEquals(model.status, status);
      assert(model.lastUpdatedTimestamp >= creationTimestamp);
      assertEquals(await store.getLoggedModel(modelId), model);
    });
  }

  testStore(suite, "setLoggedModelTags() adds and replaces, deleteLoggedModelTag() removes", async (fixture) => {
    const { store, experimentId } = fixture;
    const { modelId } = await store.createLoggedModel({ experimentId, tags: { a: "1" } });
    await store.setLoggedModelTags(modelId, { a: "2", b: "" });
    assertEquals((await store.getLoggedModel(modelId)).tags, { a: "2", b: "" });
    await store.deleteLoggedModelTag(modelId, "a");
    assertEquals((await store.getLoggedModel(modelId)).tags, { b: "" });
    await assertRefused(() => store.deleteLoggedModelTag(modelId, "a"), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(suite, "logLoggedModelParams() adds params", async ({ store, experimentId }) => {
    const { modelId } = await store.createLoggedModel({ experimentId, params: { a: "1" } });
    await store.logLoggedModelParams(modelId, { b: "2", c: "" });
    assertEquals((await store.getLoggedModel(modelId)).params, { a: "1", b: "2", c: "" });
  });

  testStore(suite, "logBatch() keeps metrics of a model with it, too", async (fixture) => {
    const { store, experimentId } = fixture;
    const runId = await fixture.runId();
    const { modelId } = await store.createLoggedModel({ experimentId, sourceRunId: runId });
    const metric = { key: "accuracy", timestamp: START, modelId };
    const dataset = { datasetName: "questions", datasetDigest: "0123abcd" };
    await store.logBatch(runId, {
      metrics: [{ ...metric, value: 0.5, step: 1, ...dataset }, { ...metric, value: 0.75, step: 2 }],
    });
    const { metrics } = await store.getLoggedModel(modelId);
    assertEquals([...metrics].sort((a, b) => a.step - b.step), [
      { ...metric, value: 0.5, step: 1, ...dataset, runId },
      { ...metric, value: 0.75, step: 2, runId },
    ]);
    assertEquals((await store.getRun(runId)).data.metrics, { accuracy: 0.75 });
  });

  testStore(suite, "deleteLoggedModel() puts a model in the bin", async ({ store, experimentId }) => {
    const { modelId } = await store.createLoggedModel({ experimentId });
    await store.deleteLoggedModel(modelId);
    await assertRefused(() => store.getLoggedModel(modelId), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(suite, "What is done with a model that is not there is refused", async ({ store }) => {
    const gone = "RESOURCE_DOES_NOT_EXIST";
    const error = await assertRefused(() => store.getLoggedModel(NO_MODEL), gone);
    assertEquals(error.status, 404);
    await assertRefused(() => store.finalizeLoggedModel(NO_MODEL, "READY"), gone);
    await assertRefused(() => store.deleteLoggedModel(NO_MODEL), gone);
    await assertRefused(() => store.setLoggedModelTags(NO_MODEL, { a: "b" }), gone);
    await assertRefused(() => store.deleteLoggedModelTag(NO_MODEL, "a"), gone);
    await assertRefused(() => store.logLoggedModelParams(NO_MODEL, { a: "b" }), gone);
  });
}
