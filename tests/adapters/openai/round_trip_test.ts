/** Our own server as the upstream of another: what is asked and answered goes through as it is. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { OpenAIChatModel, OpenAIClient } from "../../../adapters/openai/mod.ts";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { ChatModel, ChatModelError, loadChatModel, type ModelContext, type PredictPart } from "../../../mod.ts";
import { type AppModels, createApp, listen } from "../../../serve.ts";
import type { ChatMessage, ChatParams } from "../../../types/mod.ts";

/** Says what it was asked. */
class Mirror extends ChatModel {
  override *predictStream(
    _context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Generator<PredictPart> {
    yield { reasoning: "Hm", content: "ä" };
    yield { custom_outputs: { messages, params }, usage: { prompt_tokens: 0, completion_tokens: 9 } };
  }
}

async function startServer(models: AppModels): Promise<{ readonly baseUrl: string } & AsyncDisposable> {
  const server = await listen(createApp(models, { onError: () => {} }), { port: 0 });
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
    },
  };
}

const TOOLS = [{
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
}] as const;
const SCHEMA = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } as const;

const REQUESTS: Record<string, Record<string, unknown>> = {
  text: {},
  "two answers": { n: 2, seed: 3 },
  "log probabilities": { logprobs: true, top_logprobs: 2 },
  "few tokens": { max_tokens: 3 },
  "a tool call": { tools: TOOLS, tool_choice: "required" },
  "structured output": { response_format: { type: "json_schema", json_schema: { name: "s", schema: SCHEMA } } },
};

for (const [name, rest] of Object.entries(REQUESTS)) {
  Deno.test(`OpenAIChatModel answers what its upstream answers, whole and streamed, when asked for ${name}`, async () => {
    await using upstream = await startServer({ demo: DemoChatModel });
    const model = new OpenAIChatModel({ model: "demo", baseUrl: upstream.baseUrl });
    await using server = await startServer({ demo: model });
    const ask = async (baseUrl: string, stream: boolean) => {
      const response = await fetch(`${baseUrl}/chat/completions`, {
        method: "POST",
        body: JSON.stringify({
          model: "demo",
          messages: [{ role: "user", content: "What is the weather in Rome?" }],
          stream,
          ...(stream && { stream_options: { include_usage: true } }),
          ...rest,
        }),
      });
      const text = await response.text();
      assertEquals(response.status, 200, text);
      // These differ from answer to answer.
      return text.replace(/"(id|created)":("[^"]*"|\d+)/g, '"$1":0');
    };
    assertEquals(JSON.parse(await ask(server.baseUrl, false)), JSON.parse(await ask(upstream.baseUrl, false)));
    const [streamed, direct] = await Promise.all([ask(server.baseUrl, true), ask(upstream.baseUrl, true)]);
    assert(streamed.endsWith("data: [DONE]\n\n"));
    const read = (text: string) => text.split("\n\n").slice(0, -2).map((frame) => JSON.parse(frame.slice(6)));
    assertEquals(read(streamed), read(direct));
  });
}

Deno.test("OpenAIChatModel hands on all of a request, and all of an answer", async () => {
  await using upstream = await startServer({ mirror: Mirror });
  const model = await loadChatModel(new OpenAIChatModel({ model: "mirror", baseUrl: upstream.baseUrl }));
  const messages: ChatMessage[] = [
    { role: "developer", content: [{ type: "text", text: "Be ä" }] },
    { role: "user", content: "hi", name: "u" },
    { role: "assistant", content: "yes", reasoning_content: "because" },
    { role: "user", content: [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }] },
  ];
  const params = { temperature: 0, max_tokens: 5, stop: ["x"], custom_inputs: { a: [1] }, x_own: { deep: null } };
  const { x_own, ...named } = params;
  const response = await model.predict({ messages, ...params });
  assertEquals(response.custom_outputs, { messages, params: { ...named, extra: { x_own } } });
  assertEquals(response.choices[0]?.message.content, "ä");
  assertEquals(Reflect.get(response.choices[0]?.message ?? {}, "reasoning"), "Hm");
  assertEquals(response.usage, { prompt_tokens: 0, completion_tokens: 9, total_tokens: 9 });
});

Deno.test("OpenAIChatModel makes vectors by its upstream", async () => {
  await using upstream = await startServer({ demo: DemoChatModel });
  const input = ["one", "two"];
  const direct = await (await loadChatModel(DemoChatModel)).embed({ input, dimensions: 8 });
  const model = await loadChatModel(new OpenAIChatModel({ model: "demo", baseUrl: upstream.baseUrl }));
  const embedded = await model.embed({ input, dimensions: 8 });
  assertEquals(embedded.data, direct.data);
  assertEquals(embedded.usage, direct.usage);
  const base64 = await new OpenAIClient({ baseUrl: upstream.baseUrl }).embed({
    model: "demo",
    input,
    dimensions: 8,
    encoding_format: "base64",
  });
  const floats = direct.data.map(({ embedding }) => Array.isArray(embedding) ? embedding.map(Math.fround) : []);
  assertEquals(base64.embeddings, floats);
});

Deno.test("OpenAIChatModel tells the errors of its upstream as the upstream does", async () => {
  await using upstream = await startServer({ demo: DemoChatModel, mirror: Mirror });
  const failing = async (name: string, rest: Readonly<Record<string, unknown>>, embeds = false) => {
    const model = await loadChatModel(new OpenAIChatModel({ model: name, baseUrl: upstream.baseUrl }));
    const messages = [{ role: "user", content: "hi" }] as const;
    const error = await assertRejects(
      () => embeds ? model.embed({ input: "a" }) : model.predict({ messages, ...rest }),
      ChatModelError,
    );
    return [error.status, error.code, error.param];
  };
  assertEquals(await failing("missing", {}), [404, "model_not_found", "model"]);
  assertEquals(await failing("mirror", {}, true), [400, "unsupported_feature", "model"]);
});

Deno.test("OpenAIClient.list() lists what our own server serves", async () => {
  await using upstream = await startServer({ demo: DemoChatModel, mirror: Mirror });
  const models = await new OpenAIClient({ baseUrl: upstream.baseUrl }).list();
  assertEquals(models.map(({ id }) => id), ["demo", "mirror"]);
});
