/**
 * The tutorial's path, in the store that the environment names: logs, registers, gives aliases, loads and asks.
 * Prints as JSON what it made, for the checks in Python.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { loadModel, logModel } from "../models/mod.ts";
import { openModelRegistry } from "../registry/mod.ts";
import {
  closeTracking,
  getTrackingStore,
  logMetric,
  logParams,
  setExperiment,
  setTag,
  startRun,
} from "../tracking/mod.ts";

const EXAMPLES = join(import.meta.dirname ?? "", "../examples");
const inputExample = { messages: [{ role: "user", content: "Hello, how are you?" }] };

const experiment = await setExperiment("chatmodel-quickstart");
const { info, runId } = await startRun({ runName: "tutorial" }, async (run) => {
  await logParams({ base_model: "llama3.2:1b", temperature: 0.5 });
  await logMetric("accuracy", 0.75, { step: 1 });
  await logMetric("accuracy", 0.875, { step: 2 });
  await setTag("stage", "tutorial");
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
{
  await using registry = openModelRegistry();
  await registry.setAlias("assistant", "champion", info.registeredModelVersion ?? "");
}

const model = await loadModel("models:/assistant@champion");
const response = await model.predict({
  messages: [{ role: "user", content: "What is MLflow?" }],
  max_tokens: 25,
  custom_inputs: { seed: "321" },
});
assertMatch(response.choices[0]?.message.content ?? "", /scripted model|Hello/);
for (const uri of [info.modelUri, `runs:/${runId}/ollama_model`, "models:/assistant/1", "models:/assistant/latest"]) {
  const again = await loadModel(uri);
  const { choices } = await again.predict({ messages: [{ role: "user", content: "Hi" }] });
  assertEquals(choices.length, 1, uri);
}

const custom = await logModel({
  name: "ollama_custom_model",
  model: join(EXAMPLES, "ollama_custom_model.ts"),
  inputExample: [inputExample, { max_tokens: 25, temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123 }],
});
const logged = await getTrackingStore().getLoggedModel(custom.modelId ?? "");
assertEquals(logged.status, "READY");

// deno-lint-ignore no-console -- read by run.ts
console.log(JSON.stringify({
  experiment_id: experiment.experimentId,
  run_id: runId,
  model_id: info.modelId,
  model_uri: info.modelUri,
  version: info.registeredModelVersion,
  custom_uri: custom.modelUri,
}));
await closeTracking();
