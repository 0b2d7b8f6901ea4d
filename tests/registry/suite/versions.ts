import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertRefused, type Suite, testRegistry } from "./support.ts";

/** Versions of registered models: all but searching. */
export function modelVersionTests(suite: Suite): void {
  testRegistry(suite, "createModelVersion() makes a version of a logged model", async (fixture) => {
    const { store, registry, name } = fixture;
    const { modelId, runId, artifactLocation } = await fixture.logModel();
    const before = await registry.createRegisteredModel(name);
    const source = `models:/${modelId}`;
    const version = await registry.createModelVersion({ name, source, description: "First", tags: { a: "é" } });
    assertEquals([version.name, version.version, version.source], [name, "1", source]);
    assertEquals([version.description, version.tags, version.aliases], ["First", { a: "é" }, []]);
    assertEquals([version.runId, version.modelId], [runId, modelId]);
    assertEquals([version.currentStage, version.status], ["None", "READY"]);
    assertEquals(version.creationTimestamp, version.lastUpdatedTimestamp);
    assertEquals(await registry.getModelVersion(name, 1), version);
    assertEquals(await registry.getModelVersionDownloadUri(name, 1), artifactLocation);
    const model = await registry.getRegisteredModel(name);
    assertEquals(model.latestVersions.map(({ version }) => version), ["1"]);
    assertEquals(model.lastUpdatedTimestamp, version.creationTimestamp);
    assert(model.lastUpdatedTimestamp >= before.creationTimestamp);
    const tag = (await store.getLoggedModel(modelId)).tags["mlflow.modelVersions"] ?? "";
    assertEquals(JSON.parse(tag), [{ name, version: 1 }]);
  });

  testRegistry(suite, "createModelVersion() counts on, and never gives a number twice", async (fixture) => {
    const { store, registry, name } = fixture;
    const { modelId } = await fixture.register(2);
    await registry.deleteModelVersion(name, 2);
    const { version } = await registry.createModelVersion({ name, source: `models:/${modelId}`, modelId });
    assertEquals(version, "3");
    const tag = (await store.getLoggedModel(modelId)).tags["mlflow.modelVersions"] ?? "";
    assertEquals(JSON.parse(tag), [1, 2, 3].map((version) => ({ name, version })));
  });

  testRegistry(suite, "createModelVersion() gives each of many at once a number of its own", async (fixture) => {
    const { registry, name } = fixture;
    const { modelId } = await fixture.register(0);
    const create = () => registry.createModelVersion({ name, source: `models:/${modelId}`, modelId });
    const versions = await Promise.all(Array.from({ length: 5 }, create));
    assertEquals(versions.map(({ version }) => version).sort(), ["1", "2", "3", "4", "5"]);
  });

  testRegistry(suite, "createModelVersion() takes another version as its source", async (fixture) => {
    const { registry, name } = fixture;
    const { artifactLocation } = await fixture.register(1);
    await registry.createRegisteredModel(`${name}-copy`);
    const source = `models:/${name}/1`;
    const copy = await registry.createModelVersion({ name: `${name}-copy`, source });
    assertEquals([copy.version, copy.source], ["1", source]);
    assertEquals(await registry.getModelVersionDownloadUri(copy.name, copy.version), artifactLocation);
  });

  testRegistry(suite, "createModelVersion() takes artifacts of a run as its source", async (fixture) => {
    const { registry, name } = fixture;
    const { runId } = await fixture.logModel();
    await registry.createRegisteredModel(name);
    const source = `runs:/${runId}/files`;
    const version = await registry.createModelVersion({ name, source, runId });
    assertEquals([version.source, version.runId, version.modelId], [source, runId, undefined]);
  });

  testRegistry(suite, "createModelVersion() refuses sources that are none", async (fixture) => {
    const { registry, name } = fixture;
    await registry.createRegisteredModel(name);
    const create = (source: string) => () => registry.createModelVersion({ name, source });
    await assertRefused(create(""), "INVALID_PARAMETER_VALUE");
    await assertRefused(create("mlflow-artifacts:/1/../2"), "INVALID_PARAMETER_VALUE");
    assertEquals((await registry.getRegisteredModel(name)).latestVersions, []);
  });

  testRegistry(suite, "updateModelVersion() says what is special about a version", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(1);
    assertEquals((await registry.updateModelVersion(name, "1", "Faster")).description, "Faster");
    assertEquals((await registry.getModelVersion(name, 1)).description, "Faster");
  });

  testRegistry(suite, "deleteModelVersion() removes a version and its aliases", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(3);
    await registry.setAlias(name, "champion", 2);
    await registry.setAlias(name, "older", 1);
    await registry.deleteModelVersion(name, 2);
    assertEquals((await registry.getRegisteredModel(name)).aliases, { older: "1" });
    const gone = "RESOURCE_DOES_NOT_EXIST";
    const error = await assertRefused(() => registry.getModelVersion(name, 2), gone);
    assertStringIncludes(error.message, "it has 1, 3");
    await assertRefused(() => registry.deleteModelVersion(name, 2), gone);
    await assertRefused(() => registry.getModelVersionDownloadUri(name, 2), gone);
    await assertRefused(() => registry.setModelVersionTag(name, 2, "a", "b"), gone);
    await assertRefused(() => registry.deleteModelVersionTag(name, 2, "a"), gone);
    await assertRefused(() => registry.updateModelVersion(name, 2, "x"), gone);
    await assertRefused(() => registry.transitionModelVersionStage(name, 2, "Staging"), gone);
  });

  testRegistry(suite, "getModelVersion() refuses what is no number", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(1);
    await assertRefused(() => registry.getModelVersion(name, "one"), "INVALID_PARAMETER_VALUE");
    await assertRefused(() => registry.getModelVersion(name, 1.5), "INVALID_PARAMETER_VALUE");
  });

  testRegistry(suite, "setModelVersionTag() adds and replaces, deleteModelVersionTag() removes", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(2);
    await registry.setModelVersionTag(name, 1, "a", "1");
    await registry.setModelVersionTag(name, 1, "a", "2");
    await registry.setModelVersionTag(name, 1, "b", "");
    assertEquals((await registry.getModelVersion(name, 1)).tags, { a: "2", b: "" });
    assertEquals((await registry.getModelVersion(name, 2)).tags, {});
    await registry.deleteModelVersionTag(name, 1, "a");
    await registry.deleteModelVersionTag(name, 1, "a");
    assertEquals((await registry.getModelVersion(name, 1)).tags, { b: "" });
  });

  testRegistry(
    suite,
    "transitionModelVersionStage() moves, getLatestVersions() has one of each stage",
    async (fixture) => {
      const { registry, name } = fixture;
      await fixture.register(4);
      await registry.transitionModelVersionStage(name, 1, "Production");
      const moved = await registry.transitionModelVersionStage(name, 2, "Production");
      assertEquals(moved.currentStage, "Production");
      const latest = async (...stages: ("None" | "Staging" | "Production")[]) =>
        (await registry.getLatestVersions(name, stages)).map(({ version, currentStage }) =>
          `${version} ${currentStage}`
        )
          .sort();
      assertEquals(await latest(), ["2 Production", "4 None"]);
      assertEquals(await latest("Production", "Staging"), ["2 Production"]);
      assertEquals((await registry.getModelVersion(name, 1)).currentStage, "Production");
    },
  );
}
