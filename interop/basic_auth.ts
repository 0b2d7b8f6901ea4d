/**
 * Logs, lists and loads on a server that wants credentials, as the environment gives them: `basic_auth.ts works`. With
 * `basic_auth.ts refused PASSWORD HINT` it makes sure that the server takes none of this, and that all errors give the
 * hint and hide the password.
 */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { loadModel, logModel } from "../models/mod.ts";
import { openModelRegistry } from "../registry/mod.ts";
import { closeTracking, getTrackingStore, logText, setExperiment, startRun, TrackingError } from "../tracking/mod.ts";
import type { ChatCompletionRequest } from "../types/mod.ts";

const [mode, password = "", hint = ""] = Deno.args;
const MODEL = join(import.meta.dirname ?? "", "../examples/ollama_model_with_metadata.ts");
const request: ChatCompletionRequest = { messages: [{ role: "user", content: "Hello, how are you?" }] };
if (mode === "refused") await checkRefused();
else await logAndLoad();
await closeTracking();

async function logAndLoad(): Promise<void> {
  const experiment = await setExperiment("behind-a-password");
  const { info, artifactUri } = await startRun({ runName: "tutorial" }, async (run) => {
    const info = await logModel({ name: "ollama_model", model: MODEL, inputExample: request });
    await logText("hello", "note.txt");
    return { info, artifactUri: run.info.artifactUri };
  });
  const store = getTrackingStore();
  assert((await store.searchExperiments()).items.some(({ name }) => name === experiment.name));
  const { items } = await store.searchLoggedModels({ experimentIds: [experiment.experimentId] });
  assert(items.some(({ modelId }) => modelId === info.modelId));
  const files = await store.artifacts(artifactUri).list();
  assertEquals(files.map(({ path }) => path), ["note.txt"]);
  const model = await loadModel(info.modelUri);
  assertEquals((await model.predict(request)).object, "chat.completion");
}

async function checkRefused(): Promise<void> {
  assert(password !== "" && hint !== "");
  await using registry = openModelRegistry();
  const store = getTrackingStore();
  const actions: (() => Promise<unknown>)[] = [
    () => setExperiment("behind-a-password"),
    () => startRun(),
    () => logModel({ name: "ollama_model", model: MODEL, inputExample: request, experimentId: "1" }),
    () => store.searchExperiments(),
    () => store.artifacts("mlflow-artifacts:/1").list(),
    () => store.artifacts("mlflow-artifacts:/1").get("note.txt"),
    () => store.artifacts("mlflow-artifacts:/1").put("note.txt", new Uint8Array(3)),
    () => registry.searchRegisteredModels(),
    () => loadModel("models:/assistant@champion"),
  ];
  const secrets = [password, new TextEncoder().encode(password).toBase64().slice(0, -4)];
  for (const action of actions) {
    const error = await assertRejects(action, TrackingError);
    assertEquals(error.errorCode, "UNAUTHENTICATED", error.message);
    assertMatch(error.message, /^Cannot .*: MLflow at "http:.*" answers: You are not authenticated/);
    assertStringIncludes(error.message, hint);
    const all = Deno.inspect(error, { depth: 10 }) + JSON.stringify(error);
    assert(!secrets.some((secret) => all.includes(secret)), "the password shows");
  }
}
