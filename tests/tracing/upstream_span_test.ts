import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatModelError, loadChatModel } from "../../mod.ts";
import { OllamaChatModel, OllamaClient } from "../../adapters/ollama/mod.ts";
import { OpenAIChatModel, OpenAIClient } from "../../adapters/openai/mod.ts";
import { readRecording, startReplay } from "../support/replay.ts";
import { attributesOf, spansOf, treeOf } from "./_spans.ts";

const messages = [{ role: "user", content: "Hi" }] as const;

Deno.test("OllamaClient's request is a span below the model's, and carries its traceparent", async () => {
  await using ollama = startReplay([readRecording("num_predict_5_stream", "v0.24")]);
  const spans = await spansOf(async () => {
    const model = await loadChatModel(
      new OllamaChatModel({ model: "llama3.2:1b", client: new OllamaClient({ host: ollama.url }) }),
      { name: "m" },
    );
    for await (const _ of model.predictStream({ messages, max_tokens: 5 }));
  });
  assertEquals(treeOf(spans), ["chat m [CHAT_MODEL] OK", "  POST /api/chat [TASK] OK"]);
  assertEquals(attributesOf(spans, "POST /api/chat"), {
    "gen_ai.provider.name": "ollama",
    "http.request.method": "POST",
    "http.response.status_code": 200,
    "mlflow.spanLogLevel": 20,
    "mlflow.spanType": "TASK",
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(ollama.url).port),
    "url.full": `${ollama.url}/api/chat`,
  });
  const root = attributesOf(spans, "chat m");
  assertEquals(root["gen_ai.provider.name"], "ollama");
  assertEquals(root["mlflow.llm.provider"], "ollama");
  assertEquals(root["gen_ai.response.finish_reasons"], ["length"]);
  const span = spans.find(({ name }) => name === "POST /api/chat");
  const { traceId, spanId } = span?.spanContext() ?? { traceId: "", spanId: "" };
  assertEquals(span?.kind, 2); // CLIENT
  const [request] = ollama.requests.filter(({ path }) => path === "/api/chat");
  assertEquals(request?.headers.get("traceparent"), `00-${traceId}-${spanId}-01`);
});

Deno.test("OllamaClient's request is no trace of its own where no model asked for it", async () => {
  await using ollama = startReplay([readRecording("num_predict_5_stream", "v0.24")]);
  const spans = await spansOf(async () => {
    const client = new OllamaClient({ host: ollama.url });
    for await (
      const _ of await client.chatStream({ model: "llama3.2:1b", messages: [{ role: "user", content: "Hi" }] })
    );
  });
  assertEquals(spans, []);
  assertEquals(ollama.requests.map(({ headers }) => headers.has("traceparent")), [false]);
});

Deno.test("OllamaClient's request ends as cancelled when the reader leaves, as failed when the upstream is not there", async () => {
  const ollama = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    await request.body?.cancel();
    const line = { model: "m", message: { role: "assistant", content: "Hi" }, done: false };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`)),
    });
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  });
  const host = `http://127.0.0.1:${ollama.addr.port}`;
  const left = await spansOf(async () => {
    const model = await loadChatModel(new OllamaChatModel({ model: "m", client: new OllamaClient({ host }) }), {
      name: "m",
    });
    for await (const { choices: [choice] } of model.predictStream({ messages })) {
      if (choice?.delta.content) break;
    }
    // The request ends when the model has been told.
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  await ollama.shutdown();
  assertEquals(treeOf(left), ["chat m [CHAT_MODEL] UNSET", "  POST /api/chat [TASK] UNSET"]);
  assertEquals(attributesOf(left, "POST /api/chat")["error.type"], "cancelled");
  const failed = await spansOf(async () => {
    const model = await loadChatModel(
      new OllamaChatModel({ model: "m", client: new OllamaClient({ host, retries: 0 }) }),
      { name: "m" },
    );
    await assertRejects(() => model.predict({ messages }), ChatModelError);
  });
  assertEquals(treeOf(failed), ["chat m [CHAT_MODEL] ERROR", "  POST /api/chat [TASK] ERROR"]);
  assert(attributesOf(failed, "POST /api/chat")["error.type"]);
});

Deno.test("OpenAIClient's request is a span below the model's, and no key is in it", async () => {
  const seen: Headers[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    seen.push(request.headers);
    await request.body?.cancel();
    return Response.json({
      id: "x",
      object: "chat.completion",
      created: 1,
      model: "gpt",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    });
  });
  const baseUrl = `http://127.0.0.1:${server.addr.port}/v1?key=secret-in-query`;
  const spans = await spansOf(async () => {
    const model = await loadChatModel(
      new OpenAIChatModel({ model: "gpt", client: new OpenAIClient({ baseUrl, apiKey: "sk-very-secret" }) }),
    );
    await model.predict({ messages, model: "m" });
  });
  await server.shutdown();
  assertEquals(treeOf(spans), ["chat m [CHAT_MODEL] OK", "  POST /v1/chat/completions [TASK] OK"]);
  assertEquals(attributesOf(spans, "chat m")["gen_ai.provider.name"], "openai");
  assertEquals(seen.length, 1);
  assert(seen[0]?.get("traceparent")?.startsWith(`00-${spans[0]?.spanContext().traceId}-`));
  assertEquals(seen[0]?.get("authorization"), "Bearer sk-very-secret");
  assert(!JSON.stringify(spans.map(({ attributes, name }) => ({ attributes, name }))).includes("secret"));
});
