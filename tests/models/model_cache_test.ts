// All tests that say where models are kept, one after the other: the environment is one for all files.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ChatModelError } from "@chatmodel/chat-model";
import { downloadModel, getModelInfo, loadModel, logModel } from "@chatmodel/chat-model/models";
import { closeTracking, setTrackingUri, startRun, TrackingError } from "@chatmodel/chat-model/tracking";
import { answer, authorFolder, namesIn } from "./_models.ts";
import { type MlflowServer, MODEL_ID, RUN_ID, startMlflowServer } from "./_mlflow_server.ts";

const FILES = `0/models/${MODEL_ID}/artifacts`;

interface Logged {
  readonly server: MlflowServer;
  readonly uri: string;
  /** Where downloads are kept. */
  readonly cache: string;
  /** The author's folder. */
  readonly author: string;
  /** How often the server was asked for a file since this was called last. */
  downloads(file?: string): number;
}

/** A model on a server, which is not on this machine yet. */
async function withLogged(test: (logged: Logged) => Promise<void>): Promise<void> {
  await using server = startMlflowServer();
  await using author = await authorFolder();
  Deno.env.set("CHATMODEL_CACHE", join(author.path, "cache"));
  setTrackingUri(server.url);
  try {
    const { modelUri, warnings } = await logModel({
      name: "teller",
      model: join(author.path, "model.ts"),
      artifacts: { prompt: join(author.path, "prompt.txt") },
    });
    assertEquals(warnings, []);
    assertEquals(modelUri, `models:/${MODEL_ID}`);
    const downloads = (file = "src/model.ts") =>
      server.asked.splice(0).filter((line) => line.startsWith("GET ") && line.endsWith(`${FILES}/${file}`)).length;
    downloads();
    await test({ server, uri: modelUri, cache: join(author.path, "cache/models"), author: author.path, downloads });
  } finally {
    await closeTracking();
    setTrackingUri("");
    Deno.env.delete("CHATMODEL_CACHE");
  }
}

const ANSWER = "Hello Hi Be kind 0=0 prompt 1";

Deno.test("loadModel() downloads a model of a server once, whoever asks for it later", () =>
  withLogged(async ({ server, uri, cache, downloads }) => {
    assertEquals(server.bodies.get(`PATCH logged-models/${MODEL_ID}`)?.["status"], "LOGGED_MODEL_READY");
    const first = await loadModel(uri);
    assertEquals([first.name, await answer(first)], ["teller", ANSWER]);
    assertEquals(downloads(), 1);
    assertEquals(await answer(await loadModel(uri)), ANSWER);
    const folder = await downloadModel(uri);
    assertEquals(downloads(), 0);
    assertEquals(await namesIn(cache), [folder.slice(cache.length + 1)]);
    assertEquals(await Deno.readFile(join(folder, "MLmodel")), server.files.get(`${FILES}/MLmodel`));
  }));

Deno.test("getModelInfo() fetches of a model on a server only what describes it", () =>
  withLogged(async ({ server, uri, cache }) => {
    server.asked.splice(0);
    assertEquals((await getModelInfo(uri)).modelId, MODEL_ID);
    assertEquals(server.asked.filter((line) => line.includes("mlflow-artifacts")), [
      `GET /api/2.0/mlflow-artifacts/artifacts/${FILES}/MLmodel`,
    ]);
    assertEquals(await namesIn(cache), []);
  }));

Deno.test("loadModel() downloads anew what was damaged since", () =>
  withLogged(async ({ uri, downloads }) => {
    const folder = await downloadModel(uri);
    downloads();
    const damages: (() => Promise<void>)[] = [
      () => Deno.writeTextFile(join(folder, "src/lib/greeting.ts"), 'export const GREETING = "Hacked";\n'),
      () => Deno.writeTextFile(join(folder, "src/extra.ts"), "export {};\n"),
      () => Deno.remove(join(folder, "artifacts/prompt.txt")),
      () => Deno.writeTextFile(join(folder, "MLmodel"), "flavors: {}\n"),
      () => Deno.remove(join(folder, "MLmodel")),
    ];
    for (const damage of damages) {
      await damage();
      assertEquals(await answer(await loadModel(uri)), ANSWER);
      assertEquals(downloads(), 1);
      assertEquals(await answer(await loadModel(uri)), ANSWER);
      assertEquals(downloads(), 0);
    }
  }));

