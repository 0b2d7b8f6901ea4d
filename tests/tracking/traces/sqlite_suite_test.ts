import { SqliteStore } from "../../../tracking/sqlite/sqlite_store.ts";
import { traceSuite } from "./trace_suite.ts";

traceSuite("sqlite", async () => {
  const folder = await Deno.makeTempDir();
  const store = SqliteStore.open(`sqlite:///${folder}/mlflow.db`);
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
});
