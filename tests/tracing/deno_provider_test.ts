import { assert, assertEquals } from "@std/assert";

const PROGRAM = `
import { ChatModel, loadChatModel } from "${new URL("../../mod.ts", import.meta.url)}";
import { OllamaChatModel, OllamaClient } from "${new URL("../../adapters/ollama/mod.ts", import.meta.url)}";
import { instrument } from "${new URL("../../tracing/mod.ts", import.meta.url)}";

instrument();
let traceparent;
const upstream = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
  traceparent = request.headers.get("traceparent");
  await request.body?.cancel();
  return Response.json({ model: "m", message: { role: "assistant", content: "Hello" }, done: true, done_reason: "stop" });
});
const client = new OllamaClient({ host: "http://127.0.0.1:" + upstream.addr.port });
const model = await loadChatModel(new OllamaChatModel({ model: "m", client }), { name: "m" });
const requestContext = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
const response = await model.predict({ messages: [{ role: "user", content: "Hi" }] }, { requestContext });
await upstream.shutdown();
console.error(JSON.stringify({ content: response.choices[0].message.content, traceparent }));
`;

Deno.test("instrument() makes spans by Deno's own provider", async () => {
  const requests: string[] = [];
  await using collector = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const body = await request.text();
    if (pathname === "/v1/traces") requests.push(body);
    return Response.json({});
  });
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/program.ts`;
    await Deno.writeTextFile(file, PROGRAM);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--config", config, "--allow-net=127.0.0.1", file],
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
        NO_COLOR: "1",
      },
      stdout: "null",
      stderr: "piped",
    }).output();
    const said = new TextDecoder().decode(stderr);
    assert(success, said);
    const { content, traceparent } = JSON.parse(said.trim().split("\n").at(-1) ?? "");
    assertEquals(content, "Hello");
    const spans = requests.flatMap((body) => JSON.parse(body).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans).flatMap(({ spans }) => spans);
    const find = (name: string) => spans.find((span) => span.name === name);
    const root = find("chat m");
    assertEquals(root?.traceId, "0af7651916cd43dd8448eb211c80319c");
    assertEquals(root?.parentSpanId, "b7ad6b7169203331");
    const upstream = find("POST /api/chat");
    assertEquals(upstream?.parentSpanId, root.spanId);
    // Deno makes a span of the fetch itself, below ours, and sends its id: one header, not two.
    assert(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/.test(traceparent), traceparent);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
