// deno run --allow-net=127.0.0.1 --allow-read --allow-write=. --allow-env --allow-run examples/tutorial_2_parameters.ts
// deno-lint-ignore-file no-console -- a script talks to its user
import { loadModel, logModel } from "@chatmodel/chat-model/models";
import { closeTracking, setExperiment, startRun } from "@chatmodel/chat-model/tracking";

await setExperiment("chatmodel-quickstart");

const info = await startRun(() =>
  logModel({
    name: "ollama_model",
    model: `${import.meta.dirname}/ollama_model_with_metadata.ts`,
    inputExample: { messages: [{ role: "user", content: "Hello, how are you?" }] },
  })
);
console.log(`Logged ${info.modelUri}`);

const model = await loadModel(info.modelUri);
const request = {
  messages: [{ role: "user" as const, content: "What is MLflow?" }],
  // Version 2 hands the parameters on, and reads a seed from the custom inputs.
  max_tokens: 25,
  custom_inputs: { seed: "321" },
};
console.log(JSON.stringify(await model.predict(request), null, 2));

// What MLflow's serving leaves out: the same as a stream.
for await (const chunk of model.predictStream(request)) {
  console.log(chunk.choices[0]?.delta.content ?? "");
}
await closeTracking();
