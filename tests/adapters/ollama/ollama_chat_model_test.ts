import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ChatModelError, ValidationError } from "../../../mod.ts";
import { OllamaChatModel, type OllamaChatModelOptions, OllamaClient } from "../../../adapters/ollama/mod.ts";
import { type Answer, json, ndjson, startFakeUpstream, type UpstreamRequest } from "../../support/fake_upstream.ts";
import { answer, bodies, DONE, load, MESSAGES, read, text, withCapabilities } from "./_ollama_model.ts";

Deno.test("OllamaChatModel.predict() asks without streaming and gives durations and what had no effect", async () => {
  await using upstream = await startFakeUpstream([json(answer("Hello", { total_duration: 1_500_000 }))]);
  const model = await load(upstream, { options: { num_ctx: 8192 }, keepAlive: "10m" });
  const response = await model.predict({ messages: MESSAGES, temperature: 0.5, verbosity: "low", strange: 1 });
  assertEquals(bodies(upstream), [{
    model: "m",
    messages: [{ role: "user", content: "Hi" }],
    options: { num_ctx: 8192, temperature: 0.5 },
    keep_alive: "10m",
    truncate: false,
    stream: false,
  }]);
  assertEquals(response.choices[0]?.message.content, "Hello");
  assertEquals(response.usage, { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
  assertEquals(response.custom_outputs, { ollama: { total_duration: 1.5, ignored: ["verbosity", "strange"] } });
});

Deno.test("OllamaChatModel.predictStream() asks for a stream and ends with usage and outputs", async () => {
  await using upstream = await startFakeUpstream([ndjson([text("Hel"), text("lo"), DONE])]);
  const model = await load(upstream);
  const chunks = await read(model.predictStream({ messages: MESSAGES, verbosity: "low" }));
  assertEquals(bodies(upstream)[0]?.stream, true);
  assertEquals(chunks.flatMap(({ choices }) => choices[0]?.delta.content || []), ["Hel", "lo"]);
  assertEquals(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []), ["stop"]);
  assertEquals(chunks.find(({ custom_outputs }) => custom_outputs)?.custom_outputs, {
    ollama: { ignored: ["verbosity"] },
  });
  assertEquals(chunks.at(-1)?.usage, { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
});

Deno.test("OllamaChatModel gives no custom outputs when there are none", async () => {
  await using upstream = await startFakeUpstream([json(answer("Hello"))]);
  const model = await load(upstream);
  assertEquals((await model.predict({ messages: MESSAGES })).custom_outputs, undefined);
});

Deno.test("OllamaChatModel has a thinking model think as much as wanted, and asks once what it can", async () => {
  await using upstream = await startFakeUpstream(withCapabilities(["completion", "thinking"], json(answer("x"))));
  const model = await load(upstream);
  const efforts = ["low", "high", "xhigh"];
  await Promise.all(efforts.map((effort) => model.predict({ messages: MESSAGES, reasoning_effort: effort })));
  await model.predict({ messages: MESSAGES, reasoning: { effort: "none" } });
  assertEquals(bodies(upstream).map(({ think }) => think).toSorted(), [false, "high", "low", "max"]);
  assertEquals(bodies(upstream, "/api/show"), [{ model: "m" }]);
});

Deno.test("OllamaChatModel asks again what a model can do when it got no answer", async () => {
  let shown = 0;
  await using upstream = await startFakeUpstream(({ path }) => {
    if (path !== "/api/show") return json(answer("x"));
    return shown++ === 0 ? json({ error: "broken" }, { status: 500 }) : json({ capabilities: ["thinking"] });
  });
  const model = await load(upstream);
  const request = { messages: MESSAGES, reasoning_effort: "low" };
  await assertRejects(() => model.predict(request), ChatModelError, "broken");
  await model.predict(request);
  assertEquals(bodies(upstream).map(({ think }) => think), ["low"]);
});

Deno.test("OllamaChatModel lets an effort go where the model cannot think, and says so", async () => {
  for (const capabilities of [["completion"], undefined]) {
    await using upstream = await startFakeUpstream(withCapabilities(capabilities, json(answer("x"))));
    const model = await load(upstream);
    const response = await model.predict({ messages: MESSAGES, reasoning_effort: "high" });
    assertEquals(bodies(upstream)[0]?.think, undefined);
    assertEquals(response.custom_outputs, { ollama: { ignored: ["reasoning_effort"] } });
  }
});

Deno.test("OllamaChatModel asks nothing about a model when it need not know", async () => {
  await using upstream = await startFakeUpstream(withCapabilities([], json(answer("x"))));
  const model = await load(upstream);
  await model.predict({ messages: MESSAGES });
  await model.predict({ messages: MESSAGES, reasoning_effort: "none" });
  await model.predict({ messages: MESSAGES, think: "high" });
  assertEquals(upstream.requests.map(({ path }) => path), ["/api/chat", "/api/chat", "/api/chat"]);
});

Deno.test("OllamaChatModel tells a full window from the limit of the Modelfile", async () => {
  const cut = json(answer("x", { done_reason: "length", eval_count: 64 }));
  const show = (parameters?: string) => (request: UpstreamRequest) =>
    request.path === "/api/show" ? json(parameters === undefined ? {} : { parameters }) : cut;
  const outputs = async (answers: (request: UpstreamRequest) => Answer) => {
    await using upstream = await startFakeUpstream(answers);
    const model = await load(upstream);
    return (await model.predict({ messages: MESSAGES })).custom_outputs;
  };
  assertEquals(await outputs(show()), { ollama: { context_full: true } });
  assertEquals(await outputs(show('stop    "STOP"\nnum_predict    64\nnum_ctx    64')), undefined);
  assertEquals(await outputs(show("num_predict    65")), { ollama: { context_full: true } });
  assertEquals(await outputs(show("num_predict    -1")), { ollama: { context_full: true } });
  // No one can tell: nothing is said, and the answer is not lost.
  const failing = json({ error: "broken" }, { status: 500 });
  assertEquals(await outputs(({ path }) => path === "/api/show" ? failing : cut), undefined);
});

Deno.test("OllamaChatModel takes unwanted thinking out of a stream", async () => {
  await using upstream = await startFakeUpstream([
    ndjson([text("<th"), text("ink>se"), text("cret</think>"), text("\n\n"), text("Hello"), DONE]),
  ]);
  const model = await load(upstream, { think: false });
  const chunks = await read(model.predictStream({ messages: MESSAGES }));
  assertEquals(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), "Hello");
  assertEquals(bodies(upstream)[0]?.think, false);
});

Deno.test("new OllamaChatModel() refuses settings that Ollama cannot take", () => {
  const client = new OllamaClient({ host: "127.0.0.1:1" });
  const wrong: readonly (readonly [Partial<OllamaChatModelOptions>, string])[] = [
    [{ model: " " }, "model"],
    [{ options: { temperature: NaN } }, "options.temperature"],
    [{ options: { num_predict: 0 } }, "options.num_predict"],
    [{ keepAlive: "300" }, "keepAlive"],
  ];
  for (const [options, path] of wrong) {
    const error = assertThrows(() => new OllamaChatModel({ model: "m", client, ...options }), ValidationError);
    assertEquals(error.param, path);
    assertStringIncludes(error.message, "Cannot make an OllamaChatModel");
  }
  assertEquals(new OllamaChatModel({ model: "m:1b", client }).name, "m:1b");
});
