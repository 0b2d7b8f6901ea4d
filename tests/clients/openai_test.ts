/** Answers as OpenAI's own client reads them, of the demo model and of recorded Ollamas. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { BACKENDS, member, OLLAMA_MODEL, serveModels, serveOllama } from "./_served.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { OllamaClient, OllamaModels } from "../../adapters/ollama/mod.ts";
import { readRecording, startReplay, VERSIONS } from "../support/replay.ts";

const MESSAGES = [{ role: "user" as const, content: "Hi there" }];
const SAID: { readonly [backend: string]: string } = {
  demo: "This is the demo model of chat-model: it does not think, it echoes. For a real model install Ollama, run " +
    "'ollama pull llama3.2:1b' and start the server again. You said: Hi there",
  [OLLAMA_MODEL]: "Hello from a scripted model. How can I help you today?",
};
/** The demo model counts words, the recorded Ollamas counted tokens. */
const COMPLETION_TOKENS: { readonly [backend: string]: number } = {
  demo: SAID.demo?.split(" ").length ?? 0,
  [OLLAMA_MODEL]: 19,
};

for (const { name, model, serve } of BACKENDS) {
  const said = SAID[model] ?? "";
  const completion_tokens = COMPLETION_TOKENS[model] ?? 0;
  const usage = { prompt_tokens: 2, completion_tokens, total_tokens: 2 + completion_tokens };

  Deno.test(`openai create() gives every field of an answer of ${name}`, async () => {
    await using served = await serve(["chat_nonstream"]);
    const before = Math.floor(Date.now() / 1000);
    const answer = await served.client.chat.completions.create({ model, messages: MESSAGES });
    const { id, object, created, choices } = answer;
    assertMatch(id, /^chatcmpl-/);
    assertEquals(object, "chat.completion");
    assert(created >= before && created <= Date.now() / 1000);
    assertEquals(answer.model, model);
    assertEquals(choices, [{
      index: 0,
      message: { role: "assistant", content: said, refusal: null },
      finish_reason: "stop",
      logprobs: null,
    }]);
    assertEquals(answer.usage, usage);
    assertMatch(answer._request_id ?? "", /^req_/);
  });

  Deno.test(`openai create() streams an answer of ${name} piece by piece`, async () => {
    await using served = await serve(["chat_stream"]);
    const stream = await served.client.chat.completions.create({ model, messages: MESSAGES, stream: true });
    let text = "";
    let count = 0;
    let finish: string | null | undefined;
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      text += choice?.delta.content ?? "";
      finish = choice?.finish_reason;
      count++;
      assert(!("usage" in chunk), "the usage comes only when it is asked for");
    }
    assertEquals([text, finish], [said, "stop"]);
    assert(count > 10);
  });

  Deno.test(`openai create() streams the usage of ${name} when include_usage is set`, async () => {
    await using served = await serve(["chat_stream"]);
    const stream = await served.client.chat.completions.create({
      model,
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    const last = chunks.pop();
    assertEquals([last?.choices, last?.usage], [[], usage]);
    assert(chunks.every((chunk) => chunk.usage === null));
  });

  Deno.test(`openai stream() puts an answer of ${name} together`, async () => {
    await using served = await serve(["chat_stream"]);
    const events: string[] = [];
    const deltas: string[] = [];
    const stream = served.client.chat.completions.stream({
      model,
      messages: MESSAGES,
      stream_options: { include_usage: true },
    })
      .on("connect", () => events.push("connect"))
      .on("content", (delta, snapshot) => {
        deltas.push(delta);
        assertEquals(snapshot, deltas.join(""));
      })
      .on("content.done", ({ content }) => events.push(`content.done ${content}`))
      .on("finalChatCompletion", ({ id }) => events.push(`finalChatCompletion ${id.slice(0, 9)}`))
      .on("error", (error) => events.push(`error ${error.message}`))
      .on("end", () => events.push("end"));
    assertEquals(await stream.finalContent(), said);
    const message = await stream.finalMessage();
    assertEquals([message.role, message.content, message.refusal], ["assistant", said, null]);
    assertEquals(await stream.totalUsage(), usage);
    const final = await stream.finalChatCompletion();
    assertEquals([final.model, final.choices[0]?.finish_reason, final.usage], [model, "stop", usage]);
    await stream.done();
    assertEquals(events, ["connect", `content.done ${said}`, "finalChatCompletion chatcmpl-", "end"]);
    assertEquals(deltas.join(""), said);
    assert(deltas.length > 10);
  });

  Deno.test(`openai create() reaches ${name} with any base URL that makes sense`, async () => {
    await using served = await serve(["chat_nonstream"]);
    for (const path of ["/v1", "/v1/", "", "/"]) {
      const client = served.connect({ baseURL: served.url + path, maxRetries: 0 });
      const answer = await client.chat.completions.create({ model, messages: MESSAGES });
      assertEquals(answer.choices[0]?.message.content, said);
    }
  });

  Deno.test(`openai models.list() and models.retrieve() tell of ${name}`, async () => {
    await using served = await serve([]);
    const { data } = await served.client.models.list();
    assertEquals(data.map(({ id, object, owned_by }) => ({ id, object, owned_by })), [
      { id: model, object: "model", owned_by: "chat-model" },
    ]);
    assertEquals({ ...await served.client.models.retrieve(model) }, { ...data[0] });
  });
}

Deno.test("openai models.retrieve() finds a model when its name holds slash and colon", async () => {
  await using served = await serveModels({
    "llama3.2:1b": DemoChatModel,
    "hf.co/org/some model:Q4_K_M": DemoChatModel,
  });
  for (const name of ["llama3.2:1b", "hf.co/org/some model:Q4_K_M"]) {
    assertEquals((await served.client.models.retrieve(name)).id, name);
    const answer = await served.client.chat.completions.create({ model: name, messages: MESSAGES });
    assertEquals(answer.model, name);
  }
  const ids: string[] = [];
  for await (const { id } of served.client.models.list()) ids.push(id);
  assertEquals(ids, ["llama3.2:1b", "hf.co/org/some model:Q4_K_M"]);
});

for (const version of VERSIONS) {
  Deno.test(`openai models.list() gives the models of Ollama ${version} when they are served as they are`, async () => {
    await using replay = startReplay(
      ["tags", "show_plain", "chat_nonstream"].map((name) => readRecording(name, version)),
    );
    await using served = await serveModels(new OllamaModels({ client: new OllamaClient({ host: replay.url }) }));
    const { data } = await served.client.models.list();
    const ids = data.map(({ id }) => id);
    assert(ids.includes("plain") && ids.includes("tools"), `${ids}`);
    assert(data.every(({ created, owned_by }) => created > 1_700_000_000 && owned_by === "library"));
    assertEquals((await served.client.models.retrieve("plain")).id, "plain");
    assertEquals((await served.client.models.retrieve("plain:latest")).id, "plain");
    const answer = await served.client.chat.completions.create({ model: "plain", messages: MESSAGES });
    assertEquals([answer.model, answer.choices[0]?.message.content], ["plain", SAID[OLLAMA_MODEL]]);
  });

  Deno.test(`openai create() hands what only Ollama ${version} knows on when it is put beside OpenAI's fields`, async () => {
    await using served = await serveOllama(version, ["chat_nonstream"]);
    const own = { num_ctx: 8192, keep_alive: "5m", custom_inputs: { seed: "321" } };
    const answer = await served.client.chat.completions.create({ model: OLLAMA_MODEL, messages: MESSAGES, ...own });
    const [request] = served.replay.requests;
    assertEquals(member(Object(request?.body), "options"), { num_ctx: 8192, seed: 321 });
    assertEquals(member(Object(request?.body), "keep_alive"), "5m");
    const outputs = member(Object(member(answer, "custom_outputs")), "ollama");
    assertEquals(typeof member(Object(outputs), "total_duration"), "number");
  });
}

Deno.test("openai create() gives the demo model's custom outputs when custom inputs are put beside OpenAI's fields", async () => {
  await using served = await serveModels({ demo: DemoChatModel });
  const own = { custom_inputs: { session: 7 } };
  const answer = await served.client.chat.completions.create({ model: "demo", messages: MESSAGES, ...own });
  assertEquals(member(answer, "custom_outputs"), { demo: { custom_inputs: { session: 7 } } });
});
