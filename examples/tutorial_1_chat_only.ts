// deno run --allow-net=127.0.0.1 --allow-read --allow-write=. --allow-env --allow-run examples/tutorial_1_chat_only.ts
// deno-lint-ignore-file no-console -- a script talks to its user
import { loadModel, logModel } from "@chatmodel/chat-model/models";
import { closeTracking, setExperiment, startRun } from "@chatmodel/chat-model/tracking";

await setExperiment("chatmodel-quickstart");

// The model is logged as code, with an example of what it takes.
const info = await startRun(() =>
  logModel({
    name: "ollama_model",
    model: `${import.meta.dirname}/simple_ollama_model.ts`,
    inputExample: { messages: [{ role: "user", content: "Hello, how are you?" }] },
  })
);
console.log(`Logged ${info.modelUri}`);

const model = await loadModel(info.modelUri);
const response = await model.predict({
  messages: [{ role: "user", content: "What is MLflow?" }],
  // Version 1 of the model chats and does nothing else: this does not reach Ollama.
  max_tokens: 25,
});
console.log(JSON.stringify(response, null, 2));
await closeTracking();
