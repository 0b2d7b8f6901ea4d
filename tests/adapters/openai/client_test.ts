import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { OpenAIClient, type OpenAIClientOptions } from "../../../adapters/openai/mod.ts";
import { ChatModelError, ModelNotFoundError, OverloadedError, TimeoutError, UpstreamError } from "../../../mod.ts";
import { type Answer, json, startFakeUpstream, text } from "../../support/fake_upstream.ts";
import { DONE, finish, sse, token, whole } from "./_stack.ts";

const REQUEST = { model: "m", messages: [{ role: "user", content: "hi" }] };
const KEY = "sk-test-0123456789abcdef";

/** Calls once, of a client for an upstream that gives one answer. */
async function ask(answer: Answer, options: OpenAIClientOptions = {}) {
  await using upstream = await startFakeUpstream([answer]);
  const client = new OpenAIClient({ baseUrl: `${upstream.url}/v1/`, ...options });
  let error: unknown;
  const value = await client.chat(REQUEST).catch((thrown) => void (error = thrown));
  return { value, error, upstream };
}

/** Sets variables, and puts back what was there. */
function withEnv(variables: Readonly<Record<string, string | undefined>>): Disposable {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const [name, value] of Object.entries(variables)) set(name, value);
  return { [Symbol.dispose]: () => before.forEach(([name, value]) => set(name, value)) };
}

Deno.test("OpenAIClient.chat() sends the request as it is, with key and headers", async () => {
  const { value, upstream } = await ask(json(whole("Hi")), { apiKey: KEY, headers: { "x-own": "1" } });
  assertEquals(value, whole("Hi"));
  const [sent] = upstream.requests;
  assertEquals([sent?.method, sent?.path], ["POST", "/v1/chat/completions"]);
  assertEquals(JSON.parse(sent?.body ?? ""), REQUEST);
  assertEquals(["authorization", "content-type", "x-own"].map((name) => sent?.headers.get(name)), [
    `Bearer ${KEY}`,
    "application/json",
    "1",
  ]);
});

Deno.test("OpenAIClient lets own headers win, and keeps a query of the base URL", async () => {
  await using upstream = await startFakeUpstream([json(whole("Hi"))]);
  const baseUrl = `${upstream.url}/openai/deployments/d/?api-version=2026-01-01`;
  const client = new OpenAIClient({ baseUrl, apiKey: KEY, headers: { authorization: "Basic eA==" } });
  await client.chat(REQUEST);
  assertEquals(upstream.requests[0]?.path, "/openai/deployments/d/chat/completions?api-version=2026-01-01");
  assertEquals(upstream.requests[0]?.headers.get("authorization"), "Basic eA==");
  assertEquals(client.url, `${upstream.url}/openai/deployments/d`);
});

Deno.test("OpenAIClient sends the environment's key to the environment's server only", async () => {
  await using upstream = await startFakeUpstream([json(whole("Hi"))]);
  const sent = async (options: OpenAIClientOptions) => {
    await new OpenAIClient(options).chat(REQUEST);
    return upstream.requests.at(-1)?.headers.get("authorization") ?? null;
  };
  const baseUrl = `${upstream.url}/v1`;
  {
    using _ = withEnv({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: undefined });
    assertEquals(await sent({ baseUrl }), null, "it is OpenAI's");
    assertEquals(await sent({ baseUrl, apiKey: "own-key-0123" }), "Bearer own-key-0123");
  }
  {
    using _ = withEnv({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: baseUrl });
    assertEquals(await sent({}), `Bearer ${KEY}`);
    assertEquals(await sent({ baseUrl: `${upstream.url}/other` }), `Bearer ${KEY}`, "the same server");
    assertEquals(await sent({ baseUrl: baseUrl.replace("127.0.0.1", "localhost") }), null);
  }
});

Deno.test("OpenAIClient asks OpenAI, with the environment's key, when nothing is told", async () => {
  using _ = withEnv({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: undefined });
  const calls: [string, string | null][] = [];
  const client = new OpenAIClient({
    fetch: (url, init) => {
      calls.push([String(url), new Headers(init?.headers).get("authorization")]);
      return Promise.resolve(Response.json(whole("Hi")));
    },
  });
  await client.chat(REQUEST);
  assertEquals(calls, [["https://api.openai.com/v1/chat/completions", `Bearer ${KEY}`]]);
});

