import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { DatabaseSync } from "node:sqlite";
import { ChatModelError } from "@chatmodel/chat-model";
import { downloadModel, getModelInfo, loadModel, logModel, type LogModelOptions } from "@chatmodel/chat-model/models";
import { openModelRegistry } from "@chatmodel/chat-model/registry";
import { activeRun, startRun, TrackingError } from "@chatmodel/chat-model/tracking";
import { newTracking, type Tracking } from "../tracking/fluent/support.ts";
import { answer, ask, authorFolder, filesBelow, namesIn, noteCalls } from "./_models.ts";

async function modelsOf({ store }: Tracking) {
  return (await store.searchLoggedModels({ experimentIds: ["0"] })).items;
}

Deno.test("logModel() in a run logs a model that is ready, linked, and loads by its URI", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const info = await startRun(async (run) => {
    await run.store.logBatch(run.info.runId, { params: { seed: "7" }, tags: { owner: "me" } });
    return await logModel({
      name: "teller",
      model: join(author.path, "model.ts"),
      artifacts: { prompt: join(author.path, "prompt.txt") },
      modelConfig: { retrieval: { limit: 5, method: "dense" }, strict: true, unit: "words" },
      tags: { team: "search" },
      params: { size: "1b" },
      modelType: "assistant",
      metadata: { note: "first" },
    });
  });

  const { modelId = "", runId = "" } = info;
  assertEquals(info.modelUri, `models:/${modelId}`);
  assertEquals(info.experimentId, "0");
  assertEquals(info.warnings, []);
  assertEquals(info.registeredModelVersion, undefined);
  const model = await tracking.store.getLoggedModel(modelId);
  assertEquals(model.status, "READY");
  assertEquals(model.name, "teller");
  assertEquals(model.modelType, "assistant");
  assertEquals(model.sourceRunId, runId);
  assertEquals(model.params, { seed: "7", size: "1b" });
  assertEquals(model.tags["team"], "search");
  assertEquals(model.artifactLocation, info.artifactPath);

  const run = await tracking.store.getRun(runId);
  assertEquals(run.info.status, "FINISHED");
  assertEquals(run.outputs.models, [{ modelId, step: 0 }]);
  const logged = { "retrieval/limit": "5", "retrieval/method": "dense", strict: "true", unit: "words" };
  assertEquals(run.data.params, { seed: "7", ...logged });

  const { experimentId: _, registeredModelVersion: __, warnings: ___, ...told } = info;
  assertEquals(await getModelInfo(info.modelUri), told);
  assertEquals(told.metadata, { task: "agent/v1/chat", note: "first" });
  assertEquals(told.modelUuid, modelId);
  const loaded = await loadModel(info.modelUri);
  assertEquals(loaded.name, "teller");
  assertEquals(await answer(loaded), "Hello Hi Be kind 5=5 prompt 1");
});

Deno.test("logModel() outside of a run makes none", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const info = await logModel({ name: "teller", model: join(author.path, "model.ts"), modelConfig: { unit: "words" } });
  assertEquals(info.runId, undefined);
  assertEquals(await tracking.runs(), []);
  assertEquals((await modelsOf(tracking)).map(({ status }) => status), ["READY"]);
  assertEquals(await answer(await loadModel(info.modelUri)), "Hello Hi none 0=0  1");
});

Deno.test("logModel() warns where the run has a param of the configuration's name already", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const model = join(author.path, "model.ts");
  const { first, second, runId } = await startRun(async (run) => ({
    first: await logModel({ name: "a", model, modelConfig: { unit: "words", same: 1 } }),
    second: await logModel({ name: "b", model, modelConfig: { unit: "letters", same: 1, other: [1, 2] } }),
    runId: run.info.runId,
  }));
  assertEquals(first.warnings, []);
  assertEquals(second.warnings.length, 1);
  assertStringIncludes(second.warnings[0] ?? "", '"unit"');
  assertEquals((await tracking.store.getRun(runId)).data.params, { unit: "words", same: "1", other: "[1,2]" });
  assertEquals((await getModelInfo(second.modelUri)).modelConfig, { unit: "letters", same: 1, other: [1, 2] });
  assertEquals((await modelsOf(tracking)).map(({ status }) => status), ["READY", "READY"]);
});

