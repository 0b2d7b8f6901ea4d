import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { OllamaClient, type OllamaClientOptions } from "../../../adapters/ollama/client.ts";
import type { OllamaChatRecord, OllamaChatRequest } from "../../../adapters/ollama/wire.ts";
import { ChatModelError, OverloadedError, TimeoutError, UpstreamError } from "../../../types/mod.ts";
import {
  type Answer,
  type FakeUpstream,
  garbage,
  htmlError,
  json,
  ndjson,
  startFakeUpstream,
  text,
} from "../../support/fake_upstream.ts";

const REQUEST: OllamaChatRequest = { model: "plain", messages: [{ role: "user", content: "hi" }] };
const A: OllamaChatRecord = { model: "plain", message: { role: "assistant", content: "ü" }, done: false };
const B: OllamaChatRecord = { model: "plain", message: { role: "assistant", content: "€😀" }, done: false };
const DONE: OllamaChatRecord = {
  model: "plain",
  message: { role: "assistant", content: "" },
  done: true,
  done_reason: "stop",
};

interface Outcome {
  readonly records: OllamaChatRecord[];
  readonly error?: ChatModelError;
}

async function stream(upstream: FakeUpstream, options: OllamaClientOptions = {}): Promise<Outcome> {
  const records: OllamaChatRecord[] = [];
  try {
    const client = new OllamaClient({ host: upstream.url, retries: 0, ...options });
    for await (const batch of await client.chatStream(REQUEST)) {
      assert(batch.length > 0, "an empty batch");
      records.push(...batch);
    }
  } catch (error) {
    assert(ChatModelError.isInstance(error), `not one of our errors: ${error}`);
    return { records, error };
  }
  return { records };
}

async function chatError(upstream: FakeUpstream, options: OllamaClientOptions = {}): Promise<ChatModelError> {
  const client = new OllamaClient({ host: upstream.url, retries: 0, ...options });
  return await assertRejects(() => client.chat(REQUEST), ChatModelError);
}

