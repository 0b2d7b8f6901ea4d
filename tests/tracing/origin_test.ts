import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { observeEveryCall } from "../../call_observer.ts";
import type { StartedCall } from "../../mod.ts";
import { loadModel, logModel } from "../../models/mod.ts";
import { authorFolder } from "../models/_models.ts";
import { newTracking } from "../tracking/fluent/support.ts";

Deno.test("loadModel() tells observers where the model comes from", async () => {
  await using _tracking = await newTracking();
  await using author = await authorFolder();
  const file = join(author.path, "model.ts");
  const logged = await logModel({
    name: "teller",
    model: file,
    modelConfig: { unit: "words" },
    registeredModelName: "greeter",
  });
  const { modelId = "", modelUri = "", artifactPath = "" } = logged;
  const started: StartedCall[] = [];
  const end = observeEveryCall({ begin: (call) => void started.push(call) });
  try {
    for (const uri of ["models:/greeter/1", modelUri, artifactPath]) {
      const model = await loadModel(uri);
      await model.predict({ messages: [{ role: "user", content: "Hi" }] });
    }
  } finally {
    end();
  }
  assertEquals(started.map(({ origin }) => origin), [
    { uri: "models:/greeter/1", modelId, registeredName: "greeter", registeredVersion: "1" },
    { uri: modelUri, modelId },
    { uri: artifactPath, modelId },
  ]);
});
