/** Legacy completions: prompts answered by chat models. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BadRequestError, OpenAI } from "openai";
import fc from "fast-check";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import {
  type ChatMessage,
  ChatModel,
  ChatModelError,
  type ChatParams,
  type ModelContext,
  type PredictPart,
  type PredictResult,
} from "../../mod.ts";
import { type App, createApp, listen } from "../../serve.ts";
import { validateBody } from "../conformance_openai/_schema.ts";
import { type Answered, assertError, events, Parrot, post, send, testApp } from "./_app.ts";

const PATH = { path: "/v1/completions" };

function complete(app: App, body: Readonly<Record<string, unknown>>): Promise<Answered> {
  return post(app, body, PATH);
}

/** The frames of a stream, which must end well. */
async function frames(app: App, body: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>[]> {
  const { text, status, headers } = await complete(app, { stream: true, ...body });
  assertEquals([status, headers.get("content-type")], [200, "text/event-stream"], text);
  const data = await events(text);
  assertEquals(data.pop(), "[DONE]", text);
  return data.map((frame) => JSON.parse(frame));
}

interface Joined {
  readonly texts: string[];
  readonly reasons: (string | null)[];
}

/** The texts of a stream by their index. */
function join(frames: readonly Record<string, unknown>[]): Joined {
  const texts: string[] = [];
  const reasons: (string | null)[] = [];
  for (const { choices } of frames) {
    assert(Array.isArray(choices));
    for (const { index, text, finish_reason } of choices) {
      texts[index] = (texts[index] ?? "") + text;
      assertEquals(reasons[index] ?? null, null, "nothing follows the end");
      reasons[index] = finish_reason;
    }
  }
  return { texts, reasons };
}

/** Counts how many calls run at a time, and what became of them; answers when it is let. */
class Gated extends ChatModel {
  running = 0;
  most = 0;
  readonly asked: string[] = [];
  readonly ended: unknown[] = [];
  readonly gate = Promise.withResolvers<void>();
  /** Resolves when so many calls run. */
  readonly full = Promise.withResolvers<void>();
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override async *predictStream(context: ModelContext, messages: readonly ChatMessage[]): AsyncGenerator<PredictPart> {
    const prompt = String(messages[0]?.content);
    this.asked.push(prompt);
    this.most = Math.max(this.most, ++this.running);
    if (this.running === this.#limit) this.full.resolve();
    context.signal.addEventListener("abort", () => this.ended.push(context.signal.reason));
    yield "(";
    if (prompt === "fail") throw new ChatModelError("Cannot answer: no luck", { code: "overloaded", status: 503 });
    await Promise.race([
      this.gate.promise,
      new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason))),
    ]);
    this.running--;
    yield `${prompt})`;
    yield { usage: { prompt_tokens: 2, completion_tokens: 3, completion_tokens_details: { reasoning_tokens: 1 } } };
  }
}

/** Answers with what it is told to. */
class Fixed extends ChatModel {
  readonly #result: PredictResult;
  seen: { readonly messages: readonly ChatMessage[]; readonly params: ChatParams } | undefined;

  constructor(result: PredictResult) {
    super();
    this.#result = result;
  }

  override predict(_context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): PredictResult {
    this.seen = { messages, params };
    return this.#result;
  }
}

