import { assertEquals, assertStringIncludes } from "@std/assert";
import { registerModel, resolveModelUri } from "@chatmodel/chat-model/registry";
import { assertRefused, type Suite, testRegistry } from "./support.ts";

/** URIs of models, over a registry and its store. */
export function resolveTests(suite: Suite): void {
  testRegistry(suite, "resolveModelUri() finds a logged model by its id", async (fixture) => {
    const { modelId, runId, artifactLocation } = await fixture.logModel();
    assertEquals(await resolveModelUri(`models:/${modelId}`, fixture), {
      artifactUri: artifactLocation,
      modelId,
      runId,
    });
    await assertRefused(() => resolveModelUri(`models:/m-${"0".repeat(32)}`, fixture), "RESOURCE_DOES_NOT_EXIST");
  });

  testRegistry(
    suite,
    "resolveModelUri() finds a version by number, alias, stage and as the latest",
    async (fixture) => {
      const { registry, name } = fixture;
      const { modelId, artifactLocation, runId } = await fixture.register(3);
      await registry.setAlias(name, "champion", 2);
      await registry.transitionModelVersionStage(name, 1, "Production");
      const common = { artifactUri: artifactLocation, modelId, runId, name };
      assertEquals(await resolveModelUri(`models:/${name}/2`, fixture), { ...common, version: "2" });
      assertEquals(await resolveModelUri(`models:/${name}@champion`, fixture), {
        ...common,
        version: "2",
        alias: "champion",
      });
      assertEquals(await resolveModelUri(`models:/${name}/Latest`, fixture), { ...common, version: "3" });
      assertEquals(await resolveModelUri(`models:/${name}/production`, fixture), { ...common, version: "1" });
    },
  );

  testRegistry(suite, "resolveModelUri() says what there is where something is missing", async (fixture) => {
    const { registry, name } = fixture;
    await fixture.register(2);
    await registry.setAlias(name, "champion", 2);
    const messages: readonly (readonly [uri: string, hint: string])[] = [
      [`models:/${name}@challenger`, '"champion"'],
      [`models:/${name}/7`, "1, 2"],
      [`models:/${name}/Staging`, '"None"'],
      [`models:/${name}-none/1`, `${name}-none`],
      [`models:/${name}-none/latest`, `${name}-none`],
    ];
    for (const [uri, hint] of messages) {
      const error = await assertRefused(() => resolveModelUri(uri, fixture), "RESOURCE_DOES_NOT_EXIST");
      assertStringIncludes(error.message, hint);
    }
    await registry.createRegisteredModel(`${name}-empty`);
    const error = await assertRefused(
      () => resolveModelUri(`models:/${name}-empty/latest`, fixture),
      "RESOURCE_DOES_NOT_EXIST",
    );
    assertStringIncludes(error.message, "it has none");
  });

  testRegistry(suite, "resolveModelUri() finds a run's artifacts before its logged models", async (fixture) => {
    const { store } = fixture;
    const { modelId, runId, artifactLocation } = await fixture.logModel("assistant");
    const uri = `runs:/${runId}/assistant`;
    assertEquals(await resolveModelUri(uri, fixture), { artifactUri: artifactLocation, modelId, runId });
    const { info } = await store.getRun(runId);
    await store.artifacts(info.artifactUri).put("assistant/MLmodel", new TextEncoder().encode("flavors: {}\n"));
    assertEquals(await resolveModelUri(uri, fixture), { artifactUri: `${info.artifactUri}/assistant`, runId });
  });

  testRegistry(suite, "resolveModelUri() names a run's models where there is none of a name", async (fixture) => {
    const { runId } = await fixture.logModel("assistant");
    const error = await assertRefused(
      () => resolveModelUri(`runs:/${runId}/other`, fixture),
      "RESOURCE_DOES_NOT_EXIST",
    );
    assertStringIncludes(error.message, '"assistant"');
    await assertRefused(() => resolveModelUri(`runs:/${"0".repeat(32)}/other`, fixture), "RESOURCE_DOES_NOT_EXIST");
  });

  testRegistry(suite, "resolveModelUri() leaves places of files as they are", async (fixture) => {
    for (const uri of ["mlflow-artifacts:/1/models/m-1/artifacts", "file:///models/a", "/models/a", "models/a"]) {
      assertEquals(await resolveModelUri(uri, fixture), { artifactUri: uri });
    }
  });

  testRegistry(suite, "resolveModelUri() follows versions to the source that they were made from", async (fixture) => {
    const { registry, name } = fixture;
    const { runId, artifactLocation } = await fixture.logModel("assistant");
    await registry.createRegisteredModel(name);
    await registry.createModelVersion({ name, source: `runs:/${runId}/assistant`, runId });
    await registry.createModelVersion({ name, source: `models:/${name}/1`, runId });
    for (const version of ["1", "2"]) {
      const found = await resolveModelUri(`models:/${name}/${version}`, fixture);
      assertEquals([found.artifactUri, found.version, found.runId], [artifactLocation, version, runId]);
    }
  });

  testRegistry(suite, "registerModel() makes the name and the next version", async (fixture) => {
    const { name } = fixture;
    const { modelId, runId } = await fixture.logModel("assistant");
    const first = await registerModel(`models:/${modelId}`, name, { ...fixture, tags: { a: "1" } });
    const second = await registerModel(`runs:/${runId}/assistant`, name, { ...fixture, description: "Again" });
    for (const version of [first, second]) {
      assertEquals([version.source, version.modelId, version.runId], [`models:/${modelId}`, modelId, runId]);
    }
    assertEquals([first.version, first.tags, second.version, second.description], ["1", { a: "1" }, "2", "Again"]);
  });

  testRegistry(suite, "registerModel() leaves no name behind for a model that is not there", async (fixture) => {
    const { registry, name } = fixture;
    const uri = `models:/m-${"0".repeat(32)}`;
    await assertRefused(() => registerModel(uri, name, fixture), "RESOURCE_DOES_NOT_EXIST");
    await assertRefused(() => registry.getRegisteredModel(name), "RESOURCE_DOES_NOT_EXIST");
  });
}