/** Streams: the answer, how many records come through, code of the error, and a piece of its message. */
const STREAMS: readonly (readonly [string, Answer, number, string | null, string])[] = [
  ["a good answer", ndjson([A, B, DONE]), 3, null, ""],
  ["one byte a packet", ndjson([A, B, DONE], { packet: 1 }), 3, null, ""],
  ["slow headers", ndjson([A, DONE], { slowHeaders: 50 }), 2, null, ""],
  ["no last line end", ndjson([A, DONE], { lastLineEnd: "" }), 2, null, ""],
  ["CRLF and blank lines", ndjson([JSON.stringify(A) + "\r", "", "\r", DONE]), 2, null, ""],
  ["done twice", ndjson([A, DONE, DONE]), 2, null, ""],
  ["garbage after done", ndjson([A, DONE, "<html>"]), 2, null, ""],
  ["an error after done", ndjson([A, DONE, { error: "late" }]), 2, null, ""],
  ["a stall after done", ndjson([A, DONE], { end: "stall" }), 2, null, ""],
  ["a cut after done", ndjson([A, DONE], { end: "cut" }), 2, null, ""],
  ["a record of 300 kB", ndjson([{ ...A, message: { content: "ü".repeat(150_000) } }, DONE]), 2, null, ""],
  [
    "nulls for what is absent",
    ndjson(['{"message":{"content":"a","thinking":null,"tool_calls":null}}', DONE]),
    2,
    null,
    "",
  ],
  ["one JSON object", json(DONE), 1, null, ""],
  ["an error line", ndjson([A, { error: "boom" }]), 1, "upstream_error", "says: boom"],
  ["an error line at first", ndjson([{ error: "boom" }]), 0, "upstream_error", "says: boom"],
  [
    "a nested error line",
    ndjson([A, { error: '{"error":{"code":500,"message":"deep","type":"x"}}' }]),
    1,
    "upstream_error",
    "says: deep",
  ],
  [
    "a context error as line",
    ndjson([{ error: "the prompt is longer than the context length currently available" }]),
    0,
    "context_length_exceeded",
    "num_ctx",
  ],
  ["an end without done", ndjson([A, B]), 2, "upstream_incomplete", "ended without 'done'"],
  ["an empty answer", ndjson([""]), 0, "upstream_incomplete", "ended without 'done'"],
  ["a cut", ndjson([A, B], { end: "cut" }), 2, "upstream_lost", "in the middle of the answer"],
  ["a cut inside a record", ndjson([A, '{"model":"pl'], { end: "cut", lastLineEnd: "" }), 1, "upstream_lost", "broke"],
  ["garbage", ndjson([A, "{garbage", DONE]), 1, "upstream_bad_record", "record 2 of the answer"],
  ["no object", ndjson([A, B, "5"]), 2, "upstream_bad_record", "record 3"],
  [
    "a wrong shape",
    ndjson([{ message: { content: 5 } }]),
    0,
    "upstream_bad_record",
    '"message.content": expected string, got number',
  ],
  ["an array for a record", ndjson([A, "[1,2]"]), 1, "upstream_bad_record", '"": expected Object, got an array'],
  [
    "an array of a record",
    ndjson([[DONE]]),
    0,
    "upstream_bad_record",
    '"": expected Object, got an array',
  ],
  [
    "an array for a message",
    ndjson(['{"message":["a"],"done":false}', DONE]),
    0,
    "upstream_bad_record",
    '"message": expected Object, got an array',
  ],
  [
    "an array for a function",
    ndjson([{ message: { tool_calls: [{ function: [] }] } }]),
    0,
    "upstream_bad_record",
    '"message.tool_calls.0.function": expected Object, got an array',
  ],
  ["a record of nothing", ndjson([A, {}, DONE]), 1, "upstream_bad_record", '"message" or "done"'],
  ["a record of what is unknown", ndjson([A, { x: 1 }, DONE]), 1, "upstream_bad_record", '"message" or "done"'],
  ["a record of nulls", ndjson([A, { message: null }, DONE]), 1, "upstream_bad_record", '"message" or "done"'],
  [
    "arguments as text",
    ndjson([{ message: { tool_calls: [{ function: { name: "f", arguments: "{}" } }] } }]),
    0,
    "upstream_bad_record",
    '"message.tool_calls.0.function.arguments"',
  ],
  [
    "arguments as array",
    ndjson([{ message: { tool_calls: [{ function: { name: "f", arguments: [] } }] } }]),
    0,
    "upstream_bad_record",
    '"message.tool_calls.0.function.arguments"',
  ],
  [
    "bytes that are no UTF-8",
    [...ndjson([A]).slice(0, 2), { send: new Uint8Array([0x33, 13, 10, 34, 0xff, 10, 13, 10]) }, { send: "0\r\n\r\n" }],
    1,
    "upstream_bad_record",
    "UTF-8",
  ],
  [
    "an HTML page with 200",
    text("<html><b>Log in</b></html>", { headers: { "content-type": "text/html" } }),
    0,
    "upstream_error",
    "status 200 (text/html): Log in",
  ],
  ["no HTTP", garbage(), 0, "upstream_unreachable", "invalid HTTP version"],
];

