// deno run --allow-net=127.0.0.1 --allow-read --allow-write=. --allow-env --allow-run examples/tutorial_3_custom_model.ts
// deno-lint-ignore-file no-console -- a script talks to its user
import { getModelInfo, loadModel, logModel } from "@chatmodel/chat-model/models";
import { closeTracking, setExperiment, startRun } from "@chatmodel/chat-model/tracking";

await setExperiment("chatmodel-quickstart");

const input = { messages: [{ role: "user", content: "Hello, how are you?" }] };
const info = await startRun(() =>
  logModel({
    name: "ollama_custom_model",
    model: `${import.meta.dirname}/ollama_custom_model.ts`,
    // Signature and params follow from the example: the values are the params' defaults.
    inputExample: [input, { max_tokens: 25, temperature: 0.5, top_p: 0.5, stop: ["\n"], seed: 123 }],
  })
);
console.log(`Logged ${info.modelUri}`);
console.log((await getModelInfo(info.modelUri)).signature?.params);

const model = await loadModel(info.modelUri, { kind: "custom" });
// Params come beside the input. What is not given has the example's value.
const answer = await model.predict({ messages: [{ role: "user", content: "What is MLflow?" }] }, { max_tokens: 30 });
console.log(JSON.stringify(answer, null, 2));
await closeTracking();
