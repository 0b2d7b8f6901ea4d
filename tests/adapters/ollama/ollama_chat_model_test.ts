import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type ChatCompletionChunk,
  type ChatCompletionRequest,
  ChatModelError,
  loadChatModel,
  type LoadedChatModel,
  ModelNotFoundError,
  UpstreamError,
  ValidationError,
} from "../../../mod.ts";
import { OllamaChatModel, type OllamaChatModelOptions, OllamaClient } from "../../../adapters/ollama/mod.ts";
import {
  type Answer,
  type FakeUpstream,
  json,
  ndjson,
  startFakeUpstream,
  type UpstreamRequest,
} from "../../support/fake_upstream.ts";

const MESSAGES: ChatCompletionRequest["messages"] = [{ role: "user", content: "Hi" }];
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const WEATHER = {
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
} as const;
const DONE = {
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
  prompt_eval_count: 3,
  eval_count: 2,
};

function answer(content: string, more: object = {}): object {
  return { ...DONE, message: { role: "assistant", content }, ...more };
}

function text(content: string): object {
  return { message: { role: "assistant", content }, done: false };
}

async function load(
  upstream: FakeUpstream,
  options: Partial<OllamaChatModelOptions> = {},
): Promise<LoadedChatModel> {
  const client = new OllamaClient({ host: upstream.url, retries: 0 });
  return await loadChatModel(new OllamaChatModel({ model: "m", client, ...options }));
}

async function read(stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function bodies(upstream: FakeUpstream, path = "/api/chat"): { readonly [name: string]: unknown }[] {
  return upstream.requests.filter((request) => request.path === path).map(({ body }) => JSON.parse(body));
}

/** Answers `/api/show` with these capabilities, all else with the chat's answer. */
function withCapabilities(capabilities: readonly string[] | undefined, chat: Answer) {
  return (request: UpstreamRequest) =>
    request.path === "/api/show" ? json(capabilities === undefined ? {} : { capabilities }) : chat;
}

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

const IMAGE: ChatCompletionRequest["messages"] = [{
  role: "user",
  content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }],
}];
const SOUND: ChatCompletionRequest["messages"] = [{
  role: "user",
  content: [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }],
}];

Deno.test("OllamaChatModel sends images and sound to models that see and hear, and to servers that do not tell", async () => {
  for (const capabilities of [["vision", "audio"], undefined]) {
    await using upstream = await startFakeUpstream(withCapabilities(capabilities, json(answer("x"))));
    const model = await load(upstream);
    await model.predict({ messages: [...IMAGE, ...SOUND] });
    assertEquals(bodies(upstream)[0]?.messages, [
      { role: "user", content: "", images: [PNG] },
      { role: "user", content: "", images: ["UklGRg=="] },
    ]);
  }
});

Deno.test("OllamaChatModel refuses images and sound for models that cannot take them", async () => {
  await using upstream = await startFakeUpstream(withCapabilities(["completion"], json(answer("x"))));
  const model = await load(upstream);
  const error = await assertRejects(() => model.predict({ messages: [...SOUND, ...IMAGE] }), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), ["messages.1.content.0", "messages.0.content.0"]);
  assertEquals([error.status, error.code], [400, "unsupported_value"]);
  assertEquals(bodies(upstream), []);
});

Deno.test("OllamaChatModel fetches images from allowed hosts and keeps their order", async () => {
  await using upstream = await startFakeUpstream(withCapabilities(["vision"], json(answer("x"))));
  const bytes = Uint8Array.from(atob(PNG), (c) => c.charCodeAt(0));
  await using images = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response(bytes));
  const url = `http://127.0.0.1:${images.addr.port}/a.png`;
  const model = await load(upstream, { allowedImageHosts: ["127.0.0.1"] });
  await model.predict({
    messages: [
      ...MESSAGES,
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: `data:image/gif;base64,${btoa("GIF89a")}` } },
          { type: "image_url", image_url: { url } },
        ],
      },
    ],
  });
  assertEquals(bodies(upstream)[0]?.messages, [
    { role: "user", content: "Hi" },
    { role: "user", content: "", images: [btoa("GIF89a"), PNG] },
  ]);

  const strict = await load(upstream);
  const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }] as const;
  const error = await assertRejects(() => strict.predict({ messages }), ValidationError, "allowedImageHosts");
  assertEquals(error.param, "messages.0.content.0.image_url.url");
});

