import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";
import { storeSuite } from "./store_suite.ts";

storeSuite("sqlite", async () => {
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
