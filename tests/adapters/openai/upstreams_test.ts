/** Several upstreams: which one is asked, when another one is, and what is told when none answers. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type OpenAIAnswer, OpenAIChatModel, OpenAIClient, type OpenAIUpstream } from "../../../adapters/openai/mod.ts";
import { ChatModelError, loadChatModel } from "../../../mod.ts";
import {
  type Answer,
  type FakeUpstream,
  garbage,
  htmlError,
  json,
  startFakeUpstream,
  text,
  type UpstreamRequest,
} from "../../support/fake_upstream.ts";
import { until, within } from "../../serving/_stack.ts";
import { chunk, DONE, finish, goodStream, sse, token, whole } from "./_stack.ts";

const REQUEST = { model: "m", messages: [{ role: "user", content: "hi" }] };
const STREAM = { messages: [{ role: "user" as const, content: "hi" }] };

type Handler = (request: UpstreamRequest, index: number) => Answer;

/** A group of upstreams, and a client that knows them all. */
async function startGroup(
  handlers: readonly (Answer | Handler)[],
  options: readonly Partial<OpenAIUpstream>[] = [],
): Promise<{ upstreams: FakeUpstream[]; client: OpenAIClient; chats: () => number[] } & AsyncDisposable> {
  const upstreams = await Promise.all(
    handlers.map((handler) => startFakeUpstream(typeof handler === "function" ? handler : [handler])),
  );
  const client = new OpenAIClient({
    upstreams: upstreams.map(({ url }, i) => ({ baseUrl: `${url}/v1`, ...options[i] })),
  });
  return {
    upstreams,
    client,
    chats: () => upstreams.map(({ requests }) => requests.filter(({ method }) => method === "POST").length),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await Promise.all(upstreams.map((upstream) => upstream[Symbol.asyncDispose]()));
    },
  };
}

