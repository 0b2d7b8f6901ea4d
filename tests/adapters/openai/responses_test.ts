/** An upstream that is asked by its `/responses`: our own server, and hostile ones. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import { OpenAIChatModel } from "../../../adapters/openai/mod.ts";
import { convertResponseRequest } from "../../../adapters/openai/convert_response_request.ts";
import { ResponseChunks } from "../../../adapters/openai/response_chunks.ts";
import { accumulate } from "../../../streaming/mod.ts";
import { ChatModel, ChatModelError, loadChatModel, type ModelContext, type PredictPart } from "../../../mod.ts";
import { createApp, listen } from "../../../serve.ts";
import type { ChatMessage, ChatParams } from "../../../types/mod.ts";
import { type Answer, json, startFakeUpstream, text } from "../../support/fake_upstream.ts";
import { sse, type SseOptions } from "./_stack.ts";

const MESSAGES: readonly ChatMessage[] = [{ role: "user", content: "What is the weather in Rome?" }];

class Script extends ChatModel {
  override *predictStream(_context: ModelContext, messages: readonly ChatMessage[], params: ChatParams) {
    const parts: Record<string, readonly PredictPart[]> = {
      thinks: [{ reasoning: "Hm " }, { reasoning: "so" }, "Fine", " then"],
      refuses: [{ refusal: "I will " }, { refusal: "not" }],
      "is cut": ["Once upon", { finish_reason: "length" }],
      mirrors: ["ok", { custom_outputs: { messages, params } }],
    };
    const first = messages[0]?.content;
    yield* parts[typeof first === "string" ? first : ""] ?? ["?"];
    yield { usage: { prompt_tokens: 3, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 2 } } };
  }
}

async function startServer(): Promise<{ readonly baseUrl: string } & AsyncDisposable> {
  const server = await listen(createApp({ demo: DemoChatModel, script: Script }, { onError: () => {} }), { port: 0 });
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
    },
  };
}

function load(baseUrl: string, model = "script") {
  return loadChatModel(new OpenAIChatModel({ model, baseUrl, api: "responses" }));
}

const say = (content: string) => ({ messages: [{ role: "user" as const, content }] });

for (const streamed of [false, true]) {
  const way = streamed ? "streamed" : "whole";
  const asked = async (
    baseUrl: string,
    request: Parameters<Awaited<ReturnType<typeof load>>["predict"]>[0],
    name?: string,
  ) => {
    const model = await load(baseUrl, name);
    return streamed ? await accumulate(model.predictStream(request)) : await model.predict(request);
  };

  Deno.test(`OpenAIChatModel with api "responses" gives thinking, words and usage when they come ${way}`, async () => {
    await using server = await startServer();
    const { choices: [choice], usage, model } = await asked(server.baseUrl, say("thinks"));
    assertEquals([choice?.message.reasoning, choice?.message.content], ["Hm so", "Fine then"]);
    assertEquals([choice?.finish_reason, model], ["stop", "script"]);
    assertEquals([usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens], [3, 4, 7]);
    assertEquals(usage?.prompt_tokens_details?.cached_tokens, 2);
  });

  Deno.test(`OpenAIChatModel with api "responses" gives the summary asked for when it comes ${way}`, async () => {
    await using server = await startServer();
    const { choices: [choice] } = await asked(server.baseUrl, { ...say("thinks"), reasoning: { summary: "auto" } });
    assertEquals(choice?.message.reasoning, "Hm so");
  });

  Deno.test(`OpenAIChatModel with api "responses" gives refusals and cut answers when they come ${way}`, async () => {
    await using server = await startServer();
    const { choices: [refusal] } = await asked(server.baseUrl, say("refuses"));
    assertEquals([refusal?.message.refusal, refusal?.message.content], ["I will not", null]);
    const { choices: [cut] } = await asked(server.baseUrl, say("is cut"));
    assertEquals([cut?.message.content, cut?.finish_reason], ["Once upon", "length"]);
  });

  Deno.test(`OpenAIChatModel with api "responses" answers as with "chat" when it comes ${way}`, async () => {
    await using server = await startServer();
    const requests: Record<string, ChatParams> = {
      text: {},
      "a tool call": {
        tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }],
        tool_choice: "required",
      },
      "a named tool": {
        tools: [{ type: "function", function: { name: "a" } }, { type: "function", function: { name: "b" } }],
        tool_choice: { type: "function", function: { name: "b" } },
      },
      functions: { functions: [{ name: "old" }], function_call: { name: "old" } },
      "structured output": {
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "s",
            schema: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
          },
        },
      },
      "log probabilities": { logprobs: true, top_logprobs: 2 },
      "few tokens": { max_tokens: 3 },
    };
    for (const [name, params] of Object.entries(requests)) {
      const chat = await loadChatModel(new OpenAIChatModel({ model: "demo", baseUrl: server.baseUrl }));
      const [other] = (await chat.predict({ messages: MESSAGES, ...params })).choices;
      const [choice] = (await asked(server.baseUrl, { messages: MESSAGES, ...params }, "demo")).choices;
      const plain = (value: typeof choice) => {
        const called = value?.message.function_call ?? value?.message.tool_calls?.map(({ id: _, ...call }) => call);
        return [
          value?.finish_reason === "function_call" ? "tool_calls" : value?.finish_reason,
          value?.message.content ?? "",
          called,
        ];
      };
      if (name === "functions") {
        assertEquals(choice?.message.tool_calls?.[0]?.type, "function", name);
        assert(other?.message.function_call !== undefined);
      } else assertEquals(plain(choice), plain(other), name);
      if (name === "log probabilities") assertEquals(choice?.logprobs?.content, other?.logprobs?.content);
    }
  });
}

Deno.test(`OpenAIChatModel with api "responses" sends a conversation that our server reads as the same`, async () => {
  await using server = await startServer();
  const messages: readonly ChatMessage[] = [
    { role: "system", content: "mirrors" },
    { role: "developer", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] },
    {
      role: "user",
      content: [
        { type: "text", text: "Look" },
        { type: "image_url", image_url: { url: "https://x.test/a.png", detail: "low" } },
        { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
        { type: "file", file: { file_data: "data:text/plain;base64,AAAA", filename: "a.txt" } },
      ],
    },
    {
      role: "assistant",
      content: "Let me see",
      tool_calls: [
        { id: "c1", type: "function", function: { name: "f", arguments: "{}" } },
        { id: "c2", type: "custom", custom: { name: "g", input: "x" } },
      ],
    },
    { role: "tool", tool_call_id: "c1", content: "one" },
    { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "two" }, { type: "text", text: "three" }] },
    { role: "assistant", content: [{ type: "text", text: "no" }, { type: "refusal", refusal: "never" }] },
    { role: "user", content: "Go on" },
  ];
  const params = {
    temperature: 0.5,
    seed: 4,
    stop: ["x"],
    max_completion_tokens: 9,
    reasoning_effort: "low",
    x_own: 1,
  };
  const { custom_outputs: outputs } = await (await load(server.baseUrl)).predict({ messages, ...params });
  assertEquals(outputs?.messages, messages);
  const { x_own, ...named } = params;
  assertEquals(outputs?.params, { ...named, reasoning: { effort: "low" }, store: false, extra: { x_own } });
});

const SETUP = { model: "m", defaults: {}, stream: false } as const;

Deno.test("convertResponseRequest() never asks the server to keep anything", () => {
  assertEquals(convertResponseRequest(MESSAGES, { store: true }, SETUP), { model: "m", input: MESSAGES, store: false });
});

Deno.test("convertResponseRequest() renames what has other names there", () => {
  const body = convertResponseRequest(MESSAGES, {
    max_tokens: 5,
    verbosity: "low",
    response_format: { type: "json_object" },
    logprobs: true,
    top_logprobs: 1,
    reasoning: { summary: "auto" },
    reasoning_effort: "high",
    tools: [
      { type: "function", function: { name: "f", strict: true } },
      { type: "function", function: { name: "h" } },
      {
        type: "custom",
        custom: { name: "g", format: { type: "grammar", grammar: { syntax: "lark", definition: "d" } } },
      },
    ],
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
    },
    stream_options: { include_usage: true, include_obfuscation: false },
    extra: { include: ["reasoning.encrypted_content"] },
  }, { ...SETUP, stream: { usage: true } });
  assertEquals(body, {
    model: "m",
    input: MESSAGES,
    max_output_tokens: 5,
    text: { format: { type: "json_object" }, verbosity: "low" },
    include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
    top_logprobs: 1,
    reasoning: { summary: "auto", effort: "high" },
    tools: [
      { type: "function", name: "f", strict: true },
      { type: "function", name: "h", strict: false },
      { type: "custom", name: "g", format: { type: "grammar", syntax: "lark", definition: "d" } },
    ],
    tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
    stream: true,
    stream_options: { include_obfuscation: false },
    store: false,
  });
});

Deno.test("convertResponseRequest() refuses what the API has no place for", () => {
  const requests: readonly (readonly [string, ChatParams, ChatMessage?])[] = [
    ["n", { n: 2 }],
    ["modalities", { modalities: ["text", "audio"] }],
    ["audio", { audio: { voice: "v" } }],
    ["prediction", { prediction: {} }],
    ["web_search_options", { web_search_options: {} }],
    ["messages.0.name", {}, { role: "user", content: "hi", name: "u" }],
    ["messages.0.audio", {}, { role: "assistant", audio: { id: "a" } }],
  ];
  for (const [param, params, message] of requests) {
    const messages = message === undefined ? MESSAGES : [message];
    const error = assertThrows(() => convertResponseRequest(messages, params, SETUP), ChatModelError);
    assertEquals([error.status, error.code, error.param], [400, "unsupported_feature", param]);
  }
  convertResponseRequest(MESSAGES, { n: 1, modalities: ["text"] }, SETUP);
});

Deno.test("convertResponseRequest() ties the deprecated form of a call to its result", () => {
  const { input } = convertResponseRequest(
    [
      ...MESSAGES,
      { role: "assistant", function_call: { name: "f", arguments: "{}" } },
      { role: "function", name: "f", content: "7" },
    ],
    {},
    SETUP,
  );
  assertEquals(input, [
    ...MESSAGES,
    { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "call_1", output: "7" },
  ]);
});

const HEAD = { id: "resp_1", object: "response", created_at: 7, model: "m-1" };
const created = { type: "response.created", response: { ...HEAD, status: "in_progress", output: [] } };
const added = { type: "response.output_item.added", output_index: 0, item: { type: "message", id: "i", content: [] } };
const delta = (delta: unknown) => ({ type: "response.output_text.delta", output_index: 0, content_index: 0, delta });
const message = (text: string) => ({ type: "message", role: "assistant", content: [{ type: "output_text", text }] });
const completed = (output: readonly unknown[], rest = {}) => ({
  type: "response.completed",
  response: { ...HEAD, status: "completed", error: null, output, ...rest },
});
const USAGE = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };

function content(events: readonly Record<string, unknown>[]): string {
  const chunks = new ResponseChunks({ model: "m", url: "u" });
  let text = "";
  for (const chunk of events.flatMap((event) => chunks.push(event))) {
    const [choice] = Array.isArray(chunk.choices) ? chunk.choices : [];
    text += choice?.delta?.content ?? "";
  }
  return text;
}

Deno.test("ResponseChunks gives each text once, wherever it stands", () => {
  const done = { type: "response.output_item.done", output_index: 0, item: message("One two") };
  const all = [created, added, delta("One "), delta("two"), done, completed([message("One two")])];
  assertEquals(content(all), "One two");
  assertEquals(content([created, completed([message("One two")])]), "One two", "only in the end");
  assertEquals(
    content([created, added, delta("One "), completed([message("One two")])]),
    "One two",
    "half of it before",
  );
  assertEquals(content([created, added, done, completed([])]), "One two", "only when its item is done");
  assertEquals(content([completed([message("One"), message(" two")])]), "One two", "two items");
});

Deno.test("ResponseChunks tells items apart by their ids where they have no positions, as with llama.cpp", () => {
  const item = { type: "message", id: "msg", content: [] };
  const events = [
    { type: "response.created", response: { ...HEAD, status: "in_progress" } },
    { type: "response.output_item.added", item: { type: "reasoning", id: "rs", summary: [], content: [] } },
    { type: "response.reasoning_text.delta", item_id: "rs", delta: "Because" },
    { type: "response.output_item.added", item },
    { type: "response.output_text.delta", item_id: "msg", delta: "There" },
    { type: "response.output_text.delta", item_id: "msg", delta: "fore" },
    {
      type: "response.output_item.done",
      item: { type: "reasoning", id: "rs", summary: [], content: [{ type: "reasoning_text", text: "Because" }] },
    },
    { type: "response.output_item.done", item: { ...message("Therefore"), id: "msg" } },
    completed([
      { type: "reasoning", id: "rs", content: [{ type: "reasoning_text", text: "Because" }] },
      { ...message("Therefore"), id: "msg" },
    ]),
  ];
  const deltas = lastOf(events).map((chunk) => JSON.stringify(Reflect.get(Object(chunk), "choices")[0].delta));
  assertEquals(deltas, ['{"reasoning":"Because"}', '{"content":"There"}', '{"content":"fore"}', "{}"]);
  assertEquals(
    content(events.map((event) =>
      JSON.parse(
        JSON.stringify(event).replace(/"(item_)?id":"(rs|msg)",?/g, "")
          .replace(/,}/g, "}"),
      )
    )),
    "Therefore",
    "without ids as well",
  );
});

function lastOf(events: readonly Record<string, unknown>[]): unknown[] {
  const chunks = new ResponseChunks({ model: "m", url: "u" });
  return events.flatMap((event) => chunks.push(event));
}

Deno.test("ResponseChunks gives thinking once where it is told as text and as summary", () => {
  const item = {
    type: "reasoning",
    summary: [{ type: "summary_text", text: "short" }],
    content: [{ type: "reasoning_text", text: "long" }, { type: "reasoning_text", text: "er" }],
  };
  const deltas = lastOf([completed([item])]).map((chunk) =>
    JSON.stringify(Reflect.get(Object(chunk), "choices")[0].delta)
  );
  assertEquals(deltas, ['{"reasoning":"long"}', '{"reasoning":"\\n\\ner"}', "{}"]);
});

Deno.test("ResponseChunks keeps the items of the server's own tools, and its citations", () => {
  const search = { type: "web_search_call", id: "ws", status: "completed" };
  const cite = { type: "url_citation", url: "https://x.test", title: "x", start_index: 0, end_index: 1 };
  const chunks = lastOf([
    created,
    { type: "response.web_search_call.searching", output_index: 0 },
    { ...delta("a"), output_index: 1 },
    { type: "response.output_text.annotation.added", output_index: 1, annotation: cite },
    completed([search, { type: "message", content: [{ type: "output_text", text: "a", annotations: [cite] }] }]),
  ]);
  const { type, ...members } = cite;
  const text = JSON.stringify(chunks);
  assertEquals(text.split(JSON.stringify({ type, url_citation: members })).length, 2, "the citation once");
  assertEquals(Reflect.get(Object(chunks.at(-1)), "output_items"), [search]);
});

type Failure = readonly [status: number, code: string];

const TOKENS = [delta("One "), delta("two")];
const event = (events: readonly unknown[], options?: SseOptions): Answer => sse(events, options);

/** How a stream of events breaks: after no token, and after two. */
const BREAKS: Record<string, readonly [ends: (events: readonly unknown[]) => Answer, failure: Failure]> = {
  "an event of type error": [
    (events) => event([...events, { type: "error", code: "server_error", message: "boom", param: null }]),
    [502, "upstream_error"],
  ],
  "a nested error": [(events) => event([...events, { error: { message: "boom" } }]), [502, "upstream_error"]],
  "a failed response": [
    (events) =>
      event([...events, {
        type: "response.failed",
        response: { ...HEAD, status: "failed", output: [], error: { code: "server_error", message: "boom" } },
      }]),
    [502, "upstream_error"],
  ],
  "a response that failed by a limit": [
    (events) =>
      event([...events, {
        type: "response.failed",
        response: { ...HEAD, status: "failed", error: { code: "rate_limit_exceeded", message: "slow" } },
      }]),
    [429, "rate_limit_exceeded"],
  ],
  "a cancelled response": [
    (events) =>
      event([...events, { type: "response.cancelled", response: { ...HEAD, status: "cancelled", output: [] } }]),
    [502, "upstream_incomplete"],
  ],
  "an end": [(events) => event(events), [502, "upstream_incomplete"]],
  "[DONE] alone": [(events) => event([...events, "data: [DONE]\n"]), [502, "upstream_incomplete"]],
  "a cut": [(events) => event(events, { end: "cut" }), [502, "upstream_lost"]],
  "a reset": [
    (events) => [...event(events, { end: "stall" }).slice(0, -1), { wait: 30 }, "reset"],
    [502, "upstream_lost"],
  ],
  garbage: [(events) => event([...events, "data: {\n"]), [502, "upstream_bad_record"]],
  "an event without type": [(events) => event([...events, { delta: "x" }]), [502, "upstream_bad_record"]],
  "a delta that is no text": [(events) => event([...events, delta(7)]), [502, "upstream_bad_record"]],
  "a completion without response": [(events) => event([...events, { type: "response.completed" }]), [
    502,
    "upstream_bad_record",
  ]],
  "output that is no list": [
    (events) => event([...events, { type: "response.completed", response: { ...HEAD, output: "x" } }]),
    [502, "upstream_bad_record"],
  ],
  "a call without a name": [
    (events) => event([...events, { ...added, output_index: 1, item: { type: "function_call", call_id: "c" } }]),
    [502, "upstream_bad_record"],
  ],
};

