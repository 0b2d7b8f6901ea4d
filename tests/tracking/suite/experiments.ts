import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TrackingError } from "@chatmodel/chat-model/tracking";
import { assertRefused, defined, NO_EXPERIMENT, START, type Suite, testStore } from "./support.ts";

/** Experiments: all but searching for them. */
export function experimentTests(suite: Suite): void {
  testStore(
    suite,
    "createExperiment() makes an experiment that is found by id and by name",
    async ({ store, name }) => {
      const before = Date.now();
      const experimentId = await store.createExperiment({ name: `${name}-2`, tags: { team: "é", empty: "" } });
      assertMatch(experimentId, /^\d+$/);
      const experiment = await store.getExperiment(experimentId);
      assertEquals(experiment.name, `${name}-2`);
      assertEquals(experiment.experimentId, experimentId);
      assertEquals(experiment.lifecycleStage, "active");
      assertEquals(experiment.tags, { team: "é", empty: "" });
      assertStringIncludes(experiment.artifactLocation, experimentId);
      const created = defined(experiment.creationTime);
      assert(created >= before - 1000 && created <= Date.now() + 1000);
      assertEquals(experiment.lastUpdateTime, created);
      assertEquals(await store.getExperimentByName(`${name}-2`), experiment);
    },
  );

  testStore(suite, "createExperiment() keeps names with any characters apart by case", async ({ store, name }) => {
    const odd = `${name} 'quoted' "é" 日本 %_ /\\;--`;
    const experimentId = await store.createExperiment({ name: odd });
    assertEquals((await store.getExperimentByName(odd))?.experimentId, experimentId);
    assertEquals(await store.getExperimentByName(odd.toUpperCase()), undefined);
    assertNotEquals(await store.createExperiment({ name: odd.toUpperCase() }), experimentId);
  });

  testStore(suite, "createExperiment() refuses a name that is taken, also by a deleted one", async (fixture) => {
    const { store, experimentId, name } = fixture;
    await assertRefused(() => store.createExperiment({ name }), "RESOURCE_ALREADY_EXISTS");
    await store.deleteExperiment(experimentId);
    await assertRefused(() => store.createExperiment({ name }), "RESOURCE_ALREADY_EXISTS");
  });

  testStore(suite, "createExperiment() lets one of many win when they come at once", async ({ store, name }) => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => store.createExperiment({ name: `${name}-race` })),
    );
    assertEquals(results.filter(({ status }) => status === "fulfilled").length, 1);
    for (const result of results) {
      if (result.status === "rejected") assertEquals(result.reason.errorCode, "RESOURCE_ALREADY_EXISTS");
    }
  });

  testStore(suite, "createExperiment() refuses empty and long names and long tags", async ({ store, name }) => {
    await assertRefused(() => store.createExperiment({ name: "" }), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => store.createExperiment({ name: name.padEnd(501, "x") }), "INVALID_PARAMETER_VALUE");
    assertMatch(await store.createExperiment({ name: name.padEnd(500, "x") }), /^\d+$/);
    const tags = { key: "x".repeat(20_001) };
    await assertRefused(() => store.createExperiment({ name: `${name}-t`, tags }), "INVALID_PARAMETER_VALUE");
    assertEquals(await store.getExperimentByName(`${name}-t`), undefined);
  });

  testStore(suite, "getExperiment() refuses ids of nothing", async ({ store }) => {
    const error = await assertRefused(() => store.getExperiment(NO_EXPERIMENT), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(error.status, 404);
    await assertRefused(() => store.getExperiment("none"), "INVALID_PARAMETER_VALUE");
  });

  testStore(suite, "getExperiment() finds the default experiment", async ({ store }) => {
    assertEquals((await store.getExperiment("0")).name, "Default");
  });

  testStore(suite, "getExperimentByName() tells that there is none", async ({ store, name }) => {
    assertEquals(await store.getExperimentByName(`${name}-none`), undefined);
  });

  testStore(suite, "renameExperiment() gives another name and frees the old one", async (fixture) => {
    const { store, experimentId, name } = fixture;
    await store.renameExperiment(experimentId, `${name}-new`);
    assertEquals((await store.getExperiment(experimentId)).name, `${name}-new`);
    assertEquals(await store.getExperimentByName(name), undefined);
    assertNotEquals(await store.createExperiment({ name }), experimentId);
  });

  testStore(suite, "renameExperiment() refuses names that are taken or none", async ({ store, experimentId, name }) => {
    await store.createExperiment({ name: `${name}-taken` });
    // Genuine MLflow says BAD_REQUEST here, as it has the database notice.
    const taken = await assertRejects(() => store.renameExperiment(experimentId, `${name}-taken`), TrackingError);
    assert(["RESOURCE_ALREADY_EXISTS", "BAD_REQUEST"].includes(taken.errorCode));
    await assertRefused(() => store.renameExperiment(experimentId, "x".repeat(501)), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => store.renameExperiment(NO_EXPERIMENT, `${name}-q`), "RESOURCE_DOES_NOT_EXIST");
    assertEquals((await store.getExperiment(experimentId)).name, name);
  });

  testStore(
    suite,
    "deleteExperiment() takes its runs along, and restoreExperiment() brings them back",
    async (fixture) => {
      const { store, experimentId, name } = fixture;
      const runId = await fixture.runId({ startTime: START });
      await store.deleteExperiment(experimentId);
      assertEquals((await store.getExperiment(experimentId)).lifecycleStage, "deleted");
      assertEquals((await store.getExperimentByName(name))?.lifecycleStage, "deleted");
      assertEquals((await store.getRun(runId)).info.lifecycleStage, "deleted");
      await store.restoreExperiment(experimentId);
      assertEquals((await store.getExperiment(experimentId)).lifecycleStage, "active");
      assertEquals((await store.getRun(runId)).info.lifecycleStage, "active");
    },
  );

  testStore(
    suite,
    "deleteExperiment() and restoreExperiment() refuse what is deleted, active or not there",
    async (fixture) => {
      const { store, experimentId } = fixture;
      await assertRefused(() => store.restoreExperiment(experimentId), "RESOURCE_DOES_NOT_EXIST");
      await store.deleteExperiment(experimentId);
      await assertRefused(() => store.deleteExperiment(experimentId), "RESOURCE_DOES_NOT_EXIST");
      await assertRefused(() => store.deleteExperiment(NO_EXPERIMENT), "RESOURCE_DOES_NOT_EXIST");
      await assertRefused(() => store.restoreExperiment(NO_EXPERIMENT), "RESOURCE_DOES_NOT_EXIST");
    },
  );

  testStore(
    suite,
    "A deleted experiment takes no runs, models, tags or names",
    async ({ store, experimentId, name }) => {
      await store.deleteExperiment(experimentId);
      await assertRefused(() => store.createRun({ experimentId }), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.createLoggedModel({ experimentId }), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.setExperimentTags(experimentId, { a: "b" }), "INVALID_PARAMETER_VALUE");
      await assertRefused(() => store.renameExperiment(experimentId, `${name}-q`), "INVALID_STATE");
    },
  );

  testStore(suite, "setExperimentTags() adds and replaces, deleteExperimentTag() removes", async (fixture) => {
    const { store, experimentId } = fixture;
    await store.setExperimentTags(experimentId, { a: "1", b: "2" });
    await store.setExperimentTags(experimentId, { b: "", "mlflow.note.content": "# A note" });
    assertEquals((await store.getExperiment(experimentId)).tags, { a: "1", b: "", "mlflow.note.content": "# A note" });
    await store.deleteExperimentTag(experimentId, "a");
    assertEquals((await store.getExperiment(experimentId)).tags, { b: "", "mlflow.note.content": "# A note" });
    await assertRefused(() => store.deleteExperimentTag(experimentId, "a"), "RESOURCE_DOES_NOT_EXIST");
  });

  testStore(
    suite,
    "setExperimentTags() refuses what is too long, and experiments that are not there",
    async (fixture) => {
      const { store, experimentId } = fixture;
      const set = (tags: Record<string, string>) => () => store.setExperimentTags(experimentId, tags);
      await assertRefused(set({ ["k".repeat(251)]: "v" }), "INVALID_PARAMETER_VALUE");
      await assertRefused(set({ k: "v".repeat(20_001) }), "INVALID_PARAMETER_VALUE");
      await set({ k: "v".repeat(20_000) })();
      assertEquals((await store.getExperiment(experimentId)).tags["k"]?.length, 20_000);
      await assertRefused(() => store.setExperimentTags(NO_EXPERIMENT, { a: "b" }), "RESOURCE_DOES_NOT_EXIST");
    },
  );
}
