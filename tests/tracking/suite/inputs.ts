import { assertEquals } from "@std/assert";
import type { Dataset } from "@chatmodel/chat-model/tracking";
import { assertRefused, type Suite, testStore } from "./support.ts";

const DATASET: Dataset = {
  name: "questions",
  digest: "0123abcd",
  sourceType: "local",
  source: '{"uri":"questions.json"}',
  schema: '{"mlflow_colspec":[]}',
  profile: '{"num_rows":2}',
};

/** What runs use and make. */
export function inputTests(suite: Suite): void {
  testStore(suite, "logInputs() keeps datasets with their tags", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const least: Dataset = { name: "answers", digest: "1", sourceType: "code", source: "" };
    await store.logInputs(runId, {
      datasets: [{ dataset: DATASET, tags: { "mlflow.data.context": "evaluation", a: "é" } }, {
        dataset: least,
        tags: {},
      }],
    });
    const { datasets } = (await store.getRun(runId)).inputs;
    assertEquals([...datasets].sort((x, y) => x.dataset.name < y.dataset.name ? -1 : 1), [
      { dataset: least, tags: {} },
      { dataset: DATASET, tags: { "mlflow.data.context": "evaluation", a: "é" } },
    ]);
  });

  testStore(suite, "logInputs() keeps the first of what has the same name and digest", async (fixture) => {
    const { store } = fixture;
    const [first, second] = [await fixture.runId(), await fixture.runId()];
    await store.logInputs(first, { datasets: [{ dataset: DATASET, tags: { a: "1" } }] });
    await store.logInputs(first, { datasets: [{ dataset: { ...DATASET, source: "other" }, tags: { a: "2" } }] });
    await store.logInputs(second, { datasets: [{ dataset: { ...DATASET, source: "other" }, tags: { a: "3" } }] });
    assertEquals((await store.getRun(first)).inputs.datasets, [{ dataset: DATASET, tags: { a: "1" } }]);
    assertEquals((await store.getRun(second)).inputs.datasets, [{ dataset: DATASET, tags: { a: "3" } }]);
  });

  testStore(suite, "logInputs() refuses what is longer than MLflow's limits", async (fixture) => {
    const { store } = fixture;
    const runId = await fixture.runId();
    const refuse = (dataset: Dataset, tags: Record<string, string> = {}) =>
      assertRefused(() => store.logInputs(runId, { datasets: [{ dataset, tags }] }), "INVALID_PARAMETER_VALUE");
    await refuse({ ...DATASET, name: "n".repeat(501) });
    await refuse({ ...DATASET, digest: "d".repeat(37) });
    await refuse({ ...DATASET, source: "s".repeat(65_536) });
    await refuse(DATASET, { ["k".repeat(256)]: "v" });
    await refuse(DATASET, { k: "v".repeat(501) });
    assertEquals((await store.getRun(runId)).inputs.datasets, []);
  });

  testStore(suite, "logInputs() and logOutputs() link logged models", async (fixture) => {
    const { store, experimentId } = fixture;
    const runId = await fixture.runId();
    const { modelId: used } = await store.createLoggedModel({ experimentId });
    const { modelId: made } = await store.createLoggedModel({ experimentId, sourceRunId: runId });
    await store.logInputs(runId, { modelIds: [used] });
    await store.logOutputs(runId, [{ modelId: made, step: 3 }]);
    const { inputs, outputs } = await store.getRun(runId);
    assertEquals(inputs, { datasets: [], modelIds: [used] });
    assertEquals(outputs, { models: [{ modelId: made, step: 3 }] });
  });
}
