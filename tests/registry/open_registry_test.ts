import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { openModelRegistry } from "@chatmodel/chat-model/registry";
import { TrackingError } from "@chatmodel/chat-model/tracking";

Deno.test("openModelRegistry() opens databases and servers", async () => {
  const folder = await Deno.makeTempDir();
  {
    await using database = openModelRegistry(`sqlite:///${folder}/mlflow.db`);
    assertEquals(database.uri, `sqlite:///${folder}/mlflow.db`);
    assertEquals((await database.searchRegisteredModels()).items, []);
    await using server = openModelRegistry("http://user:secret@127.0.0.1:9");
    assertEquals(server.uri.includes("secret"), false);
  }
  await Deno.remove(folder, { recursive: true });
});

for (const uri of ["databricks-uc:profile", "postgresql://user:secret@host/db", "mlruns", "file:///mlruns"]) {
  Deno.test(`openModelRegistry() refuses ${uri} without showing secrets`, () => {
    const error = assertThrows(() => openModelRegistry(uri), TrackingError, "Cannot open model registry");
    assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
    assertStringIncludes(error.message, "sqlite:///mlflow.db");
    assertEquals(error.message.includes("secret"), false);
  });
}
