import { assert, assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { OllamaClient } from "../../../adapters/ollama/client.ts";
import { OverloadedError, UpstreamError } from "../../../types/mod.ts";
import { type Answer, htmlError, json, ndjson, startFakeUpstream, text } from "../../support/fake_upstream.ts";
import { A, chatError, DONE, REQUEST, stream } from "./_chat_outcome.ts";

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
  ["an HTML 502", htmlError(), "upstream_unavailable", 502, "status 502 (text/html): x 502 Bad Gateway. Check"],
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
  // As Deno has it: a test must not ask the network for names.
  const url = "http://nowhere.invalid:11434/api/version";
  const cause = new Error(
    `error sending request for url (${url}): client error (Connect): dns error: ` +
      "failed to lookup address information: Name or service not known",
  );
  const fails = () => Promise.reject(new TypeError("fetch failed", { cause }));
  const client = new OllamaClient({ host: "nowhere.invalid", retries: 0, fetch: fails });
  const error = await assertRejects(() => client.version(), UpstreamError);
  assertEquals(
    error.message,
    'Cannot reach Ollama at "http://nowhere.invalid:11434": no such host. Check OLLAMA_HOST',
  );
  assertEquals([error.code, error.cause instanceof TypeError], ["upstream_unreachable", true]);
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
