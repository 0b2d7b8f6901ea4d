import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import fastCheck from "fast-check";
import type { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import { TrackingError } from "../../tracking/errors.ts";
import { readRows, runSql, startRun, withStore } from "./_sqlite.ts";

async function refused(action: () => Promise<unknown>, errorCode: string): Promise<TrackingError> {
  const error = await assertRejects(action, TrackingError);
  assertEquals(error.errorCode, errorCode, error.message);
  return error;
}

/** Names of what is found, in order. */
async function find(store: SqliteStore, experimentId: string, filter: string): Promise<string> {
  const { items } = await store.searchLoggedModels({
    experimentIds: [experimentId],
    filter,
    orderBy: [{ fieldName: "name" }],
  });
  return items.map(({ name }) => name).join("");
}

Deno.test("createLoggedModel() and finalizeLoggedModel() leave the rows that MLflow leaves", () =>
  withStore(async (store, folder) => {
    const { experimentId, runId } = await startRun(store);
    const { modelId, artifactLocation } = await store.createLoggedModel({
      experimentId,
      name: "echo",
      sourceRunId: runId,
      params: { a: "1" },
      tags: { "mlflow.user": "user" },
    });
    assertEquals(artifactLocation, `${folder}/mlruns/${experimentId}/models/${modelId}/artifacts`);
    const [pending] = readRows(folder, "SELECT status, typeof(status) AS type FROM logged_models");
    assertEquals(pending, { status: 1, type: "integer" });
    const { creationTimestamp, lastUpdatedTimestamp } = await store.finalizeLoggedModel(modelId, "READY");
    const experiment_id = Number(experimentId);
    assertEquals(readRows(folder, "SELECT * FROM logged_models"), [{
      model_id: modelId,
      experiment_id,
      name: "echo",
      artifact_location: artifactLocation,
      creation_timestamp_ms: creationTimestamp,
      last_updated_timestamp_ms: lastUpdatedTimestamp,
      status: 2,
      lifecycle_stage: "active",
      model_type: null,
      source_run_id: runId,
      status_message: null,
    }]);
    assertEquals(readRows(folder, "SELECT * FROM logged_model_params"), [
      { model_id: modelId, experiment_id, param_key: "a", param_value: "1" },
    ]);
    assertEquals(readRows(folder, "SELECT * FROM logged_model_tags"), [
      { model_id: modelId, experiment_id, tag_key: "mlflow.user", tag_value: "user" },
    ]);
  }));

Deno.test("createLoggedModel() adds to the path of a location before its query", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a", artifactLocation: "s3://bucket/a/?x=1" });
    const { modelId, artifactLocation } = await store.createLoggedModel({ experimentId });
    assertEquals(artifactLocation, `s3://bucket/a/models/${modelId}/artifacts?x=1`);
  }));

Deno.test("createLoggedModel() takes any name without MLflow's forbidden characters, and no other", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a" });
    await fastCheck.assert(
      fastCheck.asyncProperty(fastCheck.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), async (name) => {
        const create = () => store.createLoggedModel({ experimentId, name });
        if (/[/:.%"']/.test(name)) await refused(create, "INVALID_PARAMETER_VALUE");
        else assertEquals((await store.getLoggedModel((await create()).modelId)).name, name);
      }),
      { numRuns: 50 },
    );
  }));

Deno.test("createLoggedModel() invents a name for none and for an empty one", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a" });
    for (const options of [{}, { name: "" }]) {
      assertMatch((await store.createLoggedModel({ experimentId, ...options })).name, /^[a-z]+-[a-z]+-\d+$/);
    }
  }));

