/**
 * Logs, lists and loads on a server that wants credentials, as the environment gives them. With the argument `refused`
 * it makes sure that the server takes none of this, and that the errors help and hide the password.
 *
 * Prints what it made or the first error's message.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { loadModel, logModel } from "../models/mod.ts";
import { openModelRegistry } from "../registry/mod.ts";
import { closeTracking, getTrackingStore, setExperiment, startRun, TrackingError } from "../tracking/mod.ts";

const [mode, password = ""] = Deno.args;
if (password === "") throw new Error("The password that must not show is missing");
const MODEL = join(import.meta.dirname ?? "", "../examples/ollama_model_with_metadata.ts");
const request = { messages: [{ role: "user", content: "Hello, how are you?" }] };
// deno-lint-ignore no-console -- read by run.ts
const print = (text: string) => console.log(text);
if (mode === "refused") await checkRefused();
else print(await logAndLoad());
await closeTracking();

async function logAndLoad(): Promise<string> {
  const experiment = await setExperiment("behind-a-password");
  const { info, artifactUri } = await startRun({ runName: "tutorial" }, async (run) => {
    const info = await logModel({ name: "ollama_model", model: MODEL, inputExample: request });
    await run.logText("hello", "note.txt");
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
  return info.modelUri;
}

async function checkRefused(): Promise<void> {
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
    assert(error.status === 401 || error.status === 403, error.message);
    assert(/You are not authenticated|[Pp]ermission denied/.test(error.message), error.message);
    const all = Deno.inspect(error, { depth: 10 }) + JSON.stringify(error);
    assert(!secrets.some((secret) => all.includes(secret)), "the password shows");
    print(error.message);
  }
}
