import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { TrackingError } from "@chatmodel/chat-model/tracking";
import { openTrackingStore } from "../../tracking/open_store.ts";

Deno.test("openTrackingStore() opens databases and servers by their URIs", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using store = openTrackingStore(`sqlite:///${folder}/mlflow.db`);
    assertEquals((await store.getExperiment("0")).name, "Default");
    assertStringIncludes(store.uri, "sqlite:///");
    await using server = openTrackingStore("http://user:secret@127.0.0.1:5000/");
    assertEquals([server.uri.startsWith("http://127.0.0.1:5000"), server.uri.includes("secret")], [true, false]);
  }
  await Deno.remove(folder, { recursive: true });
});

const REFUSED: readonly (readonly [uri: string, hint: string])[] = [
  ["databricks", "Databricks is not supported"],
  ["databricks://profile", "Databricks is not supported"],
  ["databricks-uc", "Databricks is not supported"],
  ["postgresql://user:secret@host/db", "mlflow server --backend-store-uri"],
  ["mysql+pymysql://user:secret@host/db", "mlflow server --backend-store-uri"],
  ["file:///tmp/mlruns", "mlflow migrate-filestore"],
  ["./mlruns", "mlflow migrate-filestore"],
  ["/tmp/mlruns", "sqlite:///mlflow.db"],
  ["", "sqlite:///mlflow.db"],
  ["ftp://user:secret@host", "no store has such URIs"],
];

for (const [uri, hint] of REFUSED) {
  Deno.test(`openTrackingStore() refuses "${uri}" with a remedy`, () => {
    const error = assertThrows(() => openTrackingStore(uri), TrackingError, hint);
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assertEquals(error.message.includes("secret"), false);
  });
}