Deno.test("OpenAIClient does not follow a redirect, and sends the key nowhere else", async () => {
  await using other = await startFakeUpstream([json(whole("Hi"))]);
  const { error } = await ask(text("", { status: 307, headers: { location: `${other.url}/v1?key=x` } }), {
    apiKey: KEY,
  });
  assert(error instanceof UpstreamError);
  assertEquals(error.code, "upstream_redirect");
  assertStringIncludes(error.message, other.url);
  assertEquals(other.requests, []);
});

Deno.test("OpenAIClient has no key in an error, also where the server repeats it", async () => {
  const said =
    `Incorrect API key provided: ${KEY}, header Bearer ${KEY}, masked sk-te**********cdef, other 123456789-own`;
  const answers: Answer[] = [
    json({ error: { message: said, type: "invalid_request_error", param: null, code: "invalid_api_key" } }, {
      status: 401,
    }),
    json({ error: said }, { status: 400 }),
    json({ detail: said }, { status: 500 }),
    text(`<p>${said}</p>`, { status: 502, headers: { "content-type": "text/html" } }),
    json({ error: { message: said } }),
    text(said, { headers: { "content-type": "text/plain" } }),
  ];
  for (const answer of answers) {
    const { error } = await ask(answer, { apiKey: KEY, headers: { "x-api-key": "123456789-own" } });
    assert(error instanceof ChatModelError);
    const told = `${error.message} ${error.stack} ${error.cause instanceof Error ? error.cause.message : ""}`;
    assertStringIncludes(told, "Incorrect API key");
    for (const secret of [KEY, "sk-te", "cdef", "123456789-own"]) assert(!told.includes(secret), `${secret}: ${told}`);
  }
});

Deno.test("OpenAIClient has no key of the query in an error of the network", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const client = new OpenAIClient({ baseUrl: `http://127.0.0.1:${port}/v1?key=query%20key-0123` });
  const error = await assertRejects(() => client.chat(REQUEST), UpstreamError);
  assertEquals(error.code, "upstream_unreachable");
  const told = `${error.message} ${error.stack} ${error.cause instanceof Error ? error.cause.stack : ""}`;
  assert(!told.includes("key-0123"), told);
});

Deno.test("OpenAIClient.chat() refuses a stream, without quoting it", async () => {
  const { error, upstream } = await ask(sse([token("SECRET")], { end: "stall" }));
  assert(error instanceof UpstreamError);
  assertEquals(error.code, "upstream_bad_record");
  assert(!error.message.includes("SECRET"));
  await upstream.allClosed();
});

Deno.test("OpenAIClient refuses what it cannot use without repeating it", () => {
  for (
    const [options, param] of [
      [{ baseUrl: "no url with key-0123" }, "baseUrl"],
      [{ baseUrl: "ftp://x/key-0123" }, "baseUrl"],
      [{ baseUrl: "http://user:key-0123@x/v1" }, "baseUrl"],
      [{ baseUrl: "http://x/v1", apiKey: "key-0123\nx: y" }, "apiKey"],
      [{ baseUrl: "http://x/v1", headers: { "x-a": "key-0123\u{1F600}" } }, "headers"],
    ] satisfies [OpenAIClientOptions, string][]
  ) {
    const client = new OpenAIClient(options);
    const error = assertThrows(() => client.url, ChatModelError);
    assertEquals([error.code, error.param], ["invalid_option", param]);
    assert(!`${error.message} ${error.stack}`.includes("key-0123"), error.message);
  }
});

