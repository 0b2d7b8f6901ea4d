import { assertEquals } from "@std/assert";
import { assertRefused, type Fixture, type Suite, testRegistry } from "./support.ts";

/** Filters of registered models, and what they find of {@linkcode makeModels}; `NAME` is the test's own. */
const MODEL_FILTERS: readonly (readonly [filter: string, models: string])[] = [
  ["name LIKE 'NAME%'", "abc"],
  ["name = 'NAME-a'", "a"],
  ["name != 'NAME-a' AND name LIKE 'NAME-%'", "bc"],
  ["name ILIKE 'nAmE-B'", "b"],
  ["name IN ('NAME-a', 'NAME-c')", "ac"],
  ["name LIKE 'NAME%' AND tags.team = 'x'", "ab"],
  ["name LIKE 'NAME%' AND tag.`team` != 'x'", "c"],
  ["name LIKE 'NAME%' AND tags.team LIKE 'X'", ""],
  ["name LIKE 'NAME%' AND tags.team ILIKE 'X' AND tags.`a-b` = '1'", "a"],
  ["name LIKE 'NAME%' AND tags.`mlflow.prompt.is_prompt` != 'true'", "abc"],
  ["name LIKE 'NAME%' AND tags.`mlflow.prompt.is_prompt` = 'false'", "abc"],
  ["name LIKE 'NAME%' AND tags.`mlflow.prompt.is_prompt` = 'true'", "p"],
  ["name LIKE 'NAME%' AND tags.`mlflow.prompt.is_prompt` != 'False'", "p"],
  ["name LIKE 'NAME%' AND tags.`mlflow.prompt.is_prompt` = 'True'", ""],
  ["name LIKE 'NAME%' AND tags.`mlflow.prompt.is_prompt` LIKE 'true'", "abc"],
];

/** Filters of versions, and what they find of {@linkcode makeVersions}. */
const VERSION_FILTERS: readonly (readonly [filter: string, versions: string])[] = [
  ["name = 'NAME'", "1234"],
  ["name = 'NAME' AND version_number >= 2", "234"],
  ["name = 'NAME' AND version_number != 2 AND version_number < 4", "13"],
  ["run_id = 'RUN'", "34"],
  ["run_id IN ('RUN') AND version_number = 3", "3"],
  ["name IN ('NAME') AND source_path LIKE 'models:/m-%'", "1234"],
  ["source_path = 'models:/MODEL'", "34"],
  ["name = 'NAME' AND tags.checked = 'yes'", "2"],
];

