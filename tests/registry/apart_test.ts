import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type ModelRegistry, openModelRegistry, registerModel, resolveModelUri } from "@chatmodel/chat-model/registry";
import { openTrackingStore, TrackingError, type TrackingStore } from "@chatmodel/chat-model/tracking";

interface Apart {
  readonly store: TrackingStore;
  readonly registry: ModelRegistry;
  /** Rows of the registry's database, as another program reads them. */
  rows(sql: string): Record<string, unknown>[];
}

/** A registry in another database than the runs, as `MLFLOW_REGISTRY_URI` may have it. */
async function withRegistryApart(test: (apart: Apart) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chat_model_registry_" });
  try {
    await using store = openTrackingStore(`sqlite:///${folder}/runs.db`);
    await using registry = openModelRegistry(`sqlite:///${folder}/models.db`);
    const rows = (sql: string) => {
      using db = new DatabaseSync(`${folder}/models.db`);
      return db.prepare(sql).all().map((row) => ({ ...row }));
    };
    await test({ store, registry, rows });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function logModel(store: TrackingStore) {
  const { info: { runId } } = await store.createRun({ experimentId: "0" });
  return await store.createLoggedModel({ experimentId: "0", name: "echo", sourceRunId: runId });
}

Deno.test("registerModel() registers models of a store elsewhere, and leaves the rows that MLflow leaves", async () => {
  await withRegistryApart(async ({ store, registry, rows }) => {
    const { modelId, sourceRunId = "", artifactLocation } = await logModel(store);
    for (const uri of [`models:/${modelId}`, `runs:/${sourceRunId}/echo`]) {
      await registerModel(uri, "assistant", { store, registry });
    }
    const row = { source: `models:/${modelId}`, run_id: sourceRunId, storage_location: artifactLocation };
    assertEquals(rows("SELECT version, source, run_id, storage_location FROM model_versions ORDER BY version"), [
      { version: 1, ...row },
      { version: 2, ...row },
    ]);
    assertEquals(
      (await store.getLoggedModel(modelId)).tags["mlflow.modelVersions"],
      '[{"name": "assistant", "version": 1}, {"name": "assistant", "version": 2}]',
    );
    assertEquals(rows("SELECT * FROM logged_model_tags"), []);
    assertEquals(await resolveModelUri("models:/assistant/1", { store, registry }), {
      artifactUri: artifactLocation,
      modelId,
      runId: sourceRunId,
      name: "assistant",
      version: "1",
    });
  });
});

Deno.test("createModelVersion() refuses a logged model of elsewhere without its location", async () => {
  await withRegistryApart(async ({ store, registry, rows }) => {
    const { modelId } = await logModel(store);
    await registry.createRegisteredModel("assistant");
    for (const options of [{ source: `models:/${modelId}` }, { source: "/models/own", modelId }]) {
      const error = await assertRejects(
        () => registry.createModelVersion({ name: "assistant", ...options }),
        TrackingError,
        modelId,
      );
      assertEquals(error.errorCode, "RESOURCE_DOES_NOT_EXIST");
    }
    assertEquals(rows("SELECT * FROM model_versions"), []);
  });
});

Deno.test("registerModel() registers a version again whose logged model is gone from the store elsewhere", async () => {
  await withRegistryApart(async ({ store, registry }) => {
    const { modelId, artifactLocation } = await logModel(store);
    await registerModel(`models:/${modelId}`, "assistant", { store, registry });
    await store.deleteLoggedModel(modelId);
    const { version } = await registerModel("models:/assistant/1", "copy", { store, registry });
    assertEquals(version, "1");
    assertEquals(await registry.getModelVersionDownloadUri("copy", 1), artifactLocation);
  });
});