Deno.test("logModel() warns where configuration is more than a param may hold, and logs the rest", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const { info, runId } = await startRun(async (run) => ({
    info: await logModel({
      name: "a",
      model: join(author.path, "model.ts"),
      modelConfig: { first: 1, prompt: "x".repeat(10_000), last: 2 },
    }),
    runId: run.info.runId,
  }));
  assertEquals(info.warnings.length, 1);
  assertStringIncludes(info.warnings[0] ?? "", '"prompt"');
  assert(!info.warnings[0]?.includes("xxx"));
  assertEquals((await tracking.store.getRun(runId)).data.params, { first: "1", last: "2" });
});

Deno.test("logModel() marks the model as failed where validation fails, and leaves no files", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  using noted = noteCalls();
  const options = { name: "teller", model: join(author.path, "model.ts"), inputExample: ask("Fail") };
  await assertRejects(() => logModel({ ...options, validate: "predict" }), Error, "Model is broken");
  assertEquals(noted.calls, ["import", "loadContext", "predict"]);
  const [model, ...others] = await modelsOf(tracking);
  assertEquals(others, []);
  assertEquals(model?.status, "FAILED");
  assertEquals(await namesIn(join(model?.artifactLocation ?? "", "..")), []);
  // Without being called, it is logged.
  await logModel(options);
  assertEquals((await modelsOf(tracking)).map(({ status }) => status).sort(), ["FAILED", "READY"]);
  // What the model said may hold anything: it is for the caller alone.
  assertEquals(model?.tags["chatmodel.failure"], "The model's code failed with Error");
});

Deno.test("logModel() refuses what is wrong at first sight before there is a logged model", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const model = join(author.path, "model.ts");
  const good = { name: "teller", model };
  const cases: [options: LogModelOptions, code: string, message: string][] = [
    [{ ...good, model: join(author.path, "missing.ts") }, "invalid_model_file", "there is no such file"],
    [{ ...good, modelConfig: join(author.path, "missing.yaml") }, "invalid_model_config", "there is no such file"],
    [{ ...good, modelConfig: { limit: NaN } }, "invalid_model_config", '"limit"'],
    [{ ...good, metadata: { note: Infinity } }, "invalid_value", '"metadata.note": is Infinity'],
    [{ ...good, registeredModelName: "bad/name" }, "invalid_parameter_value", 'the name "bad/name" holds "/"'],
    [{ ...good, name: " " }, "invalid_parameter_value", "not empty"],
    [{ ...good, permissions: { read: [""] } }, "invalid_permissions", "read"],
  ];
  for (const [options, code, message] of cases) {
    const error = await assertRejects(() => startRun(() => logModel(options)), ChatModelError, message);
    assertEquals(error.code, code);
  }
  assertEquals(await modelsOf(tracking), []);
  for (const { outputs } of await tracking.runs()) assertEquals(outputs.models, []);
});

Deno.test({
  name: "logModel() refuses to begin where it may not run Deno",
  permissions: { run: false, read: true, write: true, env: true, sys: true, net: ["127.0.0.1"] },
  async fn() {
    await using tracking = await newTracking();
    await using author = await authorFolder();
    const options = { name: "teller", model: join(author.path, "model.ts") };
    const error = await assertRejects(() => logModel(options), ChatModelError, "--allow-run");
    assertEquals(error.code, "permission_denied");
    assertEquals(await modelsOf(tracking), []);
  },
});