/** Searching for registered models and versions. */
export function registrySearchTests(suite: Suite): void {
  testRegistry(suite, "searchRegisteredModels() understands MLflow's filters", async (fixture) => {
    const { registry, name } = fixture;
    await makeModels(fixture);
    for (const [text, models] of MODEL_FILTERS) {
      const filter = text.replaceAll("NAME", name).replaceAll("nAmE", name.toUpperCase());
      const { items } = await registry.searchRegisteredModels({ filter });
      assertEquals(items.map((model) => model.name.slice(-1)).join(""), models, filter);
    }
  });

  testRegistry(suite, "searchRegisteredModels() gives models as getRegisteredModel() does", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(2);
    await registry.setRegisteredModelTag(name, "team", "x");
    await registry.setAlias(name, "champion", 1);
    const { items } = await registry.searchRegisteredModels({ filter: `name = '${name}'` });
    assertEquals(items, [await registry.getRegisteredModel(name)]);
  });

  testRegistry(suite, "searchRegisteredModels() orders as told, and gives pages", async (fixture) => {
    const { registry, name } = fixture;
    await makeModels(fixture);
    await registry.updateRegisteredModel(`${name}-b`, "Changed last");
    const filter = `name LIKE '${name}%'`;
    const order = async (...orderBy: string[]) =>
      (await registry.searchRegisteredModels({ filter, orderBy })).items.map((model) => model.name.slice(-1)).join("");
    assertEquals(await order("name DESC"), "cba");
    assertEquals((await order("last_updated_timestamp DESC")).length, 3);
    const first = await registry.searchRegisteredModels({ filter, maxResults: 2 });
    assertEquals(first.items.map((model) => model.name), [`${name}-a`, `${name}-b`]);
    const { nextPageToken: pageToken = "" } = first;
    const second = await registry.searchRegisteredModels({ filter, maxResults: 2, pageToken });
    assertEquals(second.items.map((model) => model.name), [`${name}-c`]);
    assertEquals(second.nextPageToken, undefined);
  });

  testRegistry(suite, "searchModelVersions() understands MLflow's filters", async (fixture) => {
    const { registry, name } = fixture;
    const { modelId, runId } = await makeVersions(fixture);
    for (const [text, versions] of VERSION_FILTERS) {
      const filter = text.replaceAll("NAME", name).replaceAll("RUN", runId).replaceAll("MODEL", modelId);
      const { items } = await registry.searchModelVersions({ filter });
      assertEquals(items.map(({ version }) => version).sort().join(""), versions, filter);
    }
  });

  testRegistry(suite, "searchModelVersions() orders as told, and gives pages without removed ones", async (fixture) => {
    const { registry, name } = fixture;
    await makeVersions(fixture);
    await registry.deleteModelVersion(name, 3);
    const filter = `name = '${name}'`;
    const orderBy = ["version_number ASC"];
    const first = await registry.searchModelVersions({ filter, orderBy, maxResults: 2 });
    const { nextPageToken: pageToken = "" } = first;
    const second = await registry.searchModelVersions({ filter, orderBy, maxResults: 2, pageToken });
    assertEquals([first, second].map(({ items }) => items.map(({ version }) => version)), [["1", "2"], ["4"]]);
    assertEquals(second.nextPageToken, undefined);
    assertEquals(first.items[1], await registry.getModelVersion(name, 2));
    const { items } = await registry.searchModelVersions({ filter, orderBy: ["version_number DESC"] });
    assertEquals(items.map(({ version }) => version), ["4", "2", "1"]);
  });

  testRegistry(suite, "searchModelVersions() leaves out versions of prompts", async ({ registry, name }) => {
    const tags = { "mlflow.prompt.is_prompt": "true" };
    await registry.createRegisteredModel(name, { tags });
    await registry.createModelVersion({ name, source: "dummy-source", tags });
    const found = async (filter: string) => (await registry.searchModelVersions({ filter })).items.length;
    assertEquals(await found(`name = '${name}'`), 0);
    assertEquals(await found(`name = '${name}' AND tags.\`mlflow.prompt.is_prompt\` = 'true'`), 1);
  });

  testRegistry(suite, "Searching refuses what MLflow does not understand", async ({ registry }) => {
    const refused = "INVALID_PARAMETER_VALUE";
    for (const filter of ["name =", "description = 'x'", "name > 'a'", "name = 'a' OR name = 'b'"]) {
      await assertRefused(() => registry.searchRegisteredModels({ filter }), refused);
      await assertRefused(() => registry.searchModelVersions({ filter }), refused);
    }
    await assertRefused(() => registry.searchRegisteredModels({ orderBy: ["description"] }), refused);
    await assertRefused(() => registry.searchModelVersions({ orderBy: ["run_id"] }), refused);
    await assertRefused(() => registry.searchRegisteredModels({ maxResults: 1001 }), refused);
    await assertRefused(() => registry.searchRegisteredModels({ pageToken: "no token" }), refused);
  });
}

/** Makes the models "…-a", "…-b" and "…-c", and the prompt "…-p". */
async function makeModels({ registry, name }: Fixture): Promise<void> {
  await registry.createRegisteredModel(`${name}-a`, { tags: { team: "x", "a-b": "1" } });
  await registry.createRegisteredModel(`${name}-b`, { tags: { team: "x" } });
  await registry.createRegisteredModel(`${name}-c`, { tags: { team: "y" } });
  await registry.createRegisteredModel(`${name}-p`, { tags: { "mlflow.prompt.is_prompt": "true" } });
}

/** Makes four versions: two each of two models. */
async function makeVersions(fixture: Fixture) {
  const { registry, name } = fixture;
  await fixture.register(2);
  await registry.setModelVersionTag(name, 2, "checked", "yes");
  const model = await fixture.logModel("other");
  for (let made = 0; made < 2; made++) {
    await registry.createModelVersion({ name, source: `models:/${model.modelId}`, modelId: model.modelId });
  }
  return model;
}