/** Where nothing listens. */
function freeUrl(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}/v1`;
}

const fine: Handler = ({ body }) =>
  body === "" ? json({ data: [] }) : JSON.parse(body).stream ? goodStream("Fine") : json(whole("Fine"));

function contentOf({ choices }: OpenAIAnswer): unknown {
  return Array.isArray(choices) ? choices[0].message.content : undefined;
}

async function streamed(client: OpenAIClient): Promise<{ text: string; error?: ChatModelError }> {
  const model = await loadChatModel(new OpenAIChatModel({ model: "m", client }));
  let text = "";
  try {
    for await (const { choices: [choice] } of model.predictStream(STREAM)) text += choice?.delta.content ?? "";
  } catch (error) {
    assert(ChatModelError.isInstance(error), String(error));
    return { text, error };
  }
  return { text };
}

const REFUSALS: Record<string, Answer> = {
  "429 without a time": json({ error: { message: "slow down" } }, { status: 429 }),
  "429 of a quota": json({ error: { message: "no", code: "insufficient_quota" } }, { status: 429 }),
  "502 in HTML": htmlError(),
  "503 in JSON": json({ error: "busy" }, { status: 503 }),
  "503 that is for good": json({ error: "busy" }, { status: 503, headers: { "x-should-retry": "false" } }),
  "504": text("", { status: 504 }),
  "a reset before the headers": ["reset"],
  "an end before the headers": ["close"],
  "bytes that are no HTTP": garbage(),
};

for (const [name, refusal] of Object.entries(REFUSALS)) {
  Deno.test(`OpenAIClient goes on to the next upstream when one gives ${name}`, async () => {
    await using group = await startGroup([refusal, fine], [{ weight: 2 }]);
    assertEquals(contentOf(await group.client.chat(REQUEST)), "Fine");
    assertEquals(group.chats(), [1, 1], "each once, without retries");
    assertEquals(contentOf(await group.client.chat(REQUEST)), "Fine");
    assertEquals(group.chats(), [1, 2], "the failed one is left out");
    await using other = await startGroup([refusal, fine], [{ weight: 2 }]);
    assertEquals(await streamed(other.client), { text: "Fine" });
    assertEquals(other.chats(), [1, 1]);
  });
}

Deno.test("OpenAIClient goes on to the next upstream when nothing listens at one", async () => {
  await using upstream = await startFakeUpstream(fine);
  using client = new OpenAIClient({
    upstreams: [{ baseUrl: freeUrl(), weight: 2 }, { baseUrl: `${upstream.url}/v1` }],
  });
  assertEquals(contentOf(await client.chat(REQUEST)), "Fine");
  assertEquals(await streamed(client), { text: "Fine" });
});

const role = chunk({ role: "assistant", content: "" });

/** Failures of a stream that began well, but had no token. */
const EARLY: Record<string, Answer> = {
  "an end": sse([role]),
  "a cut": sse([role], { end: "cut" }),
  "a reset": [...sse([role], { end: "stall" }).slice(0, -1), { wait: 30 }, "reset"],
  "an error frame that it is busy": sse([role, { error: { message: "busy", code: 503 } }]),
  "an error frame of a limit": sse([role, { error: { message: "slow", code: 429 } }]),
  "nothing but [DONE]": sse([DONE]),
};

for (const [name, answer] of Object.entries(EARLY)) {
  Deno.test(`OpenAIClient goes on to the next upstream when a stream has ${name} before its first token`, async () => {
    await using group = await startGroup([answer, fine], [{ weight: 2 }]);
    assertEquals(await streamed(group.client), { text: "Fine" });
    assertEquals(group.chats(), [1, 1]);
  });
}

const TOKENS = [role, token("One "), token("two")];

const LATE: Record<string, readonly [Answer, string]> = {
  "an end": [sse(TOKENS), "upstream_incomplete"],
  "a cut": [sse(TOKENS, { end: "cut" }), "upstream_lost"],
  "a reset": [[...sse(TOKENS, { end: "stall" }).slice(0, -1), { wait: 30 }, "reset"], "upstream_lost"],
  "an error frame that it is busy": [sse([...TOKENS, { error: { message: "busy", code: 503 } }]), "overloaded"],
  "garbage": [sse([...TOKENS, "data: {\n"]), "upstream_bad_record"],
};

for (const [name, [answer, code]] of Object.entries(LATE)) {
  Deno.test(`OpenAIClient asks no other upstream when a stream has ${name} after its first token`, async () => {
    await using group = await startGroup([answer, fine], [{ weight: 2 }]);
    const { text, error } = await streamed(group.client);
    assertEquals([text, error?.code], ["One two", code]);
    assertEquals(group.chats(), [1, 0]);
    assertEquals(await streamed(group.client), { text: "Fine" }, "the next call fares well");
  });
}

const LONG = "ä".repeat(150_000);

/** What is slow or odd, but good. */
const GOOD: Record<string, readonly [Answer, string]> = {
  "slow headers": [[{ wait: 150 }, ...sse([...TOKENS, finish(), DONE])], "One two"],
  "a long wait after the role": [
    [...sse([role], { end: "stall" }).slice(0, -1), { wait: 150 }, ...sse([token("One"), finish(), DONE]).slice(1)],
    "One",
  ],
  "one byte a packet": [sse([role, token("Oné"), finish(), DONE], { packet: 1 }), "Oné"],
  "a frame of 300 kB": [sse([role, token(LONG), finish(), DONE]), LONG],
  "[DONE] twice": [sse([role, token("One"), finish(), DONE, DONE]), "One"],
  "no token, but a finish": [sse([role, finish(), DONE]), ""],
  "a whole answer": [json(whole("One")), "One"],
};

for (const [name, [answer, content]] of Object.entries(GOOD)) {
  Deno.test(`OpenAIClient stays with an upstream that gives ${name}`, async () => {
    await using group = await startGroup([answer, fine], [{ weight: 2 }]);
    const { text, error } = await streamed(group.client);
    assertEquals([text === content, error, group.chats()], [true, undefined, [1, 0]]);
  });
}

for (
  const [moment, answer] of [["before its headers", ["stall"]], [
    "before its first token",
    sse([role], { end: "stall" }),
  ]] as const
) {
  Deno.test(`OpenAIClient leaves the time to the caller when an upstream stalls ${moment}`, async () => {
    await using group = await startGroup([answer, fine], [{ weight: 2 }]);
    const model = await loadChatModel(new OpenAIChatModel({ model: "m", client: group.client }), {
      firstTokenTimeout: 200,
    });
    const error = await assertRejects(async () => {
      for await (const _ of model.predictStream(STREAM)); // Nothing comes.
    }, ChatModelError);
    assertEquals([error.status, error.code, group.chats()], [504, "first_token_timeout", [1, 0]]);
    await within(group.upstreams[0]?.allClosed() ?? Promise.resolve(), "its connection to close");
  });
}

/** What another upstream would not do better, or must not be asked for. */
const FINAL: Record<string, readonly [Answer, string]> = {
  "400": [json({ error: { message: "odd" } }, { status: 400 }), "upstream_rejected"],
  "401": [json({ error: { message: "who?" } }, { status: 401 }), "upstream_authentication"],
  "404 for the model": [json({ error: { message: "x", code: "model_not_found" } }, { status: 404 }), "model_not_found"],
  "500": [json({ error: { message: "deep" } }, { status: 500 }), "upstream_error"],
  "a redirect": [text("", { status: 307, headers: { location: "http://127.0.0.1:1/" } }), "upstream_redirect"],
  "a page": [htmlError(200), "upstream_error"],
  "a wrong shape": [json({ content: "hi" }), "upstream_bad_record"],
};

for (const [name, [answer, code]] of Object.entries(FINAL)) {
  Deno.test(`OpenAIClient asks no other upstream when one gives ${name}`, async () => {
    await using group = await startGroup([answer, fine], [{ weight: 2 }]);
    const error = await assertRejects(() => group.client.chat(REQUEST), ChatModelError);
    assertEquals([error.code, group.chats()], [code, [1, 0]]);
  });
}

Deno.test("OpenAIClient does not go on when the caller leaves", async () => {
  await using group = await startGroup([["stall"], fine], [{ weight: 2 }]);
  const controller = new AbortController();
  const call = group.client.chat(REQUEST, { signal: controller.signal });
  await group.upstreams[0]?.requested(1);
  controller.abort(new Error("enough"));
  await assertRejects(() => call, Error, "enough");
  assertEquals(group.chats(), [1, 0]);
});

Deno.test("OpenAIClient tells one error without secrets when no upstream answers", async () => {
  const keyed = { apiKey: "sk-very-secret-key" };
  await using group = await startGroup(
    [htmlError(), json({ error: "sk-very-secret-key is bad" }, { status: 502 }), ["reset"]],
    [keyed, keyed, keyed],
  );
  const error = await assertRejects(() => group.client.chat(REQUEST), ChatModelError);
  assertEquals([error.status, error.code], [502, "upstream_unreachable"]);
  assertStringIncludes(error.message, `Cannot chat with model "m": none of 3 upstreams answers (3 tried`);
  assertStringIncludes(error.message, "check their base URLs");
  assert(!`${error.message}${Deno.inspect(error)}`.includes("very-secret"), "a key is told");
  assertEquals(group.chats(), [1, 1, 1], "each once");
  assertEquals((await streamed(group.client)).error?.code, "upstream_unreachable");
  assertEquals(group.chats(), [2, 2, 2], "all are out, and each is tried once more");
});

Deno.test("OpenAIClient leaves an upstream alone for as long as it asked for", async () => {
  const busy = json({ error: "busy" }, { status: 503, headers: { "retry-after": "70" } });
  await using group = await startGroup([
    busy,
    json({ error: "slow" }, { status: 429, headers: { "retry-after": "60" } }),
  ]);
  for (const tried of ["2 tried", "0 tried"]) {
    const error = await assertRejects(() => group.client.chat(REQUEST), ChatModelError);
    assertEquals([error.status, error.code], [503, "overloaded"]);
    assertStringIncludes(error.message, tried);
    const { retryAfter = 0 } = error;
    assert(retryAfter > 50_000 && retryAfter <= 75_000, `${retryAfter}`);
  }
  assertEquals(group.chats(), [1, 1]);
  assertEquals(group.upstreams.flatMap(({ requests }) => requests).length, 2, "not even checks");
});

Deno.test("OpenAIClient shares calls out by weight when they follow one another", async () => {
  await using group = await startGroup([fine, fine, fine], [{ weight: 1 }, { weight: 3 }, { weight: 0.5 }]);
  for (let i = 0; i < 18; i++) await group.client.chat(REQUEST);
  assertEquals(group.chats(), [4, 12, 2]);
});

Deno.test("OpenAIClient gives calls to the upstream with the least to do when they overlap", async () => {
  const slow: Handler = () => ["stall"];
  await using group = await startGroup([slow, slow], [{ weight: 1 }, { weight: 2 }]);
  const controller = new AbortController();
  const calls = Array.from(
    { length: 9 },
    () => group.client.chat(REQUEST, { signal: controller.signal }).catch(() => {}),
  );
  await until(() => group.chats().reduce((sum, count) => sum + count) === 9, "nine requests");
  assertEquals(group.chats(), [3, 6]);
  controller.abort();
  await Promise.all(calls);
});

Deno.test("OpenAIClient counts streams as work until they are over or left", async () => {
  const endless: Handler = () => sse(TOKENS, { end: "stall" });
  await using group = await startGroup([endless, endless]);
  const open = await Promise.all([1, 2, 3, 4].map(() => group.client.chatStream(REQUEST)));
  assertEquals(group.chats(), [2, 2]);
  for (const stream of open) await stream.return?.();
  const again = await Promise.all([1, 2].map(() => group.client.chatStream(REQUEST)));
  assertEquals(group.chats(), [3, 3]);
  for (const stream of again) await stream.return?.();
  await within(Promise.all(group.upstreams.map((upstream) => upstream.allClosed())), "connections to close");
});

Deno.test("OpenAIClient asks a failed upstream for its models, never for an answer, and uses it again", async () => {
  let isWell = false;
  const ill: Handler = ({ body }, index) =>
    isWell ? fine({ method: "", path: "", headers: new Headers(), body }, index) : ["reset"];
  await using group = await startGroup([ill, fine], [{ weight: 2, apiKey: "key-of-the-first" }]);
  assertEquals(contentOf(await group.client.chat(REQUEST)), "Fine");
  const [first] = group.upstreams;
  assert(first !== undefined);
  await within(first.requested(2), "a check");
  isWell = true;
  const before = first.requests.length;
  await within(first.requested(before + 1), "another check");
  assertEquals(
    new Set(first.requests.slice(1).map(({ method, path }) => `${method} ${path}`)),
    new Set(["GET /v1/models"]),
  );
  assertEquals(first.requests[1]?.headers.get("authorization"), "Bearer key-of-the-first");
  const own = () => first.requests.filter(({ method }) => method === "POST").length;
  await until(
    () => own() > 1 || (void group.client.chat(REQUEST).catch(() => {}), false),
    "the upstream to be used again",
  );
  assertEquals(
    group.upstreams[1]?.requests.every(({ method }) => method === "POST"),
    true,
    "no checks of one that is well",
  );
});

Deno.test("OpenAIClient sends each upstream its own key and headers only", async () => {
  const busy = json({ error: "busy" }, { status: 503 });
  await using group = await startGroup([busy, busy, fine], [
    { weight: 4, apiKey: "first-key", headers: { "x-own": "1" } },
    { weight: 2, headers: { authorization: "Basic abc" } },
  ]);
  await group.client.chat(REQUEST);
  const sent = group.upstreams.map(({ requests: [request] }) => [
    request?.headers.get("authorization") ?? null,
    request?.headers.get("x-own") ?? null,
  ]);
  assertEquals(sent, [["Bearer first-key", "1"], ["Basic abc", null], [null, null]]);
});

Deno.test("OpenAIClient goes on for vectors and lists as well", async () => {
  const vectors: Handler = ({ method }) =>
    json(method === "GET" ? { data: [{ id: "a" }] } : { data: [{ index: 0, embedding: [1, 2] }] });
  await using group = await startGroup([htmlError(503), vectors], [{ weight: 2 }]);
  assertEquals(await group.client.embed({ model: "m", input: "x" }), { embeddings: [[1, 2]] });
  await using other = await startGroup([htmlError(503), vectors], [{ weight: 2 }]);
  assertEquals(await other.client.list(), [{ id: "a" }]);
});

Deno.test("OpenAIClient names all upstreams by their URLs", async () => {
  await using group = await startGroup([fine, fine]);
  assertEquals(group.client.url, group.upstreams.map(({ url }) => `${url}/v1`).join(", "));
});

Deno.test("OpenAIClient refuses upstreams that cannot be used", () => {
  const cases: readonly (readonly [ConstructorParameters<typeof OpenAIClient>[0], string])[] = [
    [{ upstreams: [] }, "upstreams"],
    [{ upstreams: [{ baseUrl: "http://a" }], baseUrl: "http://b" }, "baseUrl"],
    [{ upstreams: [{ baseUrl: "http://a" }], apiKey: "k" }, "apiKey"],
    [{ upstreams: [{ baseUrl: "http://a" }, { baseUrl: "http://b", weight: 0 }] }, "upstreams.1.weight"],
    [{ upstreams: [{ baseUrl: "http://a", weight: NaN }] }, "upstreams.0.weight"],
  ];
  for (const [options, param] of cases) {
    const error = assertThrows(() => new OpenAIClient(options), ChatModelError);
    assertEquals([error.code, error.param], ["invalid_option", param]);
  }
  const client = new OpenAIClient({ upstreams: [{ baseUrl: "http://a" }, { baseUrl: "no URL" }] });
  assertEquals(assertThrows(() => client.url, ChatModelError).code, "invalid_option");
});

Deno.test("OpenAIClient goes on to the next upstream when a response has not begun", async () => {
  const created = { type: "response.created", response: { id: "r", status: "in_progress", output: [] } };
  const failed = {
    type: "response.failed",
    response: { status: "failed", error: { code: "rate_limit_exceeded", message: "" } },
  };
  const done = { type: "response.completed", response: { id: "r", status: "completed", output: [] } };
  await using group = await startGroup([sse([created, failed]), sse([created, done])], [{ weight: 2 }]);
  const events: OpenAIAnswer[] = [];
  for await (const batch of await group.client.respondStream({ model: "m", input: "hi" })) events.push(...batch);
  assertEquals(events.map(({ type }) => type), ["response.created", "response.completed"]);
  assertEquals(group.chats(), [1, 1]);
});

Deno.test("OpenAIChatModel takes upstreams", async () => {
  await using upstream = await startFakeUpstream([sse([...TOKENS, finish(), DONE])]);
  const model = new OpenAIChatModel({ model: "m", upstreams: [{ baseUrl: `${upstream.url}/v1` }] });
  const loaded = await loadChatModel(model);
  let text = "";
  for await (const { choices: [choice] } of loaded.predictStream(STREAM)) text += choice?.delta.content ?? "";
  assertEquals(text, "One two");
});
