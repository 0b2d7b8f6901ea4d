/** The suite of registries, on the server that MLFLOW_TRACKING_URI names: `deno test -A interop/registry_suite.ts`. */
import { openModelRegistry } from "../registry/mod.ts";
import { openTrackingStore } from "../tracking/mod.ts";
import { registrySuite } from "../tests/registry/registry_suite.ts";

registrySuite("server", () => {
  const store = openTrackingStore();
  const registry = openModelRegistry();
  return Promise.resolve({
    store,
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  });
});