for (const [name, answer, count, code, message] of STREAMS) {
  Deno.test(`OllamaClient.chatStream() reads ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer]);
    const { records, error } = await stream(upstream);
    assertEquals(records.length, count);
    if (count > 1 && name !== "a record of 300 kB" && !name.startsWith("nulls")) assertEquals(records[0], A);
    assertEquals(error?.code ?? null, code, error?.message);
    assertStringIncludes(error?.message ?? "", message);
  });
}

Deno.test("OllamaClient.chatStream() tells a reset from an end", async () => {
  await using upstream = await startFakeUpstream([[
    ...ndjson([A], { end: "stall" }).slice(0, -1),
    { wait: 30 },
    "reset",
  ]]);
  const { records, error } = await stream(upstream);
  assertEquals(records, [A]);
  assertEquals([error?.code, error?.retryable], ["upstream_lost", true]);
});

Deno.test("OllamaClient.chatStream() takes a reason without done for the end, and says done", async () => {
  await using upstream = await startFakeUpstream([ndjson([A, { ...B, done: undefined, done_reason: "length" }])]);
  assertEquals(await stream(upstream), { records: [A, { ...B, done: true, done_reason: "length" }] });
});

Deno.test("OllamaClient.chatStream() keeps members it does not know, and null in arguments", async () => {
  const record = {
    extra: { a: [null] },
    message: { tool_calls: [{ function: { name: "f", arguments: { b: null } } }] },
  };
  await using upstream = await startFakeUpstream([ndjson([{ ...record, model: null }, DONE])]);
  const { records } = await stream(upstream);
  assertEquals<unknown>(records[0], { ...record, extra: { a: [null] } });
});

Deno.test("OllamaClient uses a connection again once an answer is complete, streamed or not", async () => {
  await using upstream = await startFakeUpstream([ndjson([A, DONE]), ndjson([A, DONE]), json(DONE), ndjson([A, DONE])]);
  const client = new OllamaClient({ host: upstream.url });
  // The runtime takes a moment to see that the connection is free.
  const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals((await stream(upstream)).records, [A, DONE]);
  await pause();
  // Also for those who stop at the last record.
  for await (const batch of await client.chatStream(REQUEST)) if (batch.at(-1)?.done) break;
  await pause();
  assertEquals(await client.chat(REQUEST), DONE);
  await pause();
  assertEquals((await stream(upstream)).records, [A, DONE]);
  assertEquals(upstream.requests.length, 4);
  assertEquals(upstream.connections.length, 1);
});

/** Answers to a chat that is not streamed: code, status, a piece of the message. */
const CHATS: readonly (readonly [string, Answer, string | null, number, string])[] = [
  ["done false", json({ ...A }), "upstream_incomplete", 502, "ended without 'done'"],
  ["an error with 200", json({ error: "boom" }), "upstream_error", 502, "says: boom"],
  [
    "cut JSON",
    text('{"message":', { headers: { "content-type": "application/json" } }),
    "upstream_bad_record",
    502,
    "is no JSON",
  ],
  ["a wrong shape", json({ done: "yes" }), "upstream_bad_record", 502, '"done": expected boolean, got string'],
  ["an array", json([{ ...DONE }]), "upstream_bad_record", 502, '"": expected Object, got an array'],
  ["an array as message", json({ ...DONE, message: ["a"] }), "upstream_bad_record", 502, '"message": expected Object'],
  ["an empty object", json({}), "upstream_bad_record", 502, '"message" or "done"'],
  ["an HTML 502", htmlError(), "upstream_error", 502, "status 502 (text/html): x 502 Bad Gateway. Check"],
  ["an HTML 404", htmlError(404), "upstream_error", 502, "status 404 (text/html)"],
  [
    "a body cut short",
    [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{" }, { wait: 20 }, "close"],
    "upstream_lost",
    502,
    "in the middle",
  ],
  [
    "nested JSON in a 500",
    json({ error: '{"error":{"message":"deep"}}' }, { status: 500 }),
    "upstream_error",
    502,
    "says: deep",
  ],
  ["an object as error", json({ error: { message: "deep" } }, { status: 500 }), "upstream_error", 502, "says: deep"],
  [
    "a 401",
    json({ error: "unauthorized", signin_url: "x" }, { status: 401 }),
    "upstream_authentication",
    502,
    "OLLAMA_API_KEY",
  ],
  ["a 403 without a word", text("", { status: 403 }), "upstream_forbidden", 502, "OLLAMA_ORIGINS"],
  [
    "a 403 with words",
    json({ error: "cloud is disabled" }, { status: 403 }),
    "upstream_forbidden",
    502,
    "cloud is disabled",
  ],
  [
    "a 429",
    json({ error: "limit" }, { status: 429, headers: { "retry-after": "7" } }),
    "rate_limit_exceeded",
    429,
    "limit",
  ],
  [
    "a 503",
    json({ error: "server busy" }, { status: 503, headers: { "retry-after": "2" } }),
    "overloaded",
    503,
    "server busy",
  ],
  [
    "a redirect",
    text("", { status: 307, headers: { location: "http://user:pw@127.0.0.1:9/secret?key" } }),
    "upstream_redirect",
    502,
    'perhaps "http://127.0.0.1:9"',
  ],
  [
    "an option of the model itself",
    json({ error: 'option "top_k" must be of type integer' }, { status: 500 }),
    "upstream_error",
    502,
    "Modelfile",
  ],
];

for (const [name, answer, code, status, message] of CHATS) {
  Deno.test(`OllamaClient.chat() makes an error of ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer]);
    const error = await chatError(upstream);
    assertEquals([error.code, error.status], [code, status], error.message);
    assertStringIncludes(error.message, message);
    assertEquals(upstream.requests.length, 1);
  });
}

