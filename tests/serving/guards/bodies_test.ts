// deno-lint-ignore-file no-console -- looks at what the app says there
/** Bodies that are hard on the server by their number, or by what is in them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { OllamaChatModel, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { OpenAIChatModel } from "../../../adapters/openai/mod.ts";
import { type ChatModel, loadChatModel } from "../../../mod.ts";
import { createApp } from "../../../serve.ts";

const URL = "http://localhost/v1/chat/completions";

/** A body that is begun and goes on when it is told to. */
function slowBody(begin: string, end: Promise<void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode(begin));
      await end;
      controller.enqueue(encoder.encode('"}]}'));
      controller.close();
    },
  });
}

Deno.test("createApp() bounds the bodies that are read at a time, and takes others when they are through", async () => {
  const app = createApp({ demo: DemoChatModel }, { maxBodySize: 100_000 });
  const ask = (body: BodyInit) => app.fetch(new Request(URL, { method: "POST", body }));
  const { promise, resolve } = Promise.withResolvers<void>();
  const begin = `{"messages":[{"role":"user","content":"${"x".repeat(90_000)}`;
  const running = Array.from({ length: 4 }, () => Promise.resolve(ask(slowBody(begin, promise))));
  await new Promise((resolve) => setTimeout(resolve, 50)); // Until they are being read.
  const refused = await ask(slowBody(begin, promise));
  assertEquals(refused.status, 503);
  assert(Number(refused.headers.get("retry-after-ms")) > 0);
  assertEquals((await refused.json()).error.code, "overloaded");
  // Small ones are nothing.
  assertEquals((await ask('{"messages":[{"role":"user","content":"Hi"}]}')).status, 200);
  resolve();
  for (const response of await Promise.all(running)) {
    assertEquals(response.status, 200);
    await response.body?.cancel();
  }
  const after = await ask(slowBody(begin, promise));
  assertEquals(after.status, 200);
  await after.body?.cancel();
});

Deno.test("createApp() refuses a body of very many members before it makes objects of it", async () => {
  const app = createApp({ demo: DemoChatModel });
  const members = Array.from({ length: 300_000 }, (_, i) => `"k${i}":1`).join();
  for (const body of [`{"messages":[{"role":"user","content":"Hi"}],${members}}`, `{"metadata":{${members}}}`]) {
    const response = await app.fetch(new Request(URL, { method: "POST", body }));
    const { error } = await response.json();
    assertEquals([response.status, error.code], [400, "invalid_json"]);
    assertStringIncludes(error.message, "members");
  }
});

for (
  const [name, source] of [
    ["ollama", new OllamaChatModel({ model: "x", client: new OllamaClient({ host: "http://127.0.0.1:2" }) })],
    ["openai", new OpenAIChatModel({ model: "x", baseUrl: "http://127.0.0.1:2/v1", apiKey: "none" })],
  ] as const satisfies readonly (readonly [string, ChatModel])[]
) {
  Deno.test(`GET /health/ready is 503 before the first request where what is behind a model of ${name} is not there`, async () => {
    const app = createApp({ [name]: await loadChatModel(source) });
    const error = console.error;
    const said: string[] = [];
    console.error = (text: string) => void said.push(text);
    try {
      const response = await app.fetch(new Request("http://localhost/health/ready"));
      assertEquals([response.status, await response.json()], [503, { status: "unavailable" }]);
    } finally {
      console.error = error;
    }
    assertEquals(said.length, 1);
  });
}
