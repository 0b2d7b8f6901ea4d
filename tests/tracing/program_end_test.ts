import { assertEquals } from "@std/assert";

/** Runs a program without permissions besides those named; gives what it wrote. */
async function run(options: string, end: string, permissions: readonly string[] = []): Promise<string> {
  const program = `
import { ChatModel, loadChatModel } from "${new URL("../../mod.ts", import.meta.url)}";
import { enableTracing } from "${new URL("../../tracing/mod.ts", import.meta.url)}";
class Whole extends ChatModel {
  predict() {
    return "Hello";
  }
}
const onWarning = (message) => console.log("warning:", message.split(":")[0]);
const write = (spans) => Promise.resolve(console.log(spans.map(({ name }) => name).join()));
const tracing = await enableTracing({ ${options}, onWarning, interval: 50, timeout: 200 });
const model = await loadChatModel(Whole, { name: "m" });
await model.predict({ messages: [{ role: "user", content: "Hi" }] });
${end}`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/program.ts`, program);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", "--config", config, ...permissions, `${folder}/program.ts`],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder();
    return text.decode(stdout) + text.decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const SINK = 'store: { name: "a sink", write }';

Deno.test("enableTracing() needs no permission, and a program that ends by itself sends what waits first", async () => {
  assertEquals(await run(SINK, ""), "chat m\n");
});

Deno.test("shutdown() sends what waits before a program is ended", async () => {
  assertEquals(await run(SINK, "await tracing.shutdown(1000); Deno.exit();"), "chat m\n");
});

Deno.test("enableTracing() does not keep a program alive for a backend that is not there, and says what is lost", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const said = await run(`endpoint: "http://127.0.0.1:${port}"`, "", ["--allow-net=127.0.0.1"]);
  assertEquals(said.split("\n"), [
    'warning: Cannot send traces to "http',
    "warning: Traces are incomplete",
    "",
  ]);
});