for (const [name, [ends, [status, code]]] of Object.entries(BREAKS)) {
  for (const count of [0, 2]) {
    Deno.test(`OpenAIChatModel with api "responses" tells one error when the upstream gives ${name} after ${count} tokens`, async () => {
      await using upstream = await startFakeUpstream([ends([created, added, ...TOKENS.slice(0, count)])]);
      const model = await load(`${upstream.url}/v1`);
      let got = "";
      const error = await assertRejects(async () => {
        for await (const { choices: [choice] } of model.predictStream(say("hi"))) got += choice?.delta.content ?? "";
      }, ChatModelError);
      assertEquals([error.status, error.code, got], [status, code, count === 0 ? "" : "One two"], error.message);
      assertEquals(upstream.requests.map(({ path }) => path), ["/v1/responses"]);
    });
  }
}

Deno.test(`OpenAIChatModel with api "responses" answers well when the upstream is odd but good`, async () => {
  const good = [created, added, ...TOKENS, completed([message("One two")], { usage: USAGE })];
  const answers: Record<string, Answer> = {
    "one byte a packet": event(good, { packet: 1 }),
    "a stall after its end": event(good, { end: "stall" }),
    "[DONE] after its end": event([...good, "data: [DONE]\n"]),
    "another type": event(good, { contentType: "text/plain" }),
    "a whole response": json({ ...HEAD, status: "completed", output: [message("One two")], usage: USAGE }),
    "no places": event([
      created,
      { ...added, output_index: undefined },
      { type: delta("").type, delta: "One two" },
      completed([]),
    ]),
    "unknown events": event([created, { type: "response.queued" }, { type: "keepalive" }, ...good.slice(1)]),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await using upstream = await startFakeUpstream([answer]);
    const { choices: [choice], model } = await accumulate((await load(`${upstream.url}/v1`)).predictStream(say("hi")));
    assertEquals([choice?.message.content, choice?.finish_reason, model], ["One two", "stop", "m-1"], name);
  }
});

