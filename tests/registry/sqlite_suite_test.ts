import { openModelRegistry } from "@chatmodel/chat-model/registry";
import { openTrackingStore } from "@chatmodel/chat-model/tracking";
import { registrySuite } from "./registry_suite.ts";

registrySuite("sqlite", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chat_model_registry_" });
  const uri = `sqlite:///${folder}/mlflow.db`;
  const store = openTrackingStore(uri);
  const registry = openModelRegistry(uri);
  return {
    store,
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
});