Deno.test("OpenAIClient types what servers refuse", async () => {
  const own = (message: string, rest: Readonly<Record<string, unknown>> = {}) => ({ error: { message, ...rest } });
  const cases: [answer: Answer, error: unknown][] = [
    [json(own("The model `m` does not exist", { type: "NotFoundError", code: 404 }), { status: 404 }), [
      "ModelNotFoundError",
      404,
      "model_not_found",
      "model",
    ]],
    [json({ object: "error", message: "The model `m` does not exist.", code: 404 }, { status: 404 }), [
      "ModelNotFoundError",
      404,
      "model_not_found",
      "model",
    ]],
    [json(own("no", { code: "unsupported_value", param: "messages[0].content" }), { status: 400 }), [
      "ChatModelError",
      400,
      "unsupported_value",
      "messages.0.content",
    ]],
    [json(own("no", { code: "who_knows", param: "n" }), { status: 400 }), [
      "ChatModelError",
      400,
      "upstream_rejected",
      "n",
    ]],
    [json(own("This model's maximum context length is 8 tokens", { code: 400 }), { status: 400 }), [
      "ChatModelError",
      400,
      "context_length_exceeded",
      "messages",
    ]],
    [json(own("no money", { code: "insufficient_quota" }), { status: 429, headers: { "retry-after": "0" } }), [
      "OverloadedError",
      429,
      "rate_limit_exceeded",
      null,
    ]],
    [json(own("Out of credits.", { code: 402 }), { status: 402 }), ["UpstreamError", 502, "upstream_forbidden", null]],
    [json({ detail: "Method Not Allowed" }, { status: 405 }), ["UpstreamError", 502, "upstream_error", null]],
    [json(own("'max_tokens' is not supported with this model.", { code: "unsupported_parameter" }), { status: 400 }), [
      "ChatModelError",
      400,
      "unsupported_feature",
      null,
    ]],
    [json({ message: "bare" }, { status: 418 }), ["ChatModelError", 400, "upstream_rejected", null]],
  ];
  for (const [answer, expected] of cases) {
    const { error, upstream } = await ask(answer);
    assert(error instanceof ChatModelError);
    assertEquals([error.name, error.status, error.code, error.param], expected, error.message);
    assertEquals(upstream.requests.length, 1, error.message);
    assert(!/\.\.|\.$/.test(error.message), error.message);
  }
});

Deno.test("OpenAIClient says when to try again, and that no time helps against an empty purse", async () => {
  const limited = async (headers: Record<string, string>, code: string | null = null) => {
    const { error } = await ask(json({ error: { message: "x", code } }, { status: 429, headers }), { retries: 0 });
    assert(error instanceof OverloadedError);
    return [error.retryable, error.retryAfter];
  };
  assertEquals(await limited({}), [true, 1_000]);
  assertEquals(await limited({ "retry-after": "3" }), [true, 3_000]);
  assertEquals(await limited({ "retry-after": "3", "retry-after-ms": "2500" }), [true, 2_500]);
  assertEquals(await limited({}, "insufficient_quota"), [false, undefined]);
});

Deno.test("OpenAIClient hints at the end of the base URL when a route is not there", async () => {
  for (
    const answer of [
      json({ detail: "Not Found" }, { status: 404 }),
      text("404 page not found", { status: 404, headers: { "content-type": "text/plain" } }),
    ]
  ) {
    const { error } = await ask(answer);
    assert(error instanceof UpstreamError);
    assertStringIncludes(error.message, 'ends in "/v1"');
  }
});

Deno.test("OpenAIClient.chatStream() gives the chunks in their batches", async () => {
  await using upstream = await startFakeUpstream([sse([token("a"), finish(), DONE])]);
  const client = new OpenAIClient({ baseUrl: upstream.url });
  const chunks = [];
  for await (const batch of await client.chatStream({ ...REQUEST, stream: false })) {
    assert(batch.length > 0);
    chunks.push(...batch);
  }
  assertEquals(chunks, [token("a"), finish()]);
  assertEquals(JSON.parse(upstream.requests[0]?.body ?? ""), { ...REQUEST, stream: true });
});

Deno.test("OpenAIClient keeps the connection for the next call after a stream", async () => {
  await using upstream = await startFakeUpstream([sse([token("a"), finish(), DONE])]);
  const client = new OpenAIClient({ baseUrl: upstream.url });
  for (let i = 0; i < 3; i++) await Array.fromAsync(await client.chatStream(REQUEST));
  assertEquals([upstream.requests.length, upstream.connections.length], [3, 1]);
});

Deno.test("OpenAIClient.chatStream() closes the connection when it is left", async () => {
  await using upstream = await startFakeUpstream([sse([token("a")], { end: "stall" })]);
  for await (const _ of await new OpenAIClient({ baseUrl: upstream.url }).chatStream(REQUEST)) break;
  await upstream.allClosed();
  assertEquals(upstream.connections[0]?.closedByPeer, true);
});

Deno.test("OpenAIClient ends calls that take too long", async () => {
  await using upstream = await startFakeUpstream((_, index) =>
    index === 2 ? sse([": still loading\n", ": still loading\n"], { end: "stall" }) : ["stall"]
  );
  const client = new OpenAIClient({ baseUrl: upstream.url, timeout: 20 });
  await assertRejects(() => client.list(), TimeoutError, "'timeout'");
  await assertRejects(() => client.chat(REQUEST, { firstChunkTimeout: 20 }), TimeoutError, "'firstChunkTimeout'");
  const stream = async () => await (await client.chatStream(REQUEST, { firstChunkTimeout: 60 })).next();
  await assertRejects(stream, TimeoutError, "'firstChunkTimeout'");
  await assertRejects(() => client.embed({ model: "m", input: "a" }, { timeout: 20 }), TimeoutError);
  await upstream.allClosed();
});

