import { assertEquals, assertMatch, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { TrackingError } from "../../tracking/errors.ts";
import { readRows, startRun, withStore } from "./_sqlite.ts";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, TrackingError)).errorCode;
}

Deno.test("createRun() makes a run that MLflow's page can show", () =>
  withStore(async (store, folder) => {
    const run = await store.createRun({ experimentId: "0", startTime: 5 });
    const { runId, runName } = run.info;
    assertMatch(runId, /^[0-9a-f]{32}$/);
    assertMatch(runName, /^[a-z]+-[a-z]+-\d{1,3}$/);
    assertEquals(run.info, {
      runId,
      runName,
      experimentId: "0",
      userId: "",
      status: "RUNNING",
      startTime: 5,
      lifecycleStage: "active",
      artifactUri: join(folder, `mlruns/0/${runId}/artifacts`),
    });
    assertEquals(Object.keys(run.data.tags).sort(), [
      "mlflow.runName",
      "mlflow.source.name",
      "mlflow.source.type",
      "mlflow.user",
    ]);
    assertEquals(run.data.tags["mlflow.runName"], runName);
    assertEquals(await store.getRun(runId), run);
    assertEquals(readRows(folder, "SELECT * FROM runs"), [{
      run_uuid: runId,
      name: runName,
      source_type: "UNKNOWN",
      source_name: "",
      entry_point_name: "",
      user_id: "",
      status: "RUNNING",
      start_time: 5,
      end_time: null,
      source_version: "",
      lifecycle_stage: "active",
      artifact_uri: join(folder, `mlruns/0/${runId}/artifacts`),
      experiment_id: 0,
      deleted_time: null,
    }]);
  }));

Deno.test("createRun() takes name, user and tags, and refuses two names", () =>
  withStore(async (store) => {
    const tags = { "mlflow.user": "ann", "mlflow.source.name": "a.ts", "mlflow.source.type": "JOB", a: "b" };
    const run = await store.createRun({ experimentId: "0", runName: "mine", userId: "bob", tags });
    assertEquals(run.info.userId, "bob");
    assertEquals(run.data.tags, { ...tags, "mlflow.runName": "mine" });
    const named = await store.createRun({ experimentId: "0", tags: { "mlflow.runName": "tagged" } });
    assertEquals(named.info.runName, "tagged");
    const twice = store.createRun({ experimentId: "0", runName: "a", tags: { "mlflow.runName": "b" } });
    assertEquals(await codeOf(twice), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.createRun({ experimentId: "9" })), "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await codeOf(store.createRun({ experimentId: "0", startTime: -1 })), "INVALID_PARAMETER_VALUE");
  }));

Deno.test("createRun() puts artifacts under an experiment's URI before its query", () =>
  withStore(async (store) => {
    const uriOf = async (artifactLocation: string) => {
      const experimentId = await store.createExperiment({ name: artifactLocation, artifactLocation });
      const { info } = await store.createRun({ experimentId });
      return info.artifactUri.replace(info.runId, "RUN");
    };
    assertEquals(await uriOf("s3://bucket/a/?b=c"), "s3://bucket/a/RUN/artifacts?b=c");
    assertEquals(await uriOf("mlflow-artifacts:/1"), "mlflow-artifacts:/1/RUN/artifacts");
    assertEquals(await uriOf("/data/what?#/"), "/data/what?#/RUN/artifacts");
  }));

Deno.test("updateRun() changes what is given and leaves the rest", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    const before = await store.getRun(runId);
    assertEquals(await store.updateRun(runId, {}), before.info);
    const info = await store.updateRun(runId, { status: "FINISHED", endTime: 7, runName: "new" });
    assertEquals(info, { ...before.info, status: "FINISHED", endTime: 7, runName: "new" });
    const run = await store.getRun(runId);
    assertEquals(run.info, info);
    assertEquals(run.data.tags["mlflow.runName"], "new");
    assertEquals((await store.updateRun(runId, { runName: "" })).runName, "new");
    // @ts-expect-error: no status
    assertEquals(await codeOf(store.updateRun(runId, { status: "DONE" })), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.updateRun("0".repeat(32), {})), "RESOURCE_DOES_NOT_EXIST");
  }));

Deno.test("deleteRun() keeps a run from being written until restoreRun()", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    await store.deleteRun(runId);
    assertEquals((await store.getRun(runId)).info.lifecycleStage, "deleted");
    assertEquals(await codeOf(store.updateRun(runId, { endTime: 1 })), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.logBatch(runId, { tags: { a: "b" } })), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.deleteTag(runId, "mlflow.user")), "INVALID_PARAMETER_VALUE");
    assertEquals(await codeOf(store.logOutputs(runId, [])), "INVALID_PARAMETER_VALUE");
    await store.restoreRun(runId);
    await store.logBatch(runId, { tags: { a: "b" } });
    assertEquals((await store.getRun(runId)).data.tags.a, "b");
  }));