Deno.test("POST /v1/completions answers a prompt as a message", async () => {
  const model = new Fixed({ content: "Hello", usage: { prompt_tokens: 1, completion_tokens: 2 } });
  const { json, status } = await complete(testApp({ m: model }), { model: "m", prompt: "Say hello" });
  assertEquals(status, 200);
  const { id, created, ...rest } = json;
  assert(/^cmpl-[\w-]{24}$/.test(id) && Number.isInteger(created));
  assertEquals(rest, {
    object: "text_completion",
    model: "m",
    choices: [{ text: "Hello", index: 0, logprobs: null, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  });
  assertEquals(model.seen, { messages: [{ role: "user", content: "Say hello" }], params: {} });
  validateBody("CreateCompletionResponse", json);
});

Deno.test("POST /v1/completions hands on parameters, sets none, and keeps those it does not know", async () => {
  const model = new Fixed("Hello");
  const params = {
    temperature: 0,
    top_p: 1,
    max_tokens: 5,
    n: 1,
    stop: ["\n"],
    seed: 7,
    frequency_penalty: 1,
    presence_penalty: -1,
    logit_bias: { "50256": -100 },
    user: "ann",
  };
  const app = testApp({ m: model });
  await complete(app, { prompt: "a", ...params, num_ctx: 8192, best_of: 1, echo: false, suffix: null, logprobs: 3 });
  assertEquals(model.seen?.params, { ...params, logprobs: true, top_logprobs: 3, extra: { num_ctx: 8192 } });
});

Deno.test("POST /v1/completions numbers the answers by prompt, then by answer", async () => {
  const app = testApp({ demo: DemoChatModel });
  const prompt = ["One", "Two", "Three"];
  const { json } = await complete(app, { prompt, n: 2 });
  const alone = [];
  for (const one of prompt) alone.push((await complete(app, { prompt: one, n: 2 })).json);
  const texts = alone.flatMap(({ choices }) => choices.map(({ text }: { text: string }) => text));
  assertEquals(json.choices.map(({ text }: { text: string }) => text), texts);
  assertEquals(json.choices.map(({ index }: { index: number }) => index), [0, 1, 2, 3, 4, 5]);
  const total = alone.reduce((sum, { usage }) => sum + usage.total_tokens, 0);
  assertEquals(json.usage.total_tokens, total);
  validateBody("CreateCompletionResponse", json);

  const streamed = await frames(app, { prompt, n: 2, stream_options: { include_usage: true } });
  assertEquals(join(streamed), { texts, reasons: Array(6).fill("stop") });
  assertEquals(streamed.at(-1)?.usage, json.usage);
  assertEquals(streamed.at(-1)?.choices, []);
  assert(streamed.slice(0, -1).every(({ usage }) => usage === null));
  assertEquals(new Set(streamed.map(({ id, object, model, created }) => [id, object, model, created].join())).size, 1);
});

Deno.test("POST /v1/completions streams pieces of text, without usage unless asked", async () => {
  const streamed = await frames(testApp({ demo: DemoChatModel }), { prompt: "Hi there", model: "demo" });
  const { texts: [text = ""], reasons } = join(streamed);
  assertStringIncludes(text, "You said: Hi there");
  assertEquals(reasons, ["stop"]);
  assert(streamed.length > 5);
  for (const frame of streamed) {
    assertEquals(Object.keys(frame), ["id", "object", "created", "model", "choices"]);
    // OpenAI's schema has no null here, though its examples and its servers have.
    validateBody(
      "CreateCompletionResponse",
      JSON.parse(JSON.stringify(frame).replace(/"finish_reason":null/g, '"finish_reason":"stop"')),
    );
  }
});

Deno.test("POST /v1/completions streams the same texts as it gives whole, whatever is asked", async () => {
  const app = testApp({ demo: DemoChatModel });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { minLength: 1, maxLength: 9 }),
      fc.record({ n: fc.integer({ min: 1, max: 3 }), echo: fc.boolean(), max_tokens: fc.integer({ min: 1, max: 20 }) }),
      async (prompt, params) => {
        const { json: { choices, usage } } = await complete(app, { prompt, ...params });
        const streamed = await frames(app, { prompt, ...params, stream_options: { include_usage: true } });
        const { texts, reasons } = join(streamed);
        assertEquals({ texts, reasons }, join([{ choices }]));
        assertEquals(texts.length, prompt.length * params.n);
        assertEquals(streamed.at(-1)?.usage, usage);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("POST /v1/completions repeats the prompts if told to", async () => {
  const app = testApp({ m: new Fixed("!") });
  const long = "x".repeat(20_000);
  const { json } = await complete(app, { prompt: ["Hi", "", long], echo: true });
  assertEquals(json.choices.map(({ text }: { text: string }) => text), ["Hi!", "!", `${long}!`]);
  const { texts } = join(await frames(app, { prompt: ["Hi", "", long], echo: true }));
  assertEquals(texts, ["Hi!", "!", `${long}!`]);
});

Deno.test("POST /v1/completions gives log probabilities in lists, with where tokens begin", async () => {
  const top = [{ token: "Hé😀", logprob: -0.5, bytes: null }, { token: "Ha", logprob: -1, bytes: null }];
  const content = [
    { token: "Hé😀", logprob: -0.5, bytes: null, top_logprobs: top },
    { token: " you", logprob: -2, bytes: null, top_logprobs: [] },
  ];
  const app = testApp({
    m: new Fixed({ choices: [{ message: { content: "Hé😀 you" }, logprobs: { content } }] }),
  });
  const { json } = await complete(app, { prompt: "a", logprobs: 2 });
  const expected = {
    tokens: ["Hé😀", " you"],
    token_logprobs: [-0.5, -2],
    top_logprobs: [{ "Hé😀": -0.5, Ha: -1 }, {}],
    text_offset: [0, 3],
  };
  assertEquals(json.choices[0].logprobs, expected);
  validateBody("CreateCompletionResponse", json);

  const streamed = await frames(testApp({ demo: DemoChatModel }), { prompt: "Hi", logprobs: 0 });
  const pieces = streamed.flatMap(({ choices }) => Array.isArray(choices) ? choices : []);
  const tokens: string[] = pieces.flatMap(({ logprobs }) => logprobs?.tokens ?? []);
  const offsets: number[] = pieces.flatMap(({ logprobs }) => logprobs?.text_offset ?? []);
  assertEquals(tokens.join(""), join(streamed).texts[0]);
  assertEquals(offsets, tokens.map((_, i) => tokens.slice(0, i).join("").length));
  assert(!JSON.stringify(streamed).includes("top_logprobs"));
});

Deno.test("POST /v1/completions leaves out the usage that is not known of all prompts, and thinking", async () => {
  let calls = 0;
  class Once extends ChatModel {
    override predict(): PredictResult {
      const usage = { prompt_tokens: 1, completion_tokens: 1 };
      return { content: "a", reasoning: "Hm", ...(calls++ === 0 && { usage }) };
    }
  }
  const { json } = await complete(testApp({ m: Once }), { prompt: ["a", "b"] });
  assertEquals(Object.keys(json), ["id", "object", "created", "model", "choices"]);
  calls = 0;
  const streamed = await frames(testApp({ m: Once }), { prompt: ["a", "b"], stream_options: { include_usage: true } });
  assertEquals(join(streamed).texts, ["a", "a"]);
  assert(!JSON.stringify(streamed).includes("Hm"));
});

Deno.test("POST /v1/completions hands on further outputs, by prompt where there are several", async () => {
  const app = testApp();
  const one = await complete(app, { prompt: "a" });
  assertEquals(one.json.custom_outputs.messages, [{ role: "user", content: "a" }]);
  const several = await complete(app, { prompt: ["a", "b"] });
  assertEquals(
    several.json.custom_outputs.prompts.map(({ messages }: { messages: ChatMessage[] }) => messages[0]?.content),
    ["a", "b"],
  );
  const streamed = await frames(app, { prompt: ["a", "b"] });
  const told = streamed.filter(({ custom_outputs }) => custom_outputs !== undefined);
  assertEquals(told.length, 1);
});

const TEN = Array.from({ length: 10 }, (_, i) => `p${i}`);

for (const stream of [false, true]) {
  const how = stream ? "streamed" : "not streamed";

  Deno.test(`POST /v1/completions answers a few prompts at a time, ${how}`, async () => {
    const model = new Gated(4);
    const app = testApp({ m: model });
    const answering = stream ? frames(app, { prompt: TEN }) : complete(app, { prompt: TEN });
    await model.full.promise;
    assertEquals(model.asked, TEN.slice(0, 4));
    model.gate.resolve();
    const answer = await answering;
    assertEquals(model.most, 4);
    assertEquals(model.asked, TEN);
    const { texts } = Array.isArray(answer) ? join(answer) : join([answer.json]);
    assertEquals(texts, TEN.map((text) => `(${text})`));
  });

  Deno.test(`POST /v1/completions ends all prompts when one fails, ${how}`, async () => {
    const model = new Gated(4);
    const app = testApp({ m: model });
    const prompt = ["p0", "p1", "p2", "fail", "p4"];
    const answer = await complete(app, { prompt, stream });
    if (stream) {
      const data = await events(answer.text);
      assertStringIncludes(data.at(-1) ?? "", '"code":"overloaded"');
      assertEquals(data.filter((frame) => frame.includes('"error"')).length, 1);
    } else assertError(answer, 503, "overloaded");
    assertEquals(model.asked, prompt.slice(0, 4));
    assertEquals(model.ended.length, 4);
    assertEquals(app.errors.map(({ error }) => error.code), ["overloaded"]);
  });

  Deno.test(`POST /v1/completions ends all prompts when the server stops, ${how}`, async () => {
    const model = new Gated(4);
    const app = testApp({ m: model });
    const answering = complete(app, { prompt: TEN, stream });
    await model.full.promise;
    const reason = new ChatModelError("Cannot finish the answer: the server stops", { code: "server_stopping" });
    app.abort(reason);
    const { text } = await answering;
    assertStringIncludes(text, '"code":"server_stopping"');
    assertEquals(model.ended, [reason, reason, reason, reason]);
    assertEquals(model.asked.length, 4);
  });

  Deno.test(`POST /v1/completions ends all prompts when the client leaves, ${how}`, async () => {
    const model = new Gated(4);
    const app = testApp({ m: model });
    const controller = new AbortController();
    const body = JSON.stringify({ prompt: TEN, stream });
    const { signal } = controller;
    const answering = app.fetch(new Request("http://server.test/v1/completions", { method: "POST", body, signal }));
    await model.full.promise;
    if (stream) {
      const reader = (await answering).body?.getReader();
      await reader?.read();
      await reader?.cancel();
    } else {
      controller.abort();
      assertEquals((await answering).status, 499);
    }
    assertEquals(model.ended.length, 4);
    assertEquals(model.asked.length, 4);
  });
}

Deno.test("POST /v1/completions answers with an error's own status when the first prompts fail at once", async () => {
  class Failing extends ChatModel {
    // deno-lint-ignore require-yield -- it fails before
    override async *predictStream(): AsyncGenerator<PredictPart> {
      await Promise.resolve();
      throw new ChatModelError("Cannot answer: too busy", { code: "overloaded" });
    }
  }
  const app = testApp({ m: Failing });
  for (const prompt of ["a", ["a", "b"]]) {
    assertError(await complete(app, { prompt, stream: true }), 503, "overloaded");
    assertError(await complete(app, { prompt }), 503, "overloaded");
  }
});

Deno.test("POST /v1/completions writes no longer lines than clients read", async () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, "x".repeat(10_000)]));
  const split = await complete(testApp({ m: new Fixed({ content: "a", custom_outputs: many }) }), {
    prompt: "a",
    stream: true,
  });
  assert(split.text.endsWith("data: [DONE]\n\n"), split.text.slice(-200));
  assert(split.text.length > 90_000 && Math.max(...split.text.split("\n").map(({ length }) => length)) <= 65_536);
  const app = testApp({ m: new Fixed({ content: "a", custom_outputs: { long: "x".repeat(70_000) } }) });
  const { text } = await complete(app, { prompt: "a", stream: true });
  assertStringIncludes(text, '"code":"chunk_too_long"');
  assert(!text.includes("[DONE]") && text.length < 1000, text.slice(0, 500));
  assertEquals((await complete(app, { prompt: "a" })).json.custom_outputs.long.length, 70_000);
});

