/** `--model openai:NAME@URL`. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { json, startFakeUpstream, type UpstreamRequest } from "../support/fake_upstream.ts";
import { assertFailed, chat, modelNames, run, start } from "./_command.ts";

const KEYS = "OPENAI_API_KEY,OPENAI_BASE_URL,CHATMODEL_UPSTREAM_API_KEY";
const permissions = ["--allow-net", "--allow-read", `--allow-env=OLLAMA_HOST,OLLAMA_API_KEY,${KEYS}`];
const OPENAI = { OPENAI_API_KEY: "sk-of-openai-only" };

const answer = ({ method, body }: UpstreamRequest) =>
  json(
    method === "GET" ? { data: [{ id: "org/big@1" }] } : {
      choices: [{ index: 0, message: { role: "assistant", content: JSON.parse(body).model }, finish_reason: "stop" }],
    },
  );

function keysOf(requests: readonly UpstreamRequest[]): (string | null)[] {
  return [...new Set(requests.map(({ headers }) => headers.get("authorization")))];
}

Deno.test("serve.ts serves a model of another server, under its own name or a given one", async () => {
  await using upstream = await startFakeUpstream(answer);
  const specs = [`--model=openai:org/big@1@${upstream.url}`, `--model=other=openai:x@${upstream.url}/v1`];
  await using server = start([...specs, "--port=0"], { permissions, env: OPENAI });
  const url = await server.url();
  assertEquals(await modelNames(url), ["org/big@1", "other"]);
  assertEquals([await chat(url, { model: "org/big@1" }), await chat(url, { model: "other" })], ["org/big@1", "x"]);
  assertEquals(new Set(upstream.requests.map(({ path }) => path)), new Set(["/v1/models", "/v1/chat/completions"]));
  assertEquals(keysOf(upstream.requests), [null], "OpenAI's key is for OpenAI");
  const { stderr } = await server.stop();
  assertMatch(stderr, /Cannot find model "x" among those of "http:\/\/127\.0\.0\.1:\d+\/v1"/);
  assert(!stderr.includes("org/big@1"), stderr);
});

Deno.test("serve.ts sends the key for upstreams to all upstreams of a model, and goes on where one fails", async () => {
  await using busy = await startFakeUpstream([json({ error: "busy" }, { status: 503 })]);
  await using good = await startFakeUpstream(answer);
  await using server = start([`--model=openai:org/big@1@${busy.url},${good.url}`, "--port=0"], {
    permissions,
    env: { ...OPENAI, CHATMODEL_UPSTREAM_API_KEY: "key-of-both" },
  });
  assertEquals(await chat(await server.url()), "org/big@1");
  assertEquals(keysOf([...busy.requests, ...good.requests]), ["Bearer key-of-both"]);
  const { stdout, stderr } = await server.stop();
  assert(!`${stdout}${stderr}`.includes("key-of-both"), stderr);
});

Deno.test("serve.ts sends each upstream the key that is named for it", async () => {
  await using first = await startFakeUpstream(answer);
  await using second = await startFakeUpstream(answer);
  await using third = await startFakeUpstream(answer);
  const specs = [first, second, third].map(({ url }, i) => `--model=m${i}=openai:m@${url}`);
  await using server = start([...specs, "--port=0"], {
    permissions,
    env: { CHATMODEL_UPSTREAM_API_KEY: `${first.url}=key-of-first== ${third.url}/v1=key-of-third` },
  });
  await server.url();
  assertEquals(keysOf(first.requests), ["Bearer key-of-first=="]);
  assertEquals(keysOf(second.requests), [null]);
  assertEquals(keysOf(third.requests), ["Bearer key-of-third"]);
  await server.stop();
});

Deno.test("serve.ts refuses one key for upstreams of which it is not clear whose it is", async () => {
  await using first = await startFakeUpstream(answer);
  await using second = await startFakeUpstream(answer);
  const specs = [`--model=a=openai:m@${first.url}`, `--model=b=openai:m@${second.url}`];
  const env = { CHATMODEL_UPSTREAM_API_KEY: "whose-is-it" };
  const ended = await run([...specs, "--port=0"], { permissions, env });
  assertFailed(ended, 2, "CHATMODEL_UPSTREAM_API_KEY", first.url, second.url, "say whose it is");
  assert(!ended.stderr.includes("whose-is-it"), ended.stderr);
  assertEquals([...first.requests, ...second.requests], []);
  const odd = { CHATMODEL_UPSTREAM_API_KEY: `${first.url}=k whose-is-it` };
  const wrong = await run([...specs, "--port=0"], { permissions, env: odd });
  assertFailed(wrong, 2, "entry 2 must be a server and its key");
  assert(!wrong.stderr.includes("whose-is-it"), wrong.stderr);
});

Deno.test("serve.ts tells which permission it needs to send a key", async () => {
  await using upstream = await startFakeUpstream([json({ error: { message: "who?" } }, { status: 401 })]);
  await using server = start([`--model=openai:m@${upstream.url}`, "--port=0"], {
    permissions: ["--allow-net", "--allow-read", "--allow-env=OLLAMA_HOST,OLLAMA_API_KEY"],
    env: { CHATMODEL_UPSTREAM_API_KEY: "unread" },
  });
  await server.url();
  const { stderr } = await server.stop();
  assertStringIncludes(stderr, "run with --allow-env=CHATMODEL_UPSTREAM_API_KEY");
  assertEquals(keysOf(upstream.requests), [null]);
});

Deno.test("serve.ts starts when an upstream is not there yet, and says so", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using server = start([`--model=openai:m@http://127.0.0.1:${port}`, "--port=0"], { permissions });
  assertEquals(await modelNames(await server.url()), ["m"]);
  const { stderr } = await server.stop();
  assertStringIncludes(stderr, `Cannot reach the server at "http://127.0.0.1:${port}/v1": connection refused`);
});

Deno.test("serve.ts refuses an upstream that is none", async () => {
  const cases: readonly (readonly [spec: string, word: string])[] = [
    ["openai:", "the name of the model is missing"],
    ["openai:@http://127.0.0.1:1", "the name of the model is missing"],
    ["openai:m@ftp://127.0.0.1", "is no URL"],
    ["openai:m@http://127.0.0.1:1,http://", "is no URL"],
    ["openai:m@http://user:hunter2@127.0.0.1:1", "user and password must not stand in it"],
    ["openai:m@http://127.0.0.1:1/v1?key=hunter2", "must not have a query"],
  ];
  for (const [spec, word] of cases) {
    const ended = await run([`--model=${spec}`, "--port=0"], { permissions });
    assertFailed(ended, 2, word, "openai:NAME@http://127.0.0.1:8080");
    assert(!ended.stderr.includes("hunter2"), ended.stderr);
  }
});
