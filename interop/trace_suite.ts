/**
 * The suite of traces, on the store that MLFLOW_TRACKING_URI names: `deno test -A interop/trace_suite.ts`. With OLD_MLFLOW
 * set it leaves out what MLflow 3.12 cannot do.
 */
import { openTrackingStore } from "../tracking/mod.ts";
import { traceSuite } from "../tests/tracking/traces/trace_suite.ts";

traceSuite("server", () => {
  const store = openTrackingStore();
  return Promise.resolve({ store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() });
}, { isOld: Boolean(Deno.env.get("OLD_MLFLOW")) });
