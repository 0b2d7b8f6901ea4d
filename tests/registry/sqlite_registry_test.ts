import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openModelRegistry, resolveModelUri } from "@chatmodel/chat-model/registry";
import { openTrackingStore, TrackingError, type TrackingStore } from "@chatmodel/chat-model/tracking";
import type { ModelRegistry } from "@chatmodel/chat-model/registry";

const ROWS = new URL("../testdata/mlflow/sqlite/rows_3.17.2.json", import.meta.url);

interface Opened {
  readonly store: TrackingStore;
  readonly registry: ModelRegistry;
  readonly path: string;
  /** Rows as another program reads them. */
  rows(sql: string): Record<string, unknown>[];
}

async function withRegistry(test: (opened: Opened) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chat_model_registry_" });
  try {
    const path = `${folder}/mlflow.db`;
    await using store = openTrackingStore(`sqlite:///${path}`);
    await using registry = openModelRegistry(`sqlite:///${path}`);
    const rows = (sql: string) => {
      using db = new DatabaseSync(path);
      return db.prepare(sql).all().map((row) => ({ ...row }));
    };
    await test({ store, registry, path, rows });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function logModel(store: TrackingStore) {
  const experimentId = await store.createExperiment({ name: "tries" });
  const { info } = await store.createRun({ experimentId });
  const model = await store.createLoggedModel({ experimentId, name: "echo", sourceRunId: info.runId });
  return { ...model, runId: info.runId, artifactUri: info.artifactUri };
}

Deno.test("createModelVersion() leaves the rows that MLflow leaves", async () => {
  const genuine: { readonly [table: string]: readonly Record<string, unknown>[] } = JSON.parse(
    await Deno.readTextFile(ROWS),
  );
  await withRegistry(async ({ store, registry, rows }) => {
    const { modelId, runId, artifactLocation } = await logModel(store);
    const model = await registry.createRegisteredModel("regm");
    const source = `models:/${modelId}`;
    const version = await registry.createModelVersion({ name: "regm", source, modelId });
    await registry.setAlias("regm", "champion", 1);
    const { creationTimestamp: time } = version;
    const own: typeof genuine = {
      registered_models: [{ creation_time: model.creationTimestamp, last_updated_time: time }],
      model_versions: [{
        creation_time: time,
        last_updated_time: time,
        source,
        run_id: runId,
        storage_location: artifactLocation,
      }],
      registered_model_aliases: [{}],
    };
    for (const [table, changes] of Object.entries(own)) {
      assertEquals(rows(`SELECT * FROM ${table}`), [{ ...genuine[table]?.[0], ...changes[0] }], table);
    }
    assertEquals(
      rows("SELECT tag_value FROM logged_model_tags WHERE tag_key = 'mlflow.modelVersions'"),
      [{ tag_value: '[{"name": "regm", "version": 1}]' }],
    );
  });
});

Deno.test("deleteModelVersion() keeps the number, and nothing that tells of the version", async () => {
  await withRegistry(async ({ store, registry, rows }) => {
    const { modelId } = await logModel(store);
    await registry.createRegisteredModel("a");
    await registry.createModelVersion({ name: "a", source: `models:/${modelId}`, description: "Secret" });
    await registry.deleteModelVersion("a", 1);
    assertEquals(rows("SELECT version, current_stage, source, run_id, run_link, description FROM model_versions"), [{
      version: 1,
      current_stage: "Deleted_Internal",
      source: "REDACTED-SOURCE-PATH",
      run_id: "REDACTED-RUN-ID",
      run_link: "REDACTED-RUN-LINK",
      description: null,
    }]);
  });
});

Deno.test("createModelVersion() adds to versions that MLflow's client noted on the logged model", async () => {
  await withRegistry(async ({ store, registry }) => {
    const { modelId } = await logModel(store);
    await store.setLoggedModelTags(modelId, {
      "mlflow.modelVersions": '[{"name": "b", "version": 4}, {"name": "a", "version": "1"}]',
    });
    await registry.createRegisteredModel("a");
    await registry.createModelVersion({ name: "a", source: `models:/${modelId}` });
    assertEquals(
      (await store.getLoggedModel(modelId)).tags["mlflow.modelVersions"],
      '[{"name": "b", "version": 4}, {"name": "a", "version": 1}]',
    );
  });
});

Deno.test("createModelVersion() changes nothing when its source is not there", async () => {
  await withRegistry(async ({ registry, rows }) => {
    await registry.createRegisteredModel("a");
    const before = rows("SELECT * FROM registered_models");
    for (const source of [`models:/m-${"0".repeat(32)}`, "models:/b/1", `runs:/${"0".repeat(32)}/a`]) {
      const error = await assertRejects(() => registry.createModelVersion({ name: "a", source }), TrackingError);
      assertEquals(error.errorCode, "RESOURCE_DOES_NOT_EXIST", source);
    }
    for (const source of ["models:/a@champion", "models:/a/latest", "models:/a/b/c"]) {
      const error = await assertRejects(() => registry.createModelVersion({ name: "a", source }), TrackingError);
      assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE", source);
    }
    assertEquals([rows("SELECT * FROM registered_models"), rows("SELECT * FROM model_versions")], [before, []]);
  });
});

Deno.test("createModelVersion() refuses a source of another model than the one named", async () => {
  await withRegistry(async ({ store, registry }) => {
    const { modelId, experimentId } = await logModel(store);
    const { modelId: other } = await store.createLoggedModel({ experimentId });
    await registry.createRegisteredModel("a");
    const source = `models:/${modelId}`;
    await assertRejects(
      () => registry.createModelVersion({ name: "a", source, modelId: other }),
      TrackingError,
      "is another model",
    );
  });
});

Deno.test("getModelVersionDownloadUri() leads to the files of every kind of source", async () => {
  await withRegistry(async ({ store, registry }) => {
    const { modelId, runId, artifactUri, artifactLocation } = await logModel(store);
    await registry.createRegisteredModel("a");
    const places: readonly (readonly [source: string, place: string])[] = [
      [`models:/${modelId}`, artifactLocation],
      ["models:/a/1", artifactLocation],
      [`runs:/${runId}/echo`, artifactLocation],
      [`runs:/${runId}/files/model`, `${artifactUri}/files/model`],
      ["/models/own", "/models/own"],
    ];
    for (const [source, place] of places) {
      const { version } = await registry.createModelVersion({ name: "a", source });
      assertEquals(await registry.getModelVersionDownloadUri("a", version), place, source);
      assertEquals((await resolveModelUri(`models:/a/${version}`, { store, registry })).artifactUri, place, source);
    }
  });
});

Deno.test("SqliteRegistry reads what others wrote in stages and states that are none", async () => {
  await withRegistry(async ({ store, registry, path }) => {
    const { modelId } = await logModel(store);
    await registry.createRegisteredModel("a");
    await registry.createModelVersion({ name: "a", source: `models:/${modelId}` });
    {
      using db = new DatabaseSync(path);
      db.exec("UPDATE model_versions SET status = 'PENDING_REGISTRATION', current_stage = 'Odd', run_id = NULL");
    }
    const { status, currentStage, runId } = await registry.getModelVersion("a", 1);
    assertEquals([status, currentStage, runId], ["PENDING_REGISTRATION", "None", undefined]);
  });
});

Deno.test("getModelVersionByAlias() refuses an alias of a removed version, which older MLflow leaves behind", async () => {
  await withRegistry(async ({ store, registry, path }) => {
    const { modelId } = await logModel(store);
    await registry.createRegisteredModel("a");
    for (let made = 0; made < 2; made++) {
      await registry.createModelVersion({ name: "a", source: `models:/${modelId}` });
    }
    await registry.deleteModelVersion("a", 2);
    {
      using db = new DatabaseSync(path);
      db.exec("INSERT INTO registered_model_aliases (alias, version, name) VALUES ('gone', 2, 'a')");
    }
    const error = await assertRejects(() => registry.getModelVersionByAlias("a", "gone"), TrackingError, "it has 1");
    assertEquals(error.errorCode, "RESOURCE_DOES_NOT_EXIST");
  });
});

Deno.test("SqliteRegistry says what is wrong when a logged model's versions cannot be read", async () => {
  await withRegistry(async ({ store, registry, rows }) => {
    const { modelId } = await logModel(store);
    await store.setLoggedModelTags(modelId, { "mlflow.modelVersions": "no JSON" });
    await registry.createRegisteredModel("a");
    const error = await assertRejects(
      () => registry.createModelVersion({ name: "a", source: `models:/${modelId}` }),
      TrackingError,
    );
    assertEquals(error.errorCode, "DATA_LOSS");
    assertStringIncludes(error.message, "mlflow.modelVersions");
    assertEquals(rows("SELECT * FROM model_versions"), []);
  });
});

Deno.test("SqliteRegistry refuses everything after it was closed", async () => {
  await withRegistry(async ({ registry }) => {
    await registry[Symbol.asyncDispose]();
    const error = await assertRejects(() => registry.getRegisteredModel("a"), TrackingError);
    assertEquals(error.errorCode, "INVALID_STATE");
  });
});

Deno.test("createModelVersion() takes a run's artifacts before its model of that name", async () => {
  await withRegistry(async ({ store, registry }) => {
    const { runId, artifactUri, artifactLocation } = await logModel(store);
    await registry.createRegisteredModel("a");
    const source = `runs:/${runId}/echo`;
    await registry.createModelVersion({ name: "a", source });
    await store.artifacts(artifactUri).put("echo/MLmodel", new TextEncoder().encode("flavors: {}\n"));
    await registry.createModelVersion({ name: "a", source });
    assertEquals(await registry.getModelVersionDownloadUri("a", 1), artifactLocation);
    assertEquals(await registry.getModelVersionDownloadUri("a", 2), `${artifactUri}/echo`);
    assertEquals((await resolveModelUri(source, { store, registry })).artifactUri, `${artifactUri}/echo`);
  });
});

for (
  const source of ["mlflow-artifacts:/1/%2e%2e/2", "file:///a/%2E%2E/b", "/a/.%2e/b", "file:///a/..%2Fb", "/a/..?x"]
) {
  Deno.test(`createModelVersion() refuses the source ${source}, which leads up`, async () => {
    await withRegistry(async ({ registry, rows }) => {
      await registry.createRegisteredModel("a");
      const error = await assertRejects(() => registry.createModelVersion({ name: "a", source }), TrackingError);
      assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
      assertEquals(rows("SELECT * FROM model_versions"), []);
    });
  });
}