for (
  const { name, body, param } of [
    { name: "no prompt", body: {}, param: "prompt" },
    { name: "a prompt that is null", body: { prompt: null }, param: "prompt" },
    { name: "a prompt that is a number", body: { prompt: 1 }, param: "prompt" },
    { name: "token ids", body: { prompt: [1, 2] }, param: "prompt" },
    { name: "lists of token ids", body: { prompt: [[1, 2], [3]] }, param: "prompt" },
    { name: "no prompts", body: { prompt: [] }, param: "prompt" },
    { name: "2049 prompts", body: { prompt: Array(2049).fill("a") }, param: "prompt" },
    { name: "a prompt among others that is no text", body: { prompt: ["a", 1] }, param: "prompt.1" },
    { name: "a suffix", body: { prompt: "a", suffix: "b" }, param: "suffix" },
    { name: "best_of more than n", body: { prompt: "a", best_of: 2 }, param: "best_of" },
    { name: "best_of less than n", body: { prompt: "a", best_of: 1, n: 2 }, param: "best_of" },
    { name: "logprobs beside echo", body: { prompt: "a", echo: true, logprobs: 0 }, param: "logprobs" },
    { name: "6 logprobs", body: { prompt: "a", logprobs: 6 }, param: "logprobs" },
    { name: "logprobs that are true", body: { prompt: "a", logprobs: true }, param: "logprobs" },
    { name: "n of 0", body: { prompt: "a", n: 0 }, param: "n" },
    { name: "messages", body: { prompt: "a", messages: [] }, param: "messages" },
    { name: "tools", body: { prompt: "a", tools: [] }, param: "tools" },
    { name: "max_completion_tokens", body: { prompt: "a", max_completion_tokens: 1 }, param: "max_completion_tokens" },
    { name: "store", body: { prompt: "a", store: true }, param: "store" },
  ]
) {
  Deno.test(`POST /v1/completions refuses ${name}`, async () => {
    const app = testApp();
    for (const stream of [false, true]) {
      assertError(await complete(app, { ...body, stream }), 400, "invalid_value", param);
    }
  });
}