Deno.test("OllamaChatModel makes a demanded call of the constrained answer, and none of it leaks as text", async () => {
  const call = '{"name": "weather", "arguments": {"city": "Paris"}}';
  await using upstream = await startFakeUpstream((_, index) =>
    index === 0 ? ndjson([...[...call].map(text), DONE]) : json(answer(call))
  );
  const model = await load(upstream);
  const request = { messages: MESSAGES, tools: [WEATHER], tool_choice: "required" } as const;
  const chunks = await read(model.predictStream(request));
  assertEquals(chunks.flatMap(({ choices }) => choices[0]?.delta.content || []), []);
  const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assertEquals(pieces[0]?.function?.name, "weather");
  assertEquals(JSON.parse(pieces.map((piece) => piece.function?.arguments ?? "").join("")), { city: "Paris" });
  assertEquals(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []), ["tool_calls"]);

  const { choices: [choice] } = await model.predict(request);
  assertEquals([choice?.message.content, choice?.finish_reason], [null, "tool_calls"]);
  assertEquals(choice?.message.tool_calls?.length, 1);
  for (const body of bodies(upstream)) {
    assertEquals(body.format, {
      type: "object",
      properties: {
        name: { type: "string", enum: ["weather"] },
        arguments: { type: "object", properties: { city: { type: "string" } } },
      },
      required: ["name", "arguments"],
      additionalProperties: false,
    });
  }
});

Deno.test("OllamaChatModel answers functions in the deprecated form", async () => {
  const call = { function: { name: "weather", arguments: { city: "Oslo" } } };
  await using upstream = await startFakeUpstream([
    json(answer("", { message: { role: "assistant", content: "", tool_calls: [call, call] } })),
  ]);
  const model = await load(upstream);
  const { choices: [choice], custom_outputs } = await model.predict({
    messages: MESSAGES,
    functions: [WEATHER.function],
  });
  assertEquals(choice?.message.function_call, { name: "weather", arguments: '{"city":"Oslo"}' });
  assertEquals(choice?.finish_reason, "function_call");
  assertEquals(custom_outputs, { ollama: { dropped_tool_calls: 1 } });
});

Deno.test("OllamaChatModel keeps the first call where only one is wanted", async () => {
  const call = (city: string) => ({
    message: { role: "assistant", content: "", tool_calls: [{ function: { name: "weather", arguments: { city } } }] },
    done: false,
  });
  await using upstream = await startFakeUpstream([ndjson([call("Oslo"), call("Rome"), DONE])]);
  const model = await load(upstream);
  const chunks = await read(
    model.predictStream({ messages: MESSAGES, tools: [WEATHER], parallel_tool_calls: false }),
  );
  const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assertEquals(pieces.map((piece) => piece.function?.arguments ?? "").join(""), '{"city":"Oslo"}');
});

const FORMAT = {
  type: "json_schema",
  json_schema: {
    name: "weather",
    schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
} as const;

Deno.test("OllamaChatModel fails instead of ending an answer that breaks its schema", async () => {
  await using upstream = await startFakeUpstream((_, index) =>
    index === 0 ? json(answer('{"city": 5}')) : ndjson([text('{"city"'), text(": 5}"), DONE])
  );
  const model = await load(upstream);
  const request = { messages: MESSAGES, response_format: FORMAT };
  const error = await assertRejects(() => model.predict(request), UpstreamError, '"city" is wrong by "type"');
  assertEquals([error.status, error.code], [502, "invalid_structured_output"]);

  const chunks: ChatCompletionChunk[] = [];
  const streamed = await assertRejects(async () => {
    for await (const chunk of model.predictStream(request)) chunks.push(chunk);
  }, UpstreamError);
  assertEquals(streamed.code, "invalid_structured_output");
  assertEquals(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), '{"city": 5}');
  assertEquals(chunks.filter(({ choices }) => choices[0]?.finish_reason), []);
});

