/** The suite of tracking stores, on the server that MLFLOW_TRACKING_URI names: `deno test -A interop/store_suite.ts`. */
import { openTrackingStore } from "../tracking/mod.ts";
import { storeSuite } from "../tests/tracking/store_suite.ts";

storeSuite("server", () => {
  const store = openTrackingStore();
  return Promise.resolve({ store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() });
});