Deno.test("createLoggedModel() refuses a deleted experiment and a run that is not there", () =>
  withStore(async (store, folder) => {
    const experimentId = await store.createExperiment({ name: "a" });
    await refused(
      () => store.createLoggedModel({ experimentId, sourceRunId: "0".repeat(32) }),
      "RESOURCE_DOES_NOT_EXIST",
    );
    await store.deleteExperiment(experimentId);
    const error = await refused(() => store.createLoggedModel({ experimentId }), "INVALID_PARAMETER_VALUE");
    assertStringIncludes(error.message, "Restore it first");
    assertEquals(readRows(folder, "SELECT * FROM logged_models"), []);
  }));

Deno.test("createLoggedModel() refuses what is longer than MLflow takes, and then makes nothing", () =>
  withStore(async (store, folder) => {
    const experimentId = await store.createExperiment({ name: "a" });
    for (
      const options of [
        { name: "n".repeat(501) },
        { params: { k: "v".repeat(6001) } },
        { params: { ["k".repeat(251)]: "v" } },
        { tags: { k: "v".repeat(8001) } },
        { tags: { ["k".repeat(251)]: "v" } },
        { tags: { "a/../b": "v" } },
      ]
    ) {
      await refused(() => store.createLoggedModel({ experimentId, ...options }), "INVALID_PARAMETER_VALUE");
    }
    assertEquals(readRows(folder, "SELECT * FROM logged_models"), []);
    const { modelId } = await store.createLoggedModel({ experimentId, params: { k: "v".repeat(6000) } });
    assertEquals((await store.getLoggedModel(modelId)).params["k"]?.length, 6000);
  }));

Deno.test("deleteLoggedModel() hides a model from everything but keeps its rows", () =>
  withStore(async (store, folder) => {
    const experimentId = await store.createExperiment({ name: "a" });
    const { modelId } = await store.createLoggedModel({ experimentId, tags: { a: "1" } });
    await store.deleteLoggedModel(modelId);
    for (
      const action of [
        () => store.getLoggedModel(modelId),
        () => store.finalizeLoggedModel(modelId, "READY"),
        () => store.setLoggedModelTags(modelId, { a: "2" }),
        () => store.deleteLoggedModel(modelId),
      ]
    ) await refused(action, "RESOURCE_DOES_NOT_EXIST");
    assertEquals(await find(store, experimentId, ""), "");
    assertEquals(readRows(folder, "SELECT lifecycle_stage FROM logged_models"), [{ lifecycle_stage: "deleted" }]);
    assertEquals(readRows(folder, "SELECT tag_value FROM logged_model_tags"), [{ tag_value: "1" }]);
  }));

Deno.test("logLoggedModelParams() keeps the first value of a param, and is all or nothing", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a" });
    const { modelId } = await store.createLoggedModel({ experimentId, params: { b: "1" } });
    await store.logLoggedModelParams(modelId, { b: "1" });
    const error = await refused(
      () => store.logLoggedModelParams(modelId, { a: "new", b: "2" }),
      "INVALID_PARAMETER_VALUE",
    );
    assertStringIncludes(error.message, '"b"');
    assertEquals((await store.getLoggedModel(modelId)).params, { b: "1" });
  }));

Deno.test("getLoggedModel() reads what MLflow writes in other states", () =>
  withStore(async (store, folder) => {
    const { experimentId, runId } = await startRun(store);
    const { modelId } = await store.createLoggedModel({ experimentId, sourceRunId: runId });
    const read = async (change: string) => {
      runSql(`${folder}/mlflow.db`, `UPDATE logged_models SET ${change}`);
      return await store.getLoggedModel(modelId);
    };
    assertEquals((await read("status = 0")).status, "UNSPECIFIED");
    assertEquals((await read("status = 3")).status, "FAILED");
    assertEquals((await read("status = 9")).status, "UNSPECIFIED");
    assertEquals((await read("source_run_id = ''")).sourceRunId, undefined);
  }));