Deno.test("OllamaClient reads Retry-After in seconds and as a date", async () => {
  const date = new Date(Date.now() + 60_000).toUTCString();
  for (const [value, least, most] of [["7", 7_000, 7_000], [date, 55_000, 60_000]] as const) {
    await using upstream = await startFakeUpstream([json({}, { status: 503, headers: { "retry-after": value } })]);
    const error = await chatError(upstream);
    assertInstanceOf(error, OverloadedError);
    assert(error.retryAfter !== undefined && error.retryAfter >= least && error.retryAfter <= most);
  }
});

Deno.test("OllamaClient cuts long error pages and hides what is not text in them", async () => {
  const page = `<style>body{}</style><script>alert(1)</script><p>${"word ".repeat(1_000)}</p>`;
  await using upstream = await startFakeUpstream([
    text(page, { status: 500, headers: { "content-type": "text/html" } }),
  ]);
  const { message } = await chatError(upstream);
  assert(message.length < 450 && !message.includes("alert") && !message.includes("<p>"), message);
});

Deno.test("OllamaClient quotes nothing of what was written in an answer it cannot read", async () => {
  const secret = "what the model wrote";
  await using upstream = await startFakeUpstream([ndjson([{ message: secret }]), ndjson([`{"content":"${secret}`])]);
  for (let i = 0; i < 2; i++) {
    const { error } = await stream(upstream);
    assertEquals(error?.code, "upstream_bad_record");
    assert(!error?.message.includes(secret), error?.message);
  }
});

Deno.test("OllamaClient says how to start Ollama when the connection is refused, and does not try again", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  let calls = 0;
  const counting: typeof fetch = (input, init) => {
    calls++;
    return fetch(input, init);
  };
  const client = new OllamaClient({ host: `127.0.0.1:${port}`, fetch: counting });
  const error = await assertRejects(() => client.chat(REQUEST), UpstreamError);
  assertEquals(
    error.message,
    `Cannot reach Ollama at "http://127.0.0.1:${port}": connection refused. ` +
      "Start it with 'ollama serve' or set OLLAMA_HOST",
  );
  assertEquals([error.code, error.status, error.retryable, calls], ["upstream_unreachable", 502, true, 1]);
});

Deno.test("OllamaClient names a host that does not exist", async () => {
  const client = new OllamaClient({ host: "nowhere.invalid", retries: 0 });
  const error = await assertRejects(() => client.version(), UpstreamError, "no such host");
  assertEquals(error.code, "upstream_unreachable");
});

const BUSY = json({ error: "server busy" }, { status: 503, headers: { "retry-after": "0" } });

for (
  const [name, failures] of [
    ["503", [BUSY, BUSY]],
    ["a closed connection", [["close"], ["close"]]],
    ["a reset", [["reset"], ["reset"]]],
  ] satisfies [string, Answer[]][]
) {
  Deno.test(`OllamaClient tries again after ${name}, as often as told`, async () => {
    await using upstream = await startFakeUpstream([...failures, ndjson([A, DONE])]);
    assertEquals(await stream(upstream, { retries: 2 }), { records: [A, DONE] });
    assertEquals(upstream.requests.length, 3);
    const [first, ...others] = upstream.requests.map((request) => request.body);
    assert(others.every((body) => body === first));

    await using hopeless = await startFakeUpstream(failures);
    const { error } = await stream(hopeless, { retries: 1 });
    assert(error?.code === "overloaded" || error?.code === "upstream_unreachable", error?.message);
    assertEquals(hopeless.requests.length, 2);
  });
}

Deno.test("OllamaClient does not wait longer than 10 s for a busy server", async () => {
  await using upstream = await startFakeUpstream([json({}, { status: 503, headers: { "retry-after": "11" } })]);
  const error = await chatError(upstream, { retries: 5 });
  assertEquals([error.status, error.retryAfter, upstream.requests.length], [503, 11_000, 1]);
});