Deno.test("OllamaChatModel lets an answer through that follows its schema, or that was cut off", async () => {
  await using upstream = await startFakeUpstream([
    json(answer('{"city": "Paris"}')),
    json(answer('{"city": "Pa', { done_reason: "length", eval_count: 4 })),
  ]);
  const model = await load(upstream);
  const request = { messages: MESSAGES, response_format: FORMAT, max_tokens: 4 };
  assertEquals((await model.predict(request)).choices[0]?.finish_reason, "stop");
  const cut = await model.predict(request);
  assertEquals([cut.choices[0]?.finish_reason, cut.choices[0]?.message.content], ["length", '{"city": "Pa']);
});

Deno.test("OllamaChatModel gives several answers by several calls with seeds of their own", async () => {
  await using upstream = await startFakeUpstream((request) => {
    const { options: { seed }, stream } = JSON.parse(request.body);
    const end = { eval_count: seed, total_duration: seed * 1e6 };
    return stream ? ndjson([text(`a${seed}`), text("!"), { ...DONE, ...end }]) : json(answer(`a${seed}!`, end));
  });
  const model = await load(upstream);
  const request = { messages: MESSAGES, n: 3, seed: 5 };
  const response = await model.predict(request);
  assertEquals(response.choices.map(({ index, message }) => [index, message.content]), [
    [0, "a5!"],
    [1, "a6!"],
    [2, "a7!"],
  ]);
  const usage = { prompt_tokens: 3, completion_tokens: 18, total_tokens: 21 };
  const outputs = {
    ollama: { choices: [{ total_duration: 5 }, { total_duration: 6 }, { total_duration: 7 }] },
  };
  assertEquals([response.usage, response.custom_outputs], [usage, outputs]);

  const chunks = await read(model.predictStream(request));
  const texts = ["", "", ""];
  for (const { index, delta } of chunks.flatMap(({ choices }) => choices)) texts[index] += delta.content ?? "";
  assertEquals(texts, ["a5!", "a6!", "a7!"]);
  const finishes = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.finish_reason !== null);
  assertEquals(finishes.map(({ index, finish_reason }) => [index, finish_reason]), [
    [0, "stop"],
    [1, "stop"],
    [2, "stop"],
  ]);
  assertEquals(chunks.at(-1)?.usage, usage);
  assertEquals(chunks.flatMap(({ custom_outputs }) => custom_outputs ?? []), [outputs]);
});

Deno.test("OllamaChatModel makes up no seeds for several answers", async () => {
  await using upstream = await startFakeUpstream([json(answer("x"))]);
  const model = await load(upstream);
  await model.predict({ messages: MESSAGES, n: 2 });
  assertEquals(bodies(upstream).map(({ options }) => options), [undefined, undefined]);
});

Deno.test("OllamaChatModel ends all of several calls when one fails", async () => {
  const failing: Answer = [{ wait: 30 }, ...json({ error: "broken" }, { status: 500 }), "close"];
  const failingLater: Answer = [...ndjson([text("x"), '{"error":"broken"}']), "close"];
  const begun = ndjson([text("y")], { end: "stall" });
  const silent: Answer = ["stall"];
  for (
    const [streamed, third, others] of [
      [false, failing, silent],
      [true, failing, silent],
      [true, failing, begun],
      [true, failingLater, begun],
    ] as const
  ) {
    await using upstream = await startFakeUpstream((_, index) => index === 2 ? third : others);
    const model = await load(upstream);
    const request = { messages: MESSAGES, n: 3 };
    const error = await assertRejects(
      async () => streamed ? await read(model.predictStream(request)) : await model.predict(request),
      ChatModelError,
      "broken",
    );
    assertEquals(error.status, 502);
    assertEquals(upstream.requests.length, 3);
    await upstream.allClosed();
  }
});

Deno.test("OllamaChatModel ends its calls when they are cancelled, before and after the first token", async () => {
  const reason = new Error("No longer wanted");
  const silent: Answer = ["stall"];
  const begun = ndjson([text("Hi")], { end: "stall" });
  for (const n of [1, 2]) {
    for (const [streamed, chat] of [[false, silent], [true, silent], [true, begun]] as const) {
      await using upstream = await startFakeUpstream([chat]);
      const model = await load(upstream);
      const controller = new AbortController();
      const { signal } = controller;
      const request = { messages: MESSAGES, n };
      const running = streamed ? read(model.predictStream(request, { signal })) : model.predict(request, { signal });
      const outcome = Promise.resolve(running).then(() => "an answer", (error) => error);
      await upstream.requested(n);
      controller.abort(reason);
      assertEquals(await outcome, reason);
      await upstream.allClosed();
      assert(upstream.connections.every(({ closedByPeer }) => closedByPeer));
    }
  }
});