Deno.test("POST /v1/completions says why token ids are refused", async () => {
  const { json } = await complete(testApp(), { prompt: [1, 2] });
  assertStringIncludes(json.error.message, "token ids");
});

Deno.test("POST /v1/completions refuses models that are not there, and other methods", async () => {
  const app = testApp();
  assertError(await complete(app, { prompt: "a", model: "none" }), 404, "model_not_found", "model");
  assertError(
    await complete(app, { prompt: ["a", "b"], model: "none", stream: true }),
    404,
    "model_not_found",
    "model",
  );
  assertError(await send(app, "/v1/completions"), 405, "method_not_supported");
});

Deno.test("POST /v1/completions does not lose calls, or mistake answers that no one asked for", async () => {
  const call = { function: { name: "add", arguments: "{}" } };
  const results: readonly PredictResult[] = [
    { content: "a", tool_calls: [call] },
    { choices: [{ message: { content: "a" } }, { message: { content: "b" } }] },
  ];
  for (const result of results) {
    const app = testApp({ m: new Fixed(result) });
    for (const prompt of ["a", ["a", "b"]]) {
      assertError(await complete(app, { prompt }), 500, "invalid_model_output");
      const { text } = await complete(app, { prompt, stream: true });
      assertStringIncludes(text, '"code":"invalid_model_output"');
    }
  }
});