Deno.test("OpenAIClient rejects with the signal's reason, and does not call when it was aborted before", async () => {
  await using upstream = await startFakeUpstream([json({}, { status: 503, headers: { "retry-after": "9" } })]);
  const client = new OpenAIClient({ baseUrl: upstream.url });
  const signal = AbortSignal.abort("before");
  for (
    const call of [client.chat(REQUEST, { signal }), client.chatStream(REQUEST, { signal }), client.list({ signal })]
  ) {
    assertEquals(await call.then(() => "answered", (error) => error), "before");
  }
  assertEquals(upstream.requests.length, 0);
  const controller = new AbortController();
  const waiting = client.chat(REQUEST, { signal: controller.signal });
  await upstream.requested(1);
  await new Promise((resolve) => setTimeout(resolve, 20)); // so that it waits for another try
  controller.abort("meanwhile");
  assertEquals(await waiting.then(() => "answered", (error) => error), "meanwhile");
  assertEquals(upstream.requests.length, 1);
});

Deno.test("OpenAIClient.list() lists models, of which there may be none", async () => {
  const data = [{ id: "a", object: "model", created: 1, owned_by: "x", max_model_len: 5 }, { id: "b/c:d" }];
  await using upstream = await startFakeUpstream([
    json({ object: "list", data }),
    json({ data: null }),
    json({ data: [{}] }),
  ]);
  const client = new OpenAIClient({ baseUrl: `${upstream.url}/v1` });
  assertEquals(await client.list(), data);
  assertEquals([upstream.requests[0]?.method, upstream.requests[0]?.path], ["GET", "/v1/models"]);
  assertEquals(await client.list(), []);
  const error = await assertRejects(() => client.list(), UpstreamError, '"data.0" has no id');
  assertEquals(error.code, "upstream_bad_record");
});

Deno.test("OpenAIClient.embed() reads numbers and base64, in the order of the texts", async () => {
  const base64 = new Uint8Array(new Float32Array([0.5, -2]).buffer).toBase64();
  const usage = { prompt_tokens: 3, total_tokens: 3 };
  const data = [{ index: 1, embedding: base64 }, { index: 0, embedding: [0.25, 1] }];
  await using upstream = await startFakeUpstream([json({ object: "list", data, usage })]);
  const client = new OpenAIClient({ baseUrl: upstream.url });
  assertEquals(await client.embed({ model: "e", input: ["a", "b"], dimensions: 2 }), {
    embeddings: [[0.25, 1], [0.5, -2]],
    promptTokens: 3,
  });
  assertEquals(JSON.parse(upstream.requests[0]?.body ?? ""), { model: "e", input: ["a", "b"], dimensions: 2 });
});

Deno.test("OpenAIClient.embed() refuses vectors that are not those of the texts", async () => {
  const item = (index: unknown, embedding: unknown) => ({ index, embedding });
  for (
    const data of [
      null,
      [item(0, [1])],
      [item(0, [1]), item(0, [2])],
      [item(0, [1]), item(2, [2])],
      [item(0, [1]), item(1, [])],
      [item(0, [1]), item(1, ["2"])],
      [item(0, [1]), item(1, "AAA=")],
      [item(0, [1]), item(1, "?")],
    ]
  ) {
    await using upstream = await startFakeUpstream([json({ data })]);
    const client = new OpenAIClient({ baseUrl: upstream.url });
    const error = await assertRejects(() => client.embed({ model: "e", input: ["a", "b"] }), UpstreamError);
    assertEquals(error.code, "upstream_bad_record", JSON.stringify(data));
  }
});

Deno.test("OpenAIClient.embed() names the texts when they are too long", async () => {
  await using upstream = await startFakeUpstream([
    json({ error: { message: "maximum context length is 8", code: null } }, { status: 400 }),
    json({ error: { message: "model e not found", code: "model_not_found" } }, { status: 404 }),
  ]);
  const client = new OpenAIClient({ baseUrl: upstream.url });
  const error = await assertRejects(() => client.embed({ model: "e", input: "a" }), ChatModelError);
  assertEquals([error.code, error.param], ["context_length_exceeded", "input"]);
  await assertRejects(() => client.embed({ model: "e", input: "a" }), ModelNotFoundError);
});
