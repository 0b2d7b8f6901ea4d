import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { openModelRegistry } from "@chatmodel/chat-model/registry";
import { openTrackingStore } from "@chatmodel/chat-model/tracking";

const PROCESSES = 4;
const VERSIONS_EACH = 25;

function startWriter(uri: string, source: string): Deno.ChildProcess {
  const writer = fromFileUrl(new URL("_version_writer.ts", import.meta.url));
  const args = ["run", "--no-check", "--allow-read", "--allow-write", writer, uri, source, String(VERSIONS_EACH)];
  return new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "piped" }).spawn();
}

Deno.test("createModelVersion() gives each of several processes numbers of its own", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chat_model_registry_" });
  try {
    const uri = `sqlite:///${folder}/mlflow.db`;
    await using store = openTrackingStore(uri);
    await using registry = openModelRegistry(uri);
    const { modelId } = await store.createLoggedModel({ experimentId: "0", name: "echo" });
    await registry.createRegisteredModel("shared");
    const writers = Array.from({ length: PROCESSES }, () => startWriter(uri, `models:/${modelId}`).output());
    const told = (await Promise.all(writers)).map(({ success, stdout, stderr }) => {
      assert(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
    });
    const all = Array.from({ length: PROCESSES * VERSIONS_EACH }, (_, index) => index + 1);
    assertEquals(told.flat().sort((one, other) => one - other), all);
    // Each process is told rising numbers, as no number is given again.
    for (const own of told) assertEquals(own, own.toSorted((one, other) => one - other));
    // Reading and noting again is one step as well: no version is missing on the logged model.
    const noted: { readonly version: number }[] = JSON.parse(
      (await store.getLoggedModel(modelId)).tags["mlflow.modelVersions"] ?? "",
    );
    assertEquals(noted.map(({ version }) => version), all);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