Deno.test("logModel() notes why a model failed that refuses its example", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const options = { name: "teller", model: join(author.path, "model.ts"), inputExample: { messages: "Hi" } };
  const error = await assertRejects(() => logModel(options), ChatModelError, "messages");
  const [model] = await modelsOf(tracking);
  assertEquals(model?.status, "FAILED");
  assertEquals(model?.tags["chatmodel.failure"], error.message);
  const { modelId = "" } = model ?? {};
  const uri = `models:/${modelId}`;
  for (const read of [loadModel, getModelInfo, downloadModel]) {
    const refused = await assertRejects(() => read(uri), ChatModelError);
    assertEquals(refused.message, `Cannot load model "${uri}": its status is "FAILED" (${error.message}). Log it anew`);
    assertEquals([refused.status, refused.code], [404, "model_not_found"]);
  }
  const pending = await tracking.store.createLoggedModel({ experimentId: "0", name: "pending" });
  await assertRejects(() => loadModel(`models:/${pending.modelId}`), ChatModelError, '"PENDING"');
});

Deno.test("logModel() removes the files of a log that was killed, into whichever model", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const options = { name: "teller", model: join(author.path, "model.ts") };
  const models = join((await logModel(options)).artifactPath ?? "", "..", "..");
  const left = join(models, `.artifacts.${2 ** 22 + 1}.0123abcd.tmp`);
  await Deno.mkdir(left);
  const time = new Date(Date.now() - 3_600_000);
  await Deno.utime(left, time, time);
  const { modelId = "" } = await logModel(options);
  const names = await namesIn(models);
  assertEquals(names.length, 2);
  assert(names.includes(modelId));
  assertEquals((await modelsOf(tracking)).length, 2);
});

Deno.test("logModel() that is aborted leaves no files, and before it begins no model", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder({
    "slow.ts": `import { ChatModel } from "@chatmodel/chat-model";
export default class extends ChatModel {
  override predict(): Promise<string> {
    Reflect.get(globalThis, "chatModelTestReached")();
    return new Promise(() => {});
  }
}
`,
  });
  const options = { name: "slow", model: join(author.path, "slow.ts"), validate: "predict" } as const;
  const reason = new Error("No longer wanted");
  const early = await assertRejects(() => logModel({ ...options, signal: AbortSignal.abort(reason) }));
  assertEquals(early, reason);
  assertEquals(await modelsOf(tracking), []);

  const controller = new AbortController();
  Reflect.set(globalThis, "chatModelTestReached", () => controller.abort(reason));
  try {
    assertEquals(await assertRejects(() => logModel({ ...options, signal: controller.signal })), reason);
  } finally {
    Reflect.deleteProperty(globalThis, "chatModelTestReached");
  }
  const [model] = await modelsOf(tracking);
  assertEquals(model?.status, "FAILED");
  assertEquals((await filesBelow(tracking.folder)).filter((path) => !path.startsWith("mlflow.db")), []);
});

Deno.test("logModel() refuses a name with characters that URIs need", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const error = await assertRejects(
    () => logModel({ name: "a/b", model: join(author.path, "model.ts") }),
    TrackingError,
  );
  assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
  assertEquals(await modelsOf(tracking), []);
});

Deno.test("loadModel() and logModel() in a run do not draw handlers of a server into it", async () => {
  await using _tracking = await newTracking();
  await using author = await authorFolder();
  const model = join(author.path, "model.ts");
  const seen: unknown[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    seen.push(activeRun()?.info.runId);
    return new Response();
  });
  const look = async () => await (await fetch(`http://127.0.0.1:${server.addr.port}`)).body?.cancel();
  await startRun(async (run) => {
    const { modelUri } = await logModel({ name: "teller", model });
    await look();
    await loadModel(modelUri);
    await look();
    assertEquals(activeRun()?.info.runId, run.info.runId);
  });
  assertEquals(seen, [undefined, undefined]);
});

