import { assertEquals } from "@std/assert";
import type { SearchLoggedModelsOptions } from "@chatmodel/chat-model/tracking";
import { assertRefused, collectPages, type Fixture, START, type Suite, testStore } from "./support.ts";

/** Filters, and the models of {@linkcode makeModels} that they find. */
const FILTERS: readonly (readonly [filter: string, models: string])[] = [
  ["", "abc"],
  ["name = 'a'", "a"],
  ["name != 'a'", "bc"],
  ["attributes.name LIKE '%'", "abc"],
  ["model_type = 'chat'", "ab"],
  ["params.model = 'llama'", "a"],
  ["tags.team = 'x'", "ab"],
  ["metrics.accuracy > 0.6", "b"],
  ["metrics.accuracy >= 0.5 AND tags.team = 'x' AND name != 'b'", "a"],
];

/** Searching for logged models. */
export function searchLoggedModelTests(suite: Suite): void {
  testStore(suite, "searchLoggedModels() understands MLflow's filters", async (fixture) => {
    await makeModels(fixture);
    for (const [filter, models] of FILTERS) {
      assertEquals((await find(fixture, { filter })).split("").sort().join(""), models, filter);
    }
  });

  testStore(suite, "searchLoggedModels() finds the models of a run", async (fixture) => {
    const { runId } = await makeModels(fixture);
    assertEquals((await find(fixture, { filter: `source_run_id = '${runId}'` })).split("").sort().join(""), "ab");
    assertEquals(await find(fixture, { filter: `name = 'a' AND source_run_id = '${runId}'` }), "a");
  });

  testStore(suite, "searchLoggedModels() orders as told, and puts what lacks the value last", async (fixture) => {
    await makeModels(fixture);
    const order = (fieldName: string, ascending: boolean) => find(fixture, { orderBy: [{ fieldName, ascending }] });
    assertEquals(await order("name", true), "abc");
    assertEquals(await order("name", false), "cba");
    assertEquals(await order("metrics.accuracy", true), "abc");
    assertEquals(await order("metrics.accuracy", false), "bac");
    assertEquals(await find(fixture, { orderBy: [{ fieldName: "name" }] }), "abc");
  });

  testStore(
    suite,
    "searchLoggedModels() gives models as getLoggedModel() does, without deleted ones",
    async (fixture) => {
      const { store } = fixture;
      const { ids: [a, b] } = await makeModels(fixture);
      await store.deleteLoggedModel(b);
      const { items } = await search(fixture, { orderBy: [{ fieldName: "name" }] });
      assertEquals(items.map(({ name }) => name), ["a", "c"]);
      assertEquals(items[0], await store.getLoggedModel(a));
    },
  );

  testStore(suite, "searchLoggedModels() gives pages", async (fixture) => {
    const { store, experimentId } = fixture;
    for (const name of ["a", "b", "c", "d", "e"]) await store.createLoggedModel({ experimentId, name });
    const models = await collectPages((page) => search(fixture, { orderBy: [{ fieldName: "name" }], ...page }));
    assertEquals(models.map(({ name }) => name).join(""), "abcde");
  });

  testStore(suite, "searchLoggedModels() looks in the experiments that it is told", async (fixture) => {
    await makeModels(fixture);
    const other = await fixture.store.createExperiment({ name: `${fixture.name}-other` });
    assertEquals(await find(fixture, { experimentIds: [other] }), "");
    assertEquals((await find(fixture, { experimentIds: [other, fixture.experimentId] })).length, 3);
  });

  testStore(suite, "searchLoggedModels() refuses what it does not understand", async (fixture) => {
    await assertRefused(() => search(fixture, { filter: "name =" }), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => search(fixture, { orderBy: [{ fieldName: "nope" }] }), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => search(fixture, { orderBy: [{ fieldName: "params.x" }] }), "INVALID_PARAMETER_VALUE");
  });
}

/** Makes the models "a", "b" and "c", in this order; the first two by a run. */
async function makeModels({ store, experimentId, runId: makeRun }: Fixture) {
  const runId = await makeRun();
  const common = { experimentId, modelType: "chat", sourceRunId: runId, tags: { team: "x" } };
  const a = await store.createLoggedModel({ ...common, name: "a", params: { model: "llama" } });
  const b = await store.createLoggedModel({ ...common, name: "b", params: { model: "other" } });
  const c = await store.createLoggedModel({ experimentId, name: "c" });
  const metric = { key: "accuracy", timestamp: START };
  await store.logBatch(runId, {
    metrics: [
      { ...metric, value: 0.5, step: 0, modelId: a.modelId },
      { ...metric, value: 0.75, step: 1, modelId: b.modelId },
    ],
  });
  return { runId, ids: [a.modelId, b.modelId, c.modelId] as const };
}

function search({ store, experimentId }: Fixture, options: Partial<SearchLoggedModelsOptions>) {
  return store.searchLoggedModels({ experimentIds: [experimentId], ...options });
}

/** The names of what is found, one letter each. */
async function find(fixture: Fixture, options: Partial<SearchLoggedModelsOptions>): Promise<string> {
  return (await search(fixture, options)).items.map(({ name }) => name).join("");
}