Deno.test(`OpenAIChatModel with api "responses" fails when a whole response is no good one`, async () => {
  const answers: Record<string, readonly [Answer, Failure]> = {
    failed: [json({ ...HEAD, status: "failed", output: [], error: { code: "server_error", message: "x" } }), [
      502,
      "upstream_error",
    ]],
    "in progress": [json({ ...HEAD, status: "in_progress", output: [] }), [502, "upstream_incomplete"]],
    "without output": [json({ ...HEAD, status: "completed" }), [502, "upstream_bad_record"]],
    "a chat completion": [json({ id: "x", choices: [] }), [502, "upstream_bad_record"]],
    "not JSON": [text("{", { headers: { "content-type": "application/json" } }), [502, "upstream_bad_record"]],
    "404": [json({ detail: "Not Found" }, { status: 404 }), [502, "upstream_error"]],
  };
  for (const [name, [answer, [status, code]]] of Object.entries(answers)) {
    await using upstream = await startFakeUpstream([answer]);
    const model = await load(`${upstream.url}/v1`);
    const error = await assertRejects(() => model.predict(say("hi")), ChatModelError);
    assertEquals([error.status, error.code], [status, code], `${name}: ${error.message}`);
  }
});

Deno.test(`OpenAIChatModel with api "responses" closes its connection when the caller leaves`, async () => {
  await using upstream = await startFakeUpstream([event([created, added, ...TOKENS], { end: "stall" })]);
  const model = await load(`${upstream.url}/v1`);
  for await (const { choices: [choice] } of model.predictStream(say("hi"))) if (choice?.delta.content) break;
  await upstream.allClosed();
  assertEquals(upstream.connections.length, 1);
});
