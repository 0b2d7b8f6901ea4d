import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { TrackingError } from "../../tracking/errors.ts";
import { readRows, runSql, withStore } from "./_sqlite.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrackingError)).errorCode;
}

Deno.test("createExperiment() keeps name, tags and a folder of its own", () =>
  withStore(async (store, folder) => {
    const experimentId = await store.createExperiment({ name: "greetings", tags: { team: "x", empty: "" } });
    const experiment = await store.getExperiment(experimentId);
    assertEquals(experimentId, "1");
    assertEquals(experiment.artifactLocation, join(folder, "mlruns/1"));
    assertEquals(experiment.tags, { team: "x", empty: "" });
    assertEquals(experiment.lifecycleStage, "active");
    assert(Math.abs((experiment.creationTime ?? 0) - Date.now()) < 60_000);
    assertEquals(experiment.lastUpdateTime, experiment.creationTime);
    assertEquals(await store.getExperimentByName("greetings"), experiment);
    assertEquals(await store.getExperimentByName("none"), undefined);
  }));

Deno.test("createExperiment() takes another artifact location", () =>
  withStore(async (store) => {
    const location = async (artifactLocation: string) =>
      (await store.getExperiment(await store.createExperiment({ name: artifactLocation, artifactLocation })))
        .artifactLocation;
    assertEquals(await location("/data/files"), "/data/files");
    assertEquals(await location("s3://bucket/files"), "s3://bucket/files");
    assertEquals(await location("files"), join(Deno.cwd(), "files"));
    assertEquals(
      await codeOf(store.createExperiment({ name: "x", artifactLocation: "runs:/a/b" })),
      "INVALID_PARAMETER_VALUE",
    );
  }));

Deno.test("createExperiment() refuses names that are taken, also by deleted ones", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "greetings" });
    assertEquals(await codeOf(store.createExperiment({ name: "greetings" })), "RESOURCE_ALREADY_EXISTS");
    await store.deleteExperiment(experimentId);
    const error = await assertRejects(() => store.createExperiment({ name: "greetings" }), TrackingError);
    assertEquals(error.errorCode, "RESOURCE_ALREADY_EXISTS");
    assertStringIncludes(error.message, "deleted");
    assertEquals(await codeOf(store.createExperiment({ name: "" })), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.createExperiment({ name: "n".repeat(501) })), "INVALID_PARAMETER_VALUE");
    assertEquals(
      await codeOf(store.createExperiment({ name: "n", tags: { "a/../b": "" } })),
      "INVALID_PARAMETER_VALUE",
    );
    assertEquals(await store.getExperimentByName("n"), undefined);
  }));

Deno.test("renameExperiment() changes the name of active experiments", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "old" });
    await store.createExperiment({ name: "taken" });
    await store.renameExperiment(experimentId, "new");
    assertEquals((await store.getExperimentByName("new"))?.experimentId, experimentId);
    await store.renameExperiment(experimentId, "new");
    assertEquals(await codeOf(store.renameExperiment(experimentId, "taken")), "RESOURCE_ALREADY_EXISTS");
    await store.deleteExperiment(experimentId);
    assertEquals(await codeOf(store.renameExperiment(experimentId, "other")), "INVALID_STATE");
  }));

Deno.test("deleteExperiment() and restoreExperiment() take the runs along", () =>
  withStore(async (store, folder) => {
    const experimentId = await store.createExperiment({ name: "greetings" });
    const { info } = await store.createRun({ experimentId });
    await store.deleteExperiment(experimentId);
    assertEquals((await store.getExperiment(experimentId)).lifecycleStage, "deleted");
    assertEquals((await store.getRun(info.runId)).info.lifecycleStage, "deleted");
    assertEquals(typeof readRows(folder, "SELECT deleted_time FROM runs")[0]?.deleted_time, "number");
    assertEquals(await codeOf(store.deleteExperiment(experimentId)), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await codeOf(store.createRun({ experimentId })), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.setExperimentTags(experimentId, { a: "b" })), "INVALID_PARAMETER_VALUE");
    await store.restoreExperiment(experimentId);
    assertEquals((await store.getRun(info.runId)).info.lifecycleStage, "active");
    assertEquals(readRows(folder, "SELECT deleted_time FROM runs"), [{ deleted_time: null }]);
    assertEquals(await codeOf(store.restoreExperiment(experimentId)), "RESOURCE_DOES_NOT_EXIST");
  }));

Deno.test("setExperimentTags() and deleteExperimentTag() change tags", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "greetings" });
    await store.setExperimentTags(experimentId, { a: "1", "b c/d:e.f-g_h": "2", __proto__x: "3" });
    await store.setExperimentTags(experimentId, { a: "4" });
    await store.deleteExperimentTag(experimentId, "b c/d:e.f-g_h");
    assertEquals((await store.getExperiment(experimentId)).tags, { a: "4", __proto__x: "3" });
    assertEquals(await codeOf(store.deleteExperimentTag(experimentId, "none")), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await codeOf(store.setExperimentTags(experimentId, { "a;b": "" })), "INVALID_PARAMETER_VALUE");
    assertEquals(
      await codeOf(store.setExperimentTags(experimentId, { a: "v".repeat(20_001) })),
      "INVALID_PARAMETER_VALUE",
    );
  }));