Deno.test("POST /v1/completions tells of an end by length or filter, and gives a refusal as text", async () => {
  for (const [finish_reason, said] of [["length", "length"], ["content_filter", "content_filter"]] as const) {
    const app = testApp({ m: new Fixed({ content: "a", finish_reason }) });
    assertEquals((await complete(app, { prompt: "a" })).json.choices[0].finish_reason, said);
    assertEquals(join(await frames(app, { prompt: "a" })).reasons, [said]);
  }
  const app = testApp({ m: new Fixed({ refusal: "No" }) });
  assertEquals((await complete(app, { prompt: "a" })).json.choices[0].text, "No");
  assertEquals(join(await frames(app, { prompt: "a" })).texts, ["No"]);
});

Deno.test("POST /v1/completions loads a model while it opens the stream of several prompts", async () => {
  class Slow extends Parrot {
    override async loadContext(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const app = testApp({ m: Slow }, { statusWait: 1 });
  const { texts } = join(await frames(app, { prompt: ["a", "b"] }));
  assertEquals(texts, ["parrot: a", "parrot: b"]);
});

Deno.test("openai's client gets completions, whole and streamed", async () => {
  const server = await listen(createApp({ demo: DemoChatModel }), { port: 0 });
  try {
    const baseURL = `http://127.0.0.1:${server.addr.port}/v1`;
    const { completions } = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
    const whole = await completions.create({ model: "demo", prompt: "Hello", logprobs: 1 });
    const text = whole.choices[0]?.text ?? "";
    assert(text.endsWith("You said: Hello"), text);
    assertEquals(whole.choices[0]?.logprobs?.tokens?.join(""), text);
    let joined = "";
    const pieces = await completions.create({
      model: "demo",
      prompt: ["Hello"],
      stream: true,
      stream_options: { include_usage: true },
    });
    let total: number | undefined;
    for await (const { choices, usage } of pieces) {
      joined += choices[0]?.text ?? "";
      total = usage?.total_tokens;
    }
    assertEquals([joined, total], [text, whole.usage?.total_tokens]);
    await assertRejects(() => completions.create({ model: "demo", prompt: [1, 2] }), BadRequestError, "token ids");
  } finally {
    server.shutdown();
    await server.finished;
  }
});

Deno.test("openai's client ends all prompts when it leaves a stream", async () => {
  const model = new Gated(4);
  const server = await listen(createApp({ m: model }), { port: 0 });
  try {
    const baseURL = `http://127.0.0.1:${server.addr.port}/v1`;
    const { completions } = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
    for await (const { choices } of await completions.create({ model: "m", prompt: TEN, stream: true })) {
      assertEquals(choices[0]?.text, "(");
      break;
    }
    while (model.ended.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(model.asked, TEN.slice(0, 4));
  } finally {
    server.shutdown();
    await server.finished;
  }
});
