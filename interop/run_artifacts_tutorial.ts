/**
 * The tutorial's path on a server of MLflow 2, which has no logged models: those are among the artifacts of a run.
 * Prints as JSON what it made, for the checks in Python.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { getModelInfo, loadModel, logModel } from "../models/mod.ts";
import { openModelRegistry, registerModel } from "../registry/mod.ts";
import {
  closeTracking,
  getTrackingStore,
  logMetric,
  logParams,
  logText,
  setExperiment,
  setTag,
  startRun,
  TrackingError,
} from "../tracking/mod.ts";

const EXAMPLES = join(import.meta.dirname ?? "", "../examples");
const inputExample = { messages: [{ role: "user", content: "Hello, how are you?" }] };

const experiment = await setExperiment("chatmodel-quickstart");
const { info, runId } = await startRun({ runName: "tutorial" }, async (run) => {
  await logParams({ base_model: "llama3.2:1b", temperature: 0.5 });
  await logMetric("accuracy", 0.75, { step: 1 });
  await logMetric("accuracy", 0.875, { step: 2 });
  await setTag("stage", "tutorial");
  await logText("hello", "notes/note.txt");
  const info = await logModel({
    name: "ollama_model",
    model: join(EXAMPLES, "ollama_model_with_metadata.ts"),
    inputExample,
    modelConfig: { greeting: "hello", nested: { a: 2 } },
    artifacts: { readme: join(EXAMPLES, "README.md") },
    registeredModelName: "assistant",
    tags: { team: "interop" },
  });
  return { info, runId: run.info.runId };
});
assertEquals(info.modelUri, `runs:/${runId}/ollama_model`);
assertEquals([info.modelId, info.registeredModelVersion], [undefined, "1"]);
assertMatch(info.warnings.join("\n"), /too old for logged models: tags$/m);

const store = getTrackingStore();
const { items } = await store.searchRuns({
  experimentIds: [experiment.experimentId],
  filter: "metrics.accuracy > 0.8 and params.temperature = '0.5'",
});
assertEquals(items.map((run) => run.info.runId), [runId]);
const artifacts = store.artifacts(items[0]?.info.artifactUri ?? "");
assertEquals((await artifacts.list()).map(({ path }) => path), ["notes", "ollama_model"]);
assertEquals(await new Response(await artifacts.get("notes/note.txt")).text(), "hello");
// It fails at what is not there, and at names that it cannot write into a header.
const missing = await assertRejects(() => artifacts.get("notes/none.txt"), TrackingError);
assertEquals(missing.errorCode, "RESOURCE_DOES_NOT_EXIST", missing.message);
await artifacts.put("odd/日.txt", new TextEncoder().encode("hello"));
const odd = await assertRejects(() => artifacts.get("odd/日.txt"), TrackingError);
assertMatch(odd.message, /cannot hand out names with other letters/);

{
  await using registry = openModelRegistry();
  // The same files under a second name, registered by their URI.
  const { version } = await registerModel(info.modelUri, "assistant", { store, registry });
  assertEquals(version, "2");
  await registry.setAlias("assistant", "champion", "1");
  const found = await registry.getModelVersionByAlias("assistant", "champion");
  assertEquals([found.version, found.runId, found.source], ["1", runId, info.artifactPath]);
}

const uris = [info.modelUri, "models:/assistant@champion", "models:/assistant/1", "models:/assistant/latest"];
for (const uri of uris) {
  const model = await loadModel(uri);
  const response = await model.predict({
    messages: [{ role: "user", content: "What is MLflow?" }],
    max_tokens: 25,
    custom_inputs: { seed: "321" },
  });
  assertMatch(response.choices[0]?.message.content ?? "", /scripted model|Hello/, uri);
  assertEquals((await getModelInfo(uri)).metadata, { task: "agent/v1/chat" }, uri);
}

const outside = await assertRejects(
  () => logModel({ name: "outside", model: join(EXAMPLES, "ollama_model_with_metadata.ts"), inputExample }),
  TrackingError,
);
assertMatch(outside.message, /too old for models outside of runs/);

// deno-lint-ignore no-console -- read by run.ts
console.log(JSON.stringify({
  experiment_id: experiment.experimentId,
  run_id: runId,
  model_uri: info.modelUri,
  version: info.registeredModelVersion,
}));
await closeTracking();