Deno.test("getExperiment() tells ids that are none from those that there are not", () =>
  withStore(async (store) => {
    assertEquals(await codeOf(store.getExperiment("17")), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await codeOf(store.getExperiment("x")), "INVALID_PARAMETER_VALUE");
    assertEquals((await store.getExperiment("0")).name, "Default");
  }));

Deno.test("searchExperiments() filters, orders and pages", () =>
  withStore(async (store) => {
    for (const name of ["chat-a", "chat-b", "Chat-c", "other"]) {
      await store.createExperiment({ name, tags: { kind: name.slice(0, 4), ...(name === "other" ? { x: "y" } : {}) } });
    }
    await store.deleteExperiment("4");
    const names = async (filter?: string, options = {}) =>
      (await store.searchExperiments({ ...(filter === undefined ? {} : { filter }), orderBy: ["name"], ...options }))
        .items.map(({ name }) => name);
    assertEquals(await names(), ["Chat-c", "Default", "chat-a", "chat-b"]);
    assertEquals(await names("name LIKE 'chat%'"), ["chat-a", "chat-b"]);
    assertEquals(await names("attribute.name ILIKE 'chat%' AND name != 'chat-a'"), ["Chat-c", "chat-b"]);
    assertEquals(await names("tags.kind = 'chat'"), ["chat-a", "chat-b"]);
    assertEquals(await names("tag.kind IS NULL"), ["Default"]);
    assertEquals(await names("experiment_id IN ('1', '3')"), ["Chat-c", "chat-a"]);
    assertEquals(await names("experiment_id != '1'"), ["Chat-c", "Default", "chat-b"]);
    assertEquals(await names("creation_time > 0 and last_update_time >= 1"), ["Chat-c", "Default", "chat-a", "chat-b"]);
    assertEquals(await names("tags.x IS NOT NULL", { viewType: "all" }), ["other"]);
    assertEquals(await names(undefined, { viewType: "deleted" }), ["other"]);

    const first = await store.searchExperiments({ maxResults: 3, orderBy: ["experiment_id ASC"] });
    assertEquals(first.items.map(({ experimentId }) => experimentId), ["0", "1", "2"]);
    const second = await store.searchExperiments({
      maxResults: 3,
      orderBy: ["experiment_id ASC"],
      pageToken: first.nextPageToken ?? "",
    });
    assertEquals(second.items.map(({ experimentId }) => experimentId), ["3"]);
    assertEquals(second.nextPageToken, undefined);
  }));

Deno.test("searchExperiments() refuses what is no filter, order or page", () =>
  withStore(async (store) => {
    const error = await assertRejects(() => store.searchExperiments({ filter: "nome = 'x'" }), TrackingError);
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assertStringIncludes(error.message, "name, experiment_id, creation_time, last_update_time");
    for (
      const options of [
        { filter: "name > 'x'" },
        { filter: "experiment_id LIKE '1'" },
        { filter: "experiment_id = 'x'" },
        { filter: "creation_time > 1.5" },
        { filter: "creation_time > 'x'" },
        { filter: "metrics.a > 1" },
        { orderBy: ["tags.a"] },
        { maxResults: 0 },
        { maxResults: 50_001 },
        { pageToken: "nonsense" },
      ]
    ) assertEquals(await codeOf(store.searchExperiments(options)), "INVALID_PARAMETER_VALUE", JSON.stringify(options));
  }));

Deno.test("SqliteStore keeps ids of 18 digits, as migrated experiments have them", () =>
  withStore(async (store) => {
    const experimentId = "123456789012345679";
    runSql(
      store.database.path,
      `INSERT INTO experiments VALUES (${experimentId}, 'migrated', '/x', 'active', 1, 1, 'default')`,
    );
    assertEquals((await store.getExperimentByName("migrated"))?.experimentId, experimentId);
    await store.setExperimentTags(experimentId, { a: "b" });
    assertEquals((await store.getExperiment(experimentId)).tags, { a: "b" });
    const { info } = await store.createRun({ experimentId });
    assertEquals((await store.searchRuns({ experimentIds: [experimentId] })).items.map((run) => run.info), [info]);
    assertEquals(info.experimentId, experimentId);
    const { items } = await store.searchExperiments({ filter: `experiment_id IN ('${experimentId}')` });
    assertEquals(items.map(({ name }) => name), ["migrated"]);
    assertEquals(await codeOf(store.getExperiment("123456789012345678")), "RESOURCE_DOES_NOT_EXIST");
  }));