Deno.test("loadModel() refuses what is not what was saved on the server itself, until that is mended", () =>
  withLogged(async ({ server, uri }) => {
    const path = `${FILES}/src/lib/greeting.ts`;
    const right = server.files.get(path) ?? new Uint8Array();
    server.files.set(path, new TextEncoder().encode('export const GREETING = "Hacked";\n'));
    for (let times = 0; times < 2; times++) {
      const error = await assertRejects(() => loadModel(uri), ChatModelError, '"src/lib/greeting.ts" was changed');
      assertEquals(error.code, "model_changed");
    }
    server.files.set(path, right);
    assertEquals(await answer(await loadModel(uri)), ANSWER);
  }));

Deno.test("loadModel() that is aborted while it downloads leaves nothing in the cache", () =>
  withLogged(async ({ uri, cache }) => {
    const controller = new AbortController();
    const reason = new Error("No longer wanted");
    const seen: string[] = [];
    const error = await assertRejects(() =>
      loadModel(uri, {
        signal: controller.signal,
        onProgress: ({ path }) => {
          seen.push(path);
          controller.abort(reason);
        },
      })
    );
    assertEquals(error, reason);
    assert(seen.length > 0);
    assertEquals(await namesIn(cache), []);
    assertEquals(await answer(await loadModel(uri)), ANSWER);
  }));

Deno.test("loadModel() by many at once gives all of them the model, from one copy", () =>
  withLogged(async ({ uri, cache }) => {
    const models = await Promise.all(Array.from({ length: 5 }, () => loadModel(uri)));
    for (const model of models) assertEquals(await answer(model), ANSWER);
    assertEquals((await namesIn(cache)).length, 1);
  }));

Deno.test("logModel() marks a model as failed where its upload fails", async () => {
  await using author = await authorFolder();
  await using server = startMlflowServer();
  setTrackingUri(server.url);
  try {
    const artifacts = { prompt: join(author.path, "missing.txt") };
    const options = { name: "teller", model: join(author.path, "model.ts"), artifacts };
    await assertRejects(() => logModel(options), ChatModelError);
    const body = server.bodies.get(`PATCH logged-models/${MODEL_ID}`);
    assertStringIncludes(String(body?.["status"]), "FAILED");
    assertEquals(server.files.size, 0);
  } finally {
    await closeTracking();
    setTrackingUri("");
  }
});

Deno.test("logModel() puts the model among the run's artifacts where the server knows no logged models", async () => {
  await using server = startMlflowServer({ hasLoggedModels: false });
  await using author = await authorFolder({ "cache/keep": "" });
  Deno.env.set("CHATMODEL_CACHE", join(author.path, "cache"));
  setTrackingUri(server.url);
  try {
    const model = join(author.path, "model.ts");
    const info = await startRun(() =>
      logModel({ name: "teller", model, modelConfig: { unit: "words" }, tags: { team: "search" } })
    );
    assertEquals(info.modelUri, `runs:/${RUN_ID}/teller`);
    assertEquals(info.modelId, undefined);
    assertEquals(info.runId, RUN_ID);
    assertEquals(info.warnings.length, 1);
    assertStringIncludes(info.warnings[0] ?? "", "too old for logged models: tags");
    const folder = `0/${RUN_ID}/artifacts/teller`;
    assert(server.files.has(`${folder}/MLmodel`));
    assert(server.files.has(`${folder}/src/lib/greeting.ts`));
    assertEquals(server.bodies.get("POST runs/log-batch")?.["params"], [{ key: "unit", value: "words" }]);
    const loaded = await loadModel(info.modelUri);
    assertEquals(loaded.name, "teller");
    assertEquals(await answer(loaded), "Hello Hi none 0=0  1");

    const outside = await assertRejects(() => logModel({ name: "teller", model }), TrackingError, "Log it in a run");
    assertEquals(outside.errorCode, "ENDPOINT_NOT_FOUND");
    for (const name of ["..", "a/b", ""]) {
      const error = await assertRejects(() => startRun(() => logModel({ name, model })), TrackingError, "its name");
      assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    }
  } finally {
    await closeTracking();
    setTrackingUri("");
    Deno.env.delete("CHATMODEL_CACHE");
  }
});