Deno.test("searchLoggedModels() finds by status, id and time", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a" });
    const make = async (name: string) => await store.createLoggedModel({ experimentId, name });
    const [a, b, c] = [await make("a"), await make("b"), await make("c")];
    await store.finalizeLoggedModel(b.modelId, "READY");
    await store.finalizeLoggedModel(c.modelId, "FAILED");
    const filters: readonly (readonly [filter: string, found: string])[] = [
      ["status = 'READY'", "b"],
      ["attributes.status != 'PENDING'", "bc"],
      ["status = 'LOGGED_MODEL_UPLOAD_FAILED'", "c"],
      ["status IN ('PENDING', 'READY')", "ab"],
      [`model_id = '${a.modelId}'`, "a"],
      [`model_id NOT IN ('${a.modelId}', '${b.modelId}')`, "c"],
      [`creation_timestamp >= ${a.creationTimestamp} AND creation_time < ${c.creationTimestamp + 1}`, "abc"],
      [`last_updated_timestamp > ${Date.now() + 60_000}`, ""],
      ["model_type = 'chat'", ""],
    ];
    for (const [filter, found] of filters) assertEquals(await find(store, experimentId, filter), found, filter);
    const error = await refused(() => find(store, experimentId, "status = 'DONE'"), "INVALID_PARAMETER_VALUE");
    assertStringIncludes(error.message, "PENDING, READY, FAILED");
  }));

Deno.test("searchLoggedModels() orders by the latest point of a metric, with the newest model first where equal", () =>
  withStore(async (store, folder) => {
    const { experimentId, runId } = await startRun(store);
    const points: readonly (readonly [name: string, values: readonly number[]])[] = [
      ["a", [0.9, 0.1]],
      ["b", [0.2, 0.5]],
      ["c", []],
      ["d", []],
    ];
    for (const [index, [name, values]] of points.entries()) {
      const { modelId } = await store.createLoggedModel({ experimentId, name });
      // Models that are made in one millisecond have no order of time.
      runSql(`${folder}/mlflow.db`, `UPDATE logged_models SET creation_timestamp_ms = ${index} WHERE name = '${name}'`);
      const metrics = values.map((value, step) => ({ key: "accuracy", value, timestamp: 5, step, modelId }));
      await store.logBatch(runId, { metrics });
    }
    const order = async (fieldName: string, ascending: boolean) =>
      (await store.searchLoggedModels({ experimentIds: [experimentId], orderBy: [{ fieldName, ascending }] })).items
        .map(({ name }) => name).join("");
    assertEquals(await order("metrics.accuracy", false), "badc");
    assertEquals(await order("metrics.accuracy", true), "abdc");
    assertEquals(await order("creation_timestamp", true), "abcd");
    const { items } = await store.searchLoggedModels({ experimentIds: [experimentId] });
    assertEquals(items.map(({ name }) => name).join(""), "dcba");
  }));

Deno.test("searchLoggedModels() puts models without a kind last, whichever the direction", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a" });
    await store.createLoggedModel({ experimentId, name: "a" });
    await store.createLoggedModel({ experimentId, name: "b", modelType: "agent" });
    await store.createLoggedModel({ experimentId, name: "c", modelType: "chat" });
    for (const [ascending, names] of [[true, "bca"], [false, "cba"]] as const) {
      const orderBy = [{ fieldName: "model_type", ascending }];
      const { items } = await store.searchLoggedModels({ experimentIds: [experimentId], orderBy });
      assertEquals(items.map(({ name }) => name).join(""), names);
    }
  }));

Deno.test("searchLoggedModels() binds what is in filters, whatever it is", () =>
  withStore(async (store) => {
    const experimentId = await store.createExperiment({ name: "a" });
    const value = `x" OR 1=1; DROP TABLE logged_models --`;
    await store.createLoggedModel({ experimentId, name: "a", tags: { note: value } });
    await store.createLoggedModel({ experimentId, name: "b", tags: { note: "x" } });
    assertEquals(await find(store, experimentId, `tags.note = '${value}'`), "a");
    assertEquals(await find(store, experimentId, "name = 'b'"), "b");
  }));
