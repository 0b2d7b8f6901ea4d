/** An app under `deno serve --parallel`: several workers, one port. */
import { assert, assertEquals } from "@std/assert";
import { startServing } from "../support/command.ts";

Deno.test("createApp() answers under deno serve --parallel, from every worker", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const app = `${folder}/app.ts`;
    // Each worker has its own memory: it answers with a name of its own.
    await Deno.writeTextFile(
      app,
      `import { ChatModel } from "${new URL("../../mod.ts", import.meta.url)}";
import { createApp } from "${new URL("../../serve.ts", import.meta.url)}";
const name = crypto.randomUUID();
class Named extends ChatModel {
  override async *predictStream() {
    yield name;
  }
}
export default createApp({ named: Named }) satisfies Deno.ServeDefaultExport;
`,
    );
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const args = ["serve", "--parallel", "--no-check", `--config=${config}`, "--host=127.0.0.1", "--port=0", app];
    await using server = await startServing(args, { DENO_JOBS: "3" });
    const names = new Set<string>();
    for (let i = 0; i < 200 && names.size < 2; i++) {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: "POST",
        headers: { connection: "close" },
        body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], stream: i % 2 === 0 }),
      });
      const text = await response.text();
      assertEquals(response.status, 200, text);
      const [name] = /[\da-f]{8}-[\da-f-]{27}/.exec(text) ?? [];
      assert(name, text);
      names.add(name);
    }
    assert(names.size >= 2, `${names.size} worker has answered`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