Deno.test("logBatch() keeps the first value of params", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    await store.logBatch(runId, { params: { model: "a", empty: "" } });
    await store.logBatch(runId, { params: { model: "a" } });
    const error = await assertRejects(
      () => store.logBatch(runId, { params: { other: "x", model: "b" }, tags: { t: "u" } }),
      TrackingError,
    );
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assertStringIncludes(error.message, '"model"');
    const { params, tags } = (await store.getRun(runId)).data;
    assertEquals(params, { model: "a", empty: "" });
    assertEquals(tags.t, undefined);
  }));

Deno.test("logBatch() refuses what MLflow's limits forbid, telling key and lengths", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    await store.logBatch(runId, { params: { long: "😀".repeat(6000) } });
    const error = await assertRejects(
      () => store.logBatch(runId, { params: { prompt: "p".repeat(6001) } }),
      TrackingError,
    );
    for (const part of ['"prompt"', "6001", "6000"]) assertStringIncludes(error.message, part);
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
    const metric = { key: "m", value: 1, timestamp: 1, step: 0 };
    for (
      const batch of [
        { params: many(101) },
        { tags: many(101) },
        { metrics: Array(1001).fill(metric) },
        { metrics: Array(901).fill(metric), params: many(100) },
        { params: { "": "v" } },
        { params: { "a//b": "v" } },
        { params: { "/a": "v" } },
        { params: { "..a": "v" } },
        { tags: { "a?b": "v" } },
        { params: { ["k".repeat(251)]: "v" } },
        { tags: { t: "v".repeat(8001) } },
        { metrics: [{ ...metric, key: "a\nb" }] },
        { metrics: [{ ...metric, step: 0.5 }] },
        { metrics: [{ ...metric, timestamp: -1 }] },
      ]
    ) {
      assertEquals(
        await codeOf(store.logBatch(runId, batch)),
        "INVALID_PARAMETER_VALUE",
        JSON.stringify(batch).slice(0, 60),
      );
    }
    await store.logBatch(runId, { params: many(100), tags: { ["k".repeat(250)]: "v".repeat(8000) } });
    await store.logBatch(runId, { params: { "a/b c:d.e-f_g é": "v" } });
  }));

Deno.test("logBatch() renames a run by its tag", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    await store.logBatch(runId, { tags: { "mlflow.runName": "renamed" } });
    assertEquals((await store.getRun(runId)).info.runName, "renamed");
  }));

Deno.test("deleteTag() removes a tag, once", () =>
  withStore(async (store) => {
    const { runId } = await startRun(store);
    await store.logBatch(runId, { tags: { a: "b" } });
    await store.deleteTag(runId, "a");
    assertEquals((await store.getRun(runId)).data.tags.a, undefined);
    assertEquals(await codeOf(store.deleteTag(runId, "a")), "RESOURCE_DOES_NOT_EXIST");
  }));

Deno.test("logInputs() and logOutputs() write MLflow's rows", () =>
  withStore(async (store, folder) => {
    const { runId } = await startRun(store);
    const dataset = { name: "d", digest: "1", sourceType: "local", source: "{}", schema: "s" };
    const other = { name: "e", digest: "2", sourceType: "code", source: "{}", profile: "p" };
    const tags = { "mlflow.data.context": "training", a: "b" };
    await store.logInputs(runId, { datasets: [{ dataset, tags }, { dataset: other, tags: {} }], modelIds: ["m-1"] });
    await store.logInputs(runId, { datasets: [{ dataset, tags: { ignored: "x" } }], modelIds: ["m-1"] });
    await store.logOutputs(runId, [{ modelId: "m-2", step: 3 }]);
    await store.logOutputs(runId, [{ modelId: "m-2", step: 4 }]);
    const run = await store.getRun(runId);
    assertEquals(run.inputs, { datasets: [{ dataset, tags }, { dataset: other, tags: {} }], modelIds: ["m-1"] });
    assertEquals(run.outputs, { models: [{ modelId: "m-2", step: 4 }] });
    const rows = readRows(folder, "SELECT source_type, source_id, destination_type, destination_id, step FROM inputs");
    assertEquals(rows.length, 4);
    assertEquals(rows.slice(2), [
      { source_type: "RUN_INPUT", source_id: runId, destination_type: "MODEL_INPUT", destination_id: "m-1", step: 0 },
      { source_type: "RUN_OUTPUT", source_id: runId, destination_type: "MODEL_OUTPUT", destination_id: "m-2", step: 4 },
    ]);
    assertEquals(rows[0], { ...rows[0], source_type: "DATASET", destination_type: "RUN", destination_id: runId });

    const second = await store.createRun({ experimentId: run.info.experimentId });
    await store.logInputs(second.info.runId, { datasets: [{ dataset, tags: {} }] });
    assertEquals(readRows(folder, "SELECT count(*) AS count FROM datasets"), [{ count: 2 }]);
    const long = { ...dataset, digest: "d".repeat(37) };
    assertEquals(
      await codeOf(store.logInputs(runId, { datasets: [{ dataset: long, tags }] })),
      "INVALID_PARAMETER_VALUE",
    );
  }));

Deno.test("createRun() gives every run an id and a name of its own", () =>
  withStore(async (store) => {
    const one = await store.createRun({ experimentId: "0" });
    const two = await store.createRun({ experimentId: "0" });
    assertNotEquals(one.info.runId, two.info.runId);
  }));