Deno.test("loadModel() takes every form of URI that a store knows", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const model = join(author.path, "model.ts");
  const first = await startRun(() => logModel({ name: "teller", model, registeredModelName: "assistant" }));
  await Deno.writeTextFile(join(author.path, "lib/greeting.ts"), 'export const GREETING = "Bonjour";\n');
  const second = await logModel({ name: "conteur", model, registeredModelName: "assistant" });
  assertEquals([first.registeredModelVersion, second.registeredModelVersion], ["1", "2"]);
  {
    await using registry = openModelRegistry(tracking.uri);
    await registry.setAlias("assistant", "champion", "1");
  }
  {
    using database = new DatabaseSync(join(tracking.folder, "mlflow.db"));
    database.exec("UPDATE model_versions SET current_stage = 'Production' WHERE version = 1");
  }
  const cases: [uri: string, name: string, greeting: string][] = [
    ["models:/assistant/1", "assistant", "Hello"],
    ["models:/assistant/2", "assistant", "Bonjour"],
    ["models:/assistant/latest", "assistant", "Bonjour"],
    ["models:/assistant@champion", "assistant", "Hello"],
    ["models:/assistant/Production", "assistant", "Hello"],
    [first.modelUri, "teller", "Hello"],
    [second.modelUri, "conteur", "Bonjour"],
    [`runs:/${first.runId}/teller`, "teller", "Hello"],
    [first.artifactPath ?? "", "teller", "Hello"],
  ];
  for (const [uri, name, greeting] of cases) {
    const loaded = await loadModel(uri);
    assertEquals(loaded.name, name, uri);
    assertEquals(await answer(loaded), `${greeting} Hi none 0=0  1`, uri);
    const info = await getModelInfo(uri);
    assertEquals([info.modelUri, info.modelId], [uri, (greeting === "Hello" ? first : second).modelId]);
    assertEquals((await namesIn(await downloadModel(uri))).includes("MLmodel"), true, uri);
  }
  assertEquals((await loadModel("models:/assistant/1", { name: "other" })).name, "other");
});

Deno.test("loadModel() says what there is in place of a model that is missing", async () => {
  await using _tracking = await newTracking();
  await using author = await authorFolder();
  const { runId } = await startRun(() =>
    logModel({ name: "teller", model: join(author.path, "model.ts"), registeredModelName: "assistant" })
  );
  for (
    const [uri, text] of [
      ["models:/missing/1", "missing"],
      ["models:/assistant/7", "7"],
      ["models:/assistant@nobody", "nobody"],
      ["models:/m-00000000000000000000000000000000", "m-00000000000000000000000000000000"],
      [`runs:/${runId}/other`, 'It has the models "teller"'],
    ] as const
  ) {
    const error = await assertRejects(() => loadModel(uri), TrackingError, text);
    assertEquals(error.status, 404, `${uri}: ${error.message}`);
  }
});

Deno.test("logModel() takes artifacts of a run, of a logged model, and of a logged model by its run", async () => {
  await using tracking = await newTracking();
  await using author = await authorFolder();
  const model = join(author.path, "model.ts");
  const { runId, first } = await startRun(async (run) => {
    await run.store.artifacts(run.info.artifactUri).put("prompts/system.txt", new TextEncoder().encode("From a run"));
    return { runId: run.info.runId, first: await logModel({ name: "first", model }) };
  });
  const { modelUri } = await logModel({
    name: "second",
    model,
    artifacts: { prompt: `runs:/${runId}/prompts/system.txt`, base: first.modelUri, again: `runs:/${runId}/first` },
  });
  assertEquals(await answer(await loadModel(modelUri)), "Hello Hi From a run 0=0 again+base+prompt 1");
  const { artifacts } = await getModelInfo(modelUri);
  const folder = await downloadModel(modelUri);
  for (const name of ["base", "again"]) {
    assert((await namesIn(join(folder, artifacts[name]?.path ?? ""))).includes("MLmodel"), name);
  }
  const error = await assertRejects(
    () => logModel({ name: "third", model, artifacts: { prompt: `runs:/${runId}/missing.txt` } }),
    TrackingError,
    "missing.txt",
  );
  assertEquals(error.errorCode, "RESOURCE_DOES_NOT_EXIST");
  assert(!error.message.includes("Cannot find model"), error.message);
  assertEquals((await modelsOf(tracking)).map(({ status }) => status).sort(), ["FAILED", "READY", "READY"]);
});
