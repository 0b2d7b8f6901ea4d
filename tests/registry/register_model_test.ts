import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { openModelRegistry, registerModel, resolveModelUri } from "@chatmodel/chat-model/registry";
import { openTrackingStore } from "@chatmodel/chat-model/tracking";
import { assertRefused } from "./suite/support.ts";
import { json, startFakeUpstream } from "../support/fake_upstream.ts";
import { RestRegistry } from "../../registry/rest_registry.ts";
import { testEnvironment } from "../tracking/_mlflow.ts";

/** A store in one folder, models in another. */
async function twoFolders() {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "chat_model_register_" }));
  const models = join(root, "models");
  for (const name of ["good", "empty", "odd"]) await Deno.mkdir(join(models, name), { recursive: true });
  await Deno.writeTextFile(join(models, "good", "MLmodel"), "flavors:\n  deno_function: {}\n");
  await Deno.writeTextFile(join(models, "odd", "MLmodel"), "[not: closed");
  await Deno.writeTextFile(join(models, "model.ts"), "export default 1;\n");
  await Deno.mkdir(join(root, "store"));
  const uri = `sqlite:///${root}/store/mlflow.db`;
  const store = openTrackingStore(uri);
  const registry = openModelRegistry(uri);
  return {
    models,
    store,
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

Deno.test("registerModel() notes a folder by its absolute path, whatever it was named by", async () => {
  await using place = await twoFolders();
  const { models, registry } = place;
  const good = join(models, "good");
  const before = Deno.cwd();
  // Also one of the same name beside the database, which it must not be taken for.
  await Deno.mkdir(join(models, "..", "store", "good"));
  await Deno.writeTextFile(join(models, "..", "store", "good", "MLmodel"), "flavors: {}\n");
  try {
    Deno.chdir(models);
    for (
      const [index, [uri, source]] of ([
        ["good", good],
        ["./empty/../good", good],
        [`${good}/`, good],
        [toFileUrl(good).href, toFileUrl(good).href],
        ["file:good", toFileUrl(good).href],
      ] as const).entries()
    ) {
      const { version } = await registerModel(uri, "assistant", place);
      assertEquals(version, String(index + 1));
      assertEquals((await registry.getModelVersion("assistant", version)).source, source, uri);
      const { artifactUri } = await resolveModelUri(`models:/assistant/${version}`, place);
      assertEquals(place.store.artifacts(artifactUri).localPath, good, uri);
    }
  } finally {
    Deno.chdir(before);
  }
});

for (
  const [uri, code, reason] of [
    ["nope", "RESOURCE_DOES_NOT_EXIST", "there is no such folder"],
    ["empty", "RESOURCE_DOES_NOT_EXIST", 'it has no file "MLmodel"'],
    ["odd", "INVALID_PARAMETER_VALUE", 'its file "MLmodel" describes no model'],
    ["model.ts", "INVALID_PARAMETER_VALUE", "it is a file, not a saved model's folder"],
  ] as const
) {
  Deno.test(`registerModel() refuses "${uri}", and leaves no empty name behind`, async () => {
    await using place = await twoFolders();
    const error = await assertRefused(() => registerModel(join(place.models, uri), "fresh", place), code);
    assertStringIncludes(error.message, reason);
    assertStringIncludes(error.message, `Cannot register model "${join(place.models, uri)}": `);
    assertEquals((await place.registry.searchRegisteredModels()).items, []);
  });
}

Deno.test("registerModel() refuses artifacts of a run that are no model", async () => {
  await using place = await twoFolders();
  const { store } = place;
  const { info } = await store.createRun({ experimentId: "0" });
  await store.artifacts(info.artifactUri).put("notes/a.txt", new TextEncoder().encode("a"));
  const uri = `runs:/${info.runId}/notes`;
  const error = await assertRefused(() => registerModel(uri, "fresh", place), "RESOURCE_DOES_NOT_EXIST");
  assertStringIncludes(error.message, 'it has no file "MLmodel"');
  await store.artifacts(info.artifactUri).put("notes/MLmodel", new TextEncoder().encode("flavors: {}\n"));
  assertEquals((await registerModel(uri, "fresh", place)).version, "1");
});

Deno.test("registerModel() refuses names and tags that cannot be before it looks for the model", async () => {
  await using place = await twoFolders();
  const good = join(place.models, "good");
  const named = await assertRefused(() => registerModel("nope", "bad/name", place), "INVALID_PARAMETER_VALUE");
  assertStringIncludes(named.message, 'the name "bad/name" holds "/"');
  await assertRefused(() => registerModel(good, "fresh", { ...place, tags: { "": "x" } }), "INVALID_PARAMETER_VALUE");
  assertEquals((await place.registry.searchRegisteredModels()).items, []);
});

Deno.test("registerModel() removes a name again that a server takes, and refuses the version of", async () => {
  await using place = await twoFolders();
  const model = { registered_model: { name: "fresh" } };
  const refused = { error_code: "INVALID_PARAMETER_VALUE", message: "Invalid model version source" };
  await using upstream = await startFakeUpstream([json(model), json(refused, { status: 400 }), json(model), json({})]);
  await using registry = new RestRegistry(upstream.url, {
    env: testEnvironment({ MLFLOW_HTTP_REQUEST_MAX_RETRIES: "0" }),
  });
  const { store } = place;
  const error = await assertRefused(
    () => registerModel(join(place.models, "good"), "fresh", { store, registry }),
    "INVALID_PARAMETER_VALUE",
  );
  assertStringIncludes(error.message, "Invalid model version source");
  assertEquals(
    upstream.requests.map(({ method, path }) => `${method} ${path.replace(/^.*mlflow\/|\?.*$/g, "")}`),
    [
      "POST registered-models/create",
      "POST model-versions/create",
      "GET registered-models/get",
      "DELETE registered-models/delete",
    ],
  );
});

Deno.test("registerModel() that is aborted leaves no name behind", async () => {
  await using place = await twoFolders();
  const reason = new Error("No longer wanted");
  const good = join(place.models, "good");
  const early = { ...place, signal: AbortSignal.abort(reason) };
  assertEquals(await assertRejects(() => registerModel(good, "fresh", early)), reason);
  // While the name is made, too.
  const controller = new AbortController();
  await using upstream = await startFakeUpstream([
    [{ wait: 100 }, ...json({ registered_model: { name: "fresh" } })],
    json({ registered_model: { name: "fresh" } }),
    json({}),
  ]);
  await using registry = new RestRegistry(upstream.url, { env: testEnvironment({}) });
  const late = { store: place.store, registry, signal: controller.signal };
  const registering = assertRejects(() => registerModel(good, "fresh", late));
  await upstream.requested(1);
  controller.abort(reason);
  assertEquals(await registering, reason);
  assertEquals(upstream.requests.map(({ method }) => method), ["POST", "GET", "DELETE"]);
  assertEquals((await place.registry.searchRegisteredModels()).items, []);
});