Deno.test("OllamaChatModel ends its calls when no one reads on", async () => {
  for (const n of [1, 2]) {
    await using upstream = await startFakeUpstream([ndjson([text("Hi")], { end: "stall" })]);
    const model = await load(upstream);
    for await (const chunk of model.predictStream({ messages: MESSAGES, n })) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await upstream.allClosed();
    assertEquals(upstream.connections.length, n);
  }
});

/** Has no model until it is pulled. */
function withoutModel(events: readonly object[]) {
  let pulled = false;
  return (request: UpstreamRequest): Answer => {
    if (request.path === "/api/pull") {
      pulled = true;
      return ndjson(events);
    }
    if (!pulled) return json({ error: "model 'm' not found" }, { status: 404 });
    return JSON.parse(request.body).stream ? ndjson([text("x"), DONE]) : json(answer("x"));
  };
}

const EVENTS = [
  { status: "pulling manifest" },
  { status: "pulling abc", digest: "sha256:abc", total: 10, completed: 5 },
  { status: "success" },
];

Deno.test("OllamaChatModel says how to get a missing model, and pulls nothing unasked", async () => {
  await using upstream = await startFakeUpstream(withoutModel(EVENTS));
  const model = await load(upstream);
  await assertRejects(() => model.predict({ messages: MESSAGES }), ModelNotFoundError, "ollama pull m");
  assertEquals(bodies(upstream, "/api/pull"), []);
});

Deno.test("OllamaChatModel pulls a missing model if told to, and tells of the progress", async () => {
  for (const streamed of [false, true]) {
    await using upstream = await startFakeUpstream(withoutModel(EVENTS));
    const seen: unknown[] = [];
    const model = await load(upstream, { pullMissing: (progress) => seen.push(progress) });
    const request = { messages: MESSAGES };
    if (streamed) await read(model.predictStream(request));
    else await model.predict(request);
    assertEquals(seen, EVENTS);
    assertEquals(upstream.requests.map(({ path }) => path), ["/api/chat", "/api/pull", "/api/chat"]);
  }
});

Deno.test("OllamaChatModel pulls a missing model for several answers, once for all", async () => {
  await using upstream = await startFakeUpstream(withoutModel(EVENTS));
  const model = await load(upstream, { pullMissing: true });
  const chunks = await read(model.predictStream({ messages: MESSAGES, n: 2 }));
  assertEquals(chunks.filter(({ choices }) => choices[0]?.finish_reason === "stop").length, 2);
  assertEquals(bodies(upstream, "/api/pull").length, 1);
});

Deno.test("OllamaChatModel pulls once for requests that find the model missing together", async () => {
  await using upstream = await startFakeUpstream((request) => {
    const missing = !upstreamRequests().some(({ path }) => path === "/api/pull");
    if (request.path === "/api/pull") return [{ wait: 50 }, ...ndjson(EVENTS)];
    return missing ? json({ error: "model 'm' not found" }, { status: 404 }) : json(answer("x"));
  });
  const upstreamRequests = () => upstream.requests.slice(0, -1);
  const model = await load(upstream, { pullMissing: true });
  await Promise.all([model.predict({ messages: MESSAGES }), model.predict({ messages: MESSAGES })]);
  assertEquals(bodies(upstream, "/api/pull").length, 1);
});

Deno.test("OllamaChatModel hands on why a model cannot be pulled, and tries again the next time", async () => {
  const missing = json({ error: "model 'm' not found" }, { status: 404 });
  const failing = ndjson([{ status: "pulling manifest" }, { error: "pull model manifest: file does not exist" }]);
  await using upstream = await startFakeUpstream(({ path }) => path === "/api/pull" ? failing : missing);
  const model = await load(upstream, { pullMissing: true });
  for (let times = 1; times <= 2; times++) {
    await assertRejects(() => model.predict({ messages: MESSAGES }), ChatModelError, "file does not exist");
    assertEquals(bodies(upstream, "/api/pull").length, times);
  }
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
