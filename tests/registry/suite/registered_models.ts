import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertRefused, type Suite, testRegistry } from "./support.ts";

/** Registered models and their aliases: all but searching. */
export function registeredModelTests(suite: Suite): void {
  testRegistry(suite, "createRegisteredModel() makes a model that is found by its name", async ({ registry, name }) => {
    const model = await registry.createRegisteredModel(name, { description: "Answers é", tags: { team: "x" } });
    assertEquals([model.name, model.description, model.tags], [name, "Answers é", { team: "x" }]);
    assertEquals([model.aliases, model.latestVersions], [{}, []]);
    assertEquals(model.creationTimestamp, model.lastUpdatedTimestamp);
    assertEquals(await registry.getRegisteredModel(name), model);
  });

  testRegistry(suite, "createRegisteredModel() refuses a name that is taken", async ({ registry, name }) => {
    await registry.createRegisteredModel(name);
    await assertRefused(() => registry.createRegisteredModel(name), "RESOURCE_ALREADY_EXISTS");
  });

  for (const [what, name] of [["empty", ""], ["of a path", "a/b"], ["of a URI", "a:b"], ["of the folder", ".."]]) {
    testRegistry(suite, `createRegisteredModel() refuses a name that is ${what}`, async ({ registry }) => {
      await assertRefused(() => registry.createRegisteredModel(name ?? ""), "INVALID_PARAMETER_VALUE");
    });
  }

  testRegistry(suite, "updateRegisteredModel() says what a model is for", async ({ registry, name }) => {
    const { lastUpdatedTimestamp } = await registry.createRegisteredModel(name);
    const model = await registry.updateRegisteredModel(name, "Answers");
    assertEquals(model.description, "Answers");
    assert(model.lastUpdatedTimestamp >= lastUpdatedTimestamp);
    assertEquals((await registry.getRegisteredModel(name)).description, "Answers");
  });

  testRegistry(suite, "renameRegisteredModel() takes versions, tags and aliases along", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(2);
    await registry.setRegisteredModelTag(name, "team", "x");
    await registry.setModelVersionTag(name, 2, "checked", "yes");
    await registry.setAlias(name, "champion", 1);
    const renamed = await registry.renameRegisteredModel(name, `${name}-new`);
    assertEquals(renamed.name, `${name}-new`);
    const model = await registry.getRegisteredModel(`${name}-new`);
    assertEquals([model.tags, model.aliases], [{ team: "x" }, { champion: "1" }]);
    assertEquals((await registry.getModelVersion(model.name, 2)).tags, { checked: "yes" });
    assertEquals((await registry.getModelVersionByAlias(model.name, "champion")).version, "1");
    await assertRefused(() => registry.getRegisteredModel(name), "RESOURCE_DOES_NOT_EXIST");
  });

  testRegistry(suite, "renameRegisteredModel() refuses a name that is taken or not allowed", async (fixture) => {
    const { registry, name } = fixture;
    await registry.createRegisteredModel(name);
    await registry.createRegisteredModel(`${name}-other`);
    await assertRefused(() => registry.renameRegisteredModel(name, `${name}-other`), "RESOURCE_ALREADY_EXISTS");
    await assertRefused(() => registry.renameRegisteredModel(name, "a/b"), "INVALID_PARAMETER_VALUE");
  });

  testRegistry(suite, "deleteRegisteredModel() removes a model with its versions and aliases", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(1);
    await registry.setAlias(name, "champion", 1);
    await registry.setModelVersionTag(name, 1, "checked", "yes");
    await registry.deleteRegisteredModel(name);
    await assertRefused(() => registry.getRegisteredModel(name), "RESOURCE_DOES_NOT_EXIST");
    await assertRefused(() => registry.getModelVersion(name, 1), "RESOURCE_DOES_NOT_EXIST");
    const anew = await registry.createRegisteredModel(name);
    assertEquals([anew.aliases, anew.latestVersions], [{}, []]);
  });

  testRegistry(
    suite,
    "setRegisteredModelTag() adds and replaces, deleteRegisteredModelTag() removes",
    async (fixture) => {
      const { registry, name } = fixture;
      await registry.createRegisteredModel(name, { tags: { a: "1" } });
      await registry.setRegisteredModelTag(name, "a", "2");
      await registry.setRegisteredModelTag(name, "b", "é");
      assertEquals((await registry.getRegisteredModel(name)).tags, { a: "2", b: "é" });
      await registry.deleteRegisteredModelTag(name, "a");
      await registry.deleteRegisteredModelTag(name, "a");
      assertEquals((await registry.getRegisteredModel(name)).tags, { b: "é" });
    },
  );

  testRegistry(suite, "setRegisteredModelTag() refuses keys and values that are too long", async (fixture) => {
    const { registry, name } = fixture;
    await registry.createRegisteredModel(name);
    const refused = "INVALID_PARAMETER_VALUE";
    await assertRefused(() => registry.setRegisteredModelTag(name, "k".repeat(251), "v"), refused);
    await assertRefused(() => registry.setRegisteredModelTag(name, "k", "v".repeat(100_001)), refused);
    await registry.setRegisteredModelTag(name, "k", "v".repeat(100_000));
    assertEquals((await registry.getRegisteredModel(name)).tags["k"]?.length, 100_000);
  });

  testRegistry(suite, "setAlias() lets an alias stand for one version at a time", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(2);
    await registry.setAlias(name, "champion", 1);
    await registry.setAlias(name, "old_1-a", "1");
    await registry.setAlias(name, "champion", 2);
    assertEquals((await registry.getRegisteredModel(name)).aliases, { champion: "2", "old_1-a": "1" });
    assertEquals((await registry.getModelVersion(name, 1)).aliases, ["old_1-a"]);
    const version = await registry.getModelVersionByAlias(name, "champion");
    assertEquals([version.version, version.aliases], ["2", ["champion"]]);
  });

  for (const alias of ["latest", "Latest", "v1", "V12", "a b", "a.b", "a@b", ""]) {
    testRegistry(suite, `setAlias() refuses the alias "${alias}"`, async (fixture) => {
      await fixture.register(1);
      await assertRefused(() => fixture.registry.setAlias(fixture.name, alias, 1), "INVALID_PARAMETER_VALUE");
    });
  }

  testRegistry(suite, "setAlias() refuses a version that is not there", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(1);
    await assertRefused(() => registry.setAlias(name, "champion", 2), "RESOURCE_DOES_NOT_EXIST");
    await assertRefused(() => registry.setAlias(name, "champion", "one"), "INVALID_PARAMETER_VALUE");
  });

  testRegistry(suite, "deleteAlias() removes an alias, also twice", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(1);
    await registry.setAlias(name, "champion", 1);
    await registry.deleteAlias(name, "champion");
    await registry.deleteAlias(name, "champion");
    assertEquals((await registry.getRegisteredModel(name)).aliases, {});
  });

  testRegistry(
    suite,
    "getModelVersionByAlias() names the known aliases where there is no such one",
    async (fixture) => {
      const { registry, name } = fixture;
      await fixture.register(1);
      await registry.setAlias(name, "champion", 1);
      await registry.setAlias(name, "older", 1);
      const error = await assertRefused(
        () => registry.getModelVersionByAlias(name, "challenger"),
        "RESOURCE_DOES_NOT_EXIST",
      );
      assertEquals(error.status, 404);
      for (const word of ['"challenger"', '"champion"', '"older"']) assertStringIncludes(error.message, word);
    },
  );

  testRegistry(suite, "getModelVersionByAlias() reads latest as the latest version", async (fixture) => {
    await fixture.register(2);
    assertEquals((await fixture.registry.getModelVersionByAlias(fixture.name, "latest")).version, "2");
  });

  testRegistry(suite, "What is done with a registered model that is not there is refused", async (fixture) => {
    const { registry, name } = fixture;
    const { modelId } = await fixture.logModel();
    const gone = "RESOURCE_DOES_NOT_EXIST";
    await assertRefused(() => registry.getRegisteredModel(name), gone);
    await assertRefused(() => registry.updateRegisteredModel(name, "x"), gone);
    await assertRefused(() => registry.renameRegisteredModel(name, `${name}-new`), gone);
    await assertRefused(() => registry.deleteRegisteredModel(name), gone);
    await assertRefused(() => registry.getLatestVersions(name), gone);
    await assertRefused(() => registry.setRegisteredModelTag(name, "a", "b"), gone);
    await assertRefused(() => registry.deleteRegisteredModelTag(name, "a"), gone);
    await assertRefused(() => registry.setAlias(name, "champion", 1), gone);
    await assertRefused(() => registry.deleteAlias(name, "champion"), gone);
    await assertRefused(() => registry.getModelVersionByAlias(name, "champion"), gone);
    await assertRefused(() => registry.createModelVersion({ name, source: `models:/${modelId}`, modelId }), gone);
  });
}