for (
  const [name, answer] of [
    ["500", json({ error: "boom" }, { status: 500 })],
    ["400", json({ error: "bad" }, { status: 400 })],
    ["429", json({ error: "limit" }, { status: 429 })],
    ["a cut after the headers", ndjson([], { end: "cut" })],
    ["a cut after a record", ndjson([A], { end: "cut" })],
  ] satisfies [string, Answer][]
) {
  Deno.test(`OllamaClient does not try again after ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer]);
    assert((await stream(upstream, { retries: 3 })).error !== undefined);
    assertEquals(upstream.requests.length, 1);
  });
}

Deno.test("OllamaClient ends small calls after the timeout, and closes their connection", async () => {
  await using upstream = await startFakeUpstream([["stall"]]);
  const client = new OllamaClient({ host: upstream.url, timeout: 30 });
  const error = await assertRejects(() => client.list(), TimeoutError);
  assertStringIncludes(error.message, "did not answer within 30 ms. Raise 'timeout'");
  await assertRejects(() => client.version({ timeout: 10 }), TimeoutError, "within 10 ms");
  await upstream.allClosed();
  assertEquals(upstream.connections.map((connection) => connection.closedByPeer), [true, true]);
});

Deno.test("OllamaClient ends a chat whose first record does not come in time", async () => {
  const stalls: Answer[] = [["stall"], ndjson([], { end: "stall" }), ["stall"]];
  await using upstream = await startFakeUpstream(stalls);
  const client = new OllamaClient({ host: upstream.url });
  const options = { firstRecordTimeout: 30 };
  await assertRejects(() => client.chatStream(REQUEST, options), TimeoutError, "raise 'firstRecordTimeout'");
  const records = await client.chatStream(REQUEST, options);
  await assertRejects(() => records.next(), TimeoutError, "within 30 ms");
  await assertRejects(() => client.chat(REQUEST, options), TimeoutError, "within 30 ms");
  await upstream.allClosed();
});

Deno.test("OllamaClient stops the clock with the first record", async () => {
  const [head = "stall", first = "stall", ...rest] = ndjson([A, DONE]);
  await using upstream = await startFakeUpstream([[head, first, { wait: 150 }, ...rest]]);
  const client = new OllamaClient({ host: upstream.url });
  const records: OllamaChatRecord[] = [];
  for await (const batch of await client.chatStream(REQUEST, { firstRecordTimeout: 100 })) records.push(...batch);
  assertEquals(records, [A, DONE]);
});

Deno.test("OllamaClient takes limits without end for none", async () => {
  await using upstream = await startFakeUpstream([json({ version: "1" })]);
  assertEquals(await new OllamaClient({ host: upstream.url, timeout: Infinity }).version(), "1");
});

Deno.test("OllamaClient.list() and ps() read null as no models", async () => {
  await using upstream = await startFakeUpstream([json({ models: null })]);
  const client = new OllamaClient({ host: upstream.url });
  assertEquals(await client.list(), []);
  assertEquals(await client.ps(), []);
});

Deno.test("OllamaClient refuses arrays where objects are due, also in what is no chat", async () => {
  const answers = [["a"], { models: [["a"]] }, ["a"], { details: ["a"] }];
  await using upstream = await startFakeUpstream(answers.map((answer) => json(answer)));
  const client = new OllamaClient({ host: upstream.url });
  const calls = [() => client.list(), () => client.ps(), () => client.show("m"), () => client.show("m")];
  for (const call of calls) assertEquals((await assertRejects(call, UpstreamError)).code, "upstream_bad_record");
});

Deno.test("OllamaClient.pull() wants success at the end", async () => {
  await using upstream = await startFakeUpstream([ndjson([{ status: "pulling manifest" }]), ndjson([{ total: 5 }])]);
  const client = new OllamaClient({ host: upstream.url });
  const events: unknown[] = [];
  const pull = async () => {
    for await (const event of client.pull("m")) events.push(event);
  };
  const error = await assertRejects(pull, UpstreamError, "ended without 'success'");
  assertEquals(error.code, "upstream_incomplete");
  assertEquals(events, [{ status: "pulling manifest" }]);
  assertEquals((await assertRejects(pull, UpstreamError)).code, "upstream_bad_record");
});
