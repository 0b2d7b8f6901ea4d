// deno-lint-ignore-file no-console -- what is written to it is looked at
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatModelError, OverloadedError, type PredictPart } from "../../mod.ts";
import configuration from "../../deno.json" with { type: "json" };
import { ask, assertError, events, Parrot, post, Scripted, send, testApp } from "./_app.ts";

function failing(thrown: unknown): Scripted {
  return new Scripted({
    // deno-lint-ignore require-yield -- it fails before
    async *now(): AsyncGenerator<PredictPart> {
      await Promise.resolve();
      throw thrown;
    },
    async *later(): AsyncGenerator<PredictPart> {
      yield await Promise.resolve("a");
      await new Promise((resolve) => setTimeout(resolve, 2));
      throw thrown;
    },
  });
}

for (const path of ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions/", "/v1/chat/completions?a=b"]) {
  Deno.test(`App.fetch() answers chats at ${path}`, async () => {
    const answer = await post(testApp(), ask("Hi"), { path });
    assertEquals(answer.status, 200);
    assertEquals(answer.headers.get("content-type"), "application/json");
    assertEquals(answer.json.choices[0].message.content, "parrot: Hi");
    assertEquals(answer.json.usage, { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 });
  });
}

Deno.test("App.fetch() answers what is no route with 404 in JSON, whatever the method", async () => {
  const app = testApp();
  for (
    const path of ["/nope", "/v1", "/v2/models", "/v1/v1/models", "//v2/models", "/v1/chat", "/%2e%2e/x", "/v1/x?y"]
  ) {
    for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
      assertError(await send(app, path, { method }), 404, "unknown_url");
    }
  }
  assertEquals((await send(app, "/nope", { method: "HEAD" })).status, 404);
  assertEquals(app.errors, []);
});

Deno.test("App.fetch() answers a wrong method with 405 and what is allowed", async () => {
  const app = testApp();
  const cases = [
    ["GET", "/v1/completions", "POST, OPTIONS"],
    ["HEAD", "/v1/completions", "POST, OPTIONS"],
    ["PUT", "/chat/completions", "GET, HEAD, POST, OPTIONS"],
    ["POST", "/v1/models", "GET, HEAD, OPTIONS"],
    ["DELETE", "/v1/models", "GET, HEAD, OPTIONS"],
    ["PUT", "/v1/models/parrot", "GET, HEAD, DELETE, OPTIONS"],
    ["POST", "/ping", "GET, HEAD, OPTIONS"],
    // Names that every object has are no methods.
    ["toString", "/v1/models", "GET, HEAD, OPTIONS"],
    ["constructor", "/v1/models", "GET, HEAD, OPTIONS"],
  ] as const;
  for (const [method, path, allow] of cases) {
    const answer = await send(app, path, { method });
    assertEquals(answer.headers.get("allow"), allow, `${method} ${path}`);
    assertError(answer, 405, "method_not_supported");
  }
  const answer = await send(app, "/invocations");
  assertEquals([answer.status, answer.headers.get("allow")], [405, "POST, OPTIONS"]);
  assertEquals(Object.keys(answer.json), ["error_code", "message"]);
});

Deno.test("App.fetch() answers HEAD as GET without the body", async () => {
  const app = testApp();
  for (const path of ["/", "/ping", "/health", "/version", "/v1/models", "/v1/models/parrot"]) {
    const get = await send(app, path);
    const head = await send(app, path, { method: "HEAD" });
    assertEquals([head.status, head.text], [200, ""], path);
    assertEquals(head.headers.get("content-type"), get.headers.get("content-type"));
    assert(get.text.length > 0);
  }
});

Deno.test("App.fetch() answers OPTIONS without an origin with what is allowed", async () => {
  const answer = await send(testApp(), "/v1/chat/completions", { method: "OPTIONS" });
  assertEquals([answer.status, answer.text, answer.headers.get("allow")], [204, "", "GET, HEAD, POST, OPTIONS"]);
  assertEquals(answer.headers.get("access-control-allow-origin"), null);
});

Deno.test("App.fetch() tells what it is at /", async () => {
  const answer = await send(testApp(), "/");
  assertEquals(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  assert(answer.text.includes(configuration.version) && answer.text.includes("/v1/models"), answer.text);
});

Deno.test("App.fetch() keeps a request's id, and makes one of its own where that is none or odd", async () => {
  const app = testApp();
  for (const id of ["abc", "req_1.2:3-4", "x".repeat(128)]) {
    const answer = await post(app, ask("Hi"), { headers: { "x-request-id": id } });
    assertEquals(answer.headers.get("x-request-id"), id);
    assertEquals(answer.json.custom_outputs.requestId, id);
  }
  for (const id of [undefined, "", "with space", "ü", "x".repeat(129), "<b>", "a,b"]) {
    const answer = await post(app, ask("Hi"), id === undefined ? {} : { headers: { "x-request-id": id } });
    assertMatch(answer.headers.get("x-request-id") ?? "", /^req_[\w-]{10,}$/);
    assertEquals(answer.json.custom_outputs.requestId, answer.headers.get("x-request-id"));
  }
  assertEquals((await send(app, "/nope", { headers: { "x-request-id": "abc" } })).headers.get("x-request-id"), "abc");
});

Deno.test("App.fetch() hands unknown fields to the model, in their order", async () => {
  const answer = await post(testApp(), ask("Hi", { zeta: 1, top_k: 5, alpha: { b: null } }));
  assertEquals(answer.json.custom_outputs.params, { top_k: 5, extra: { zeta: 1, alpha: { b: null } } });
});

for (const thrown of [new Error("no luck"), "no luck"]) {
  Deno.test(`App.fetch() answers 500 with the message when the model throws ${typeof thrown}`, async () => {
    const app = testApp({ m: failing(thrown) });
    for (const rest of [{}, { stream: true }]) {
      const answer = await post(app, ask("now", rest), { headers: { "x-request-id": "mine" } });
      assertError(answer, 500, "model_error");
      assert(answer.json.error.message.endsWith("no luck"), answer.text);
      assertEquals(answer.json.error.type, "server_error");
      // OpenAI's clients would call the model twice more.
      assertEquals(answer.headers.get("x-should-retry"), "false");
    }
    assertEquals(app.errors.map(({ id, error }) => [id, error.cause === thrown]), [["mine", true], ["mine", true]]);
  });
}

Deno.test("App.fetch() answers 500 when the model throws nothing at all", async () => {
  const app = testApp({ m: failing(undefined) });
  for (const rest of [{}, { stream: true }]) assertError(await post(app, ask("now", rest)), 500, "model_error");
  assertEquals(app.errors.length, 2);
});

Deno.test("App.fetch() keeps the status and the hints of a model's own ChatModelError", async () => {
  const overloaded = testApp({ m: failing(new OverloadedError("Cannot answer: full", { retryAfter: 1_500 })) });
  const busy = await post(overloaded, ask("now"));
  assertError(busy, 503, "overloaded");
  assertEquals(["retry-after-ms", "retry-after", "x-should-retry"].map((name) => busy.headers.get(name)), [
    "1500",
    "2",
    null,
  ]);
  const limited = await post(
    testApp({ m: failing(new ChatModelError("Cannot answer: slow down", { status: 429, code: "rate_limit" })) }),
    ask("now"),
  );
  assertError(limited, 429, "rate_limit");
  assertEquals(limited.headers.get("x-should-retry"), "false");
  const refused = await post(
    testApp({ m: failing(new ChatModelError("Cannot answer that", { status: 422 })) }),
    ask("now"),
  );
  assertError(refused, 422, null);
  assertEquals(refused.headers.get("x-should-retry"), "false");
});

Deno.test("App.fetch() answers 500 where a model's error has a status that no answer can have", async () => {
  for (const status of [0, 200, 204, 304, 700, NaN, 404.5]) {
    const app = testApp({ m: failing(new ChatModelError("Cannot answer that", { status, code: "odd" })) });
    for (const path of ["/v1/chat/completions", "/invocations"]) {
      const answer = await post(app, ask("now"), { path, headers: { "content-type": "application/json" } });
      assertEquals(answer.status, 500, `${status} ${path} ${answer.text}`);
    }
    assertEquals(app.errors.length, 2);
  }
});

Deno.test("App.fetch() does not report what is the client's fault", async () => {
  const app = testApp();
  assertEquals((await post(app, "nonsense")).status, 400);
  assertEquals((await post(app, { messages: [] })).status, 400);
  assertEquals((await post(app, ask("Hi", { model: "nope" }))).status, 404);
  assertEquals((await post(app, ask("Hi"), { headers: { origin: "http://evil.example" } })).status, 403);
  assertEquals(app.errors, []);
});

Deno.test("App.fetch() answers also when onError itself fails", async () => {
  const { error: log } = console;
  const logged: unknown[][] = [];
  console.error = (...values) => logged.push(values);
  try {
    const app = testApp({ m: failing(new Error("no luck")) }, {
      onError() {
        throw new Error("log is full");
      },
    });
    assertError(await post(app, ask("now")), 500, "model_error");
    const streamed = await events((await post(app, ask("later", { stream: true }))).text);
    assertEquals(JSON.parse(streamed.at(-1) ?? "").error.code, "model_error");
  } finally {
    console.error = log;
  }
  assertEquals(logged.length, 4);
  assert(String(logged[1]).includes("log is full"));
});

Deno.test("App.fetch() writes errors with their cause and id to the console unless told otherwise", async () => {
  const { error: log } = console;
  const logged: unknown[][] = [];
  console.error = (...values) => logged.push(values);
  const cause = new Error("no luck");
  try {
    const { createApp } = await import("../../serve.ts");
    await post(createApp({ m: failing(cause) }), ask("now"), { headers: { "x-request-id": "mine" } });
  } finally {
    console.error = log;
  }
  const [text, ...others] = logged.flat();
  assertEquals(others, []);
  const lines = String(text).split("\n");
  assertEquals(lines[0], "mine: Error: no luck");
  // Its stack as well: each line is found by the id.
  assert(lines.length > 1 && lines.every((line) => line.startsWith("mine: ")), String(text));
});

Deno.test("App.fetch() answers 500 where the model's answer cannot be written as JSON", async () => {
  const app = testApp({
    m: new Scripted({
      async *big(): AsyncGenerator<PredictPart> {
        yield await Promise.resolve({ content: "secret", custom_outputs: { big: 1n } });
      },
    }),
  });
  for (const rest of [{}, { stream: true }]) {
    const answer = await post(app, ask("big", rest));
    assert(!answer.text.includes("[DONE]"), answer.text);
    if (answer.status === 200) assert((await events(answer.text)).at(-1)?.includes('"error"'), answer.text);
    else assertError(answer, 500, "model_error");
  }
  assertEquals(app.errors.length, 2);
});

Deno.test("App.abort() ends every answer that is being made, as many as there are", async () => {
  const app = testApp({
    m: new Scripted({
      async *wait(): AsyncGenerator<PredictPart> {
        yield await new Promise<string>(() => {});
      },
      async *some(): AsyncGenerator<PredictPart> {
        yield await Promise.resolve("a");
        yield await new Promise<string>(() => {});
      },
    }),
    parrot: new Parrot(),
  });
  const running = [
    post(app, ask("wait")),
    post(app, ask("wait", { stream: true })),
    post(app, ask("some", { stream: true })),
  ];
  await new Promise((resolve) => setTimeout(resolve, 20));
  app.abort(new OverloadedError("Cannot finish the answer: the server stops", { code: "server_stopping" }));
  const [whole, early, stream] = await Promise.all(running);
  assert(whole && early && stream);
  assertError(whole, 503, "server_stopping");
  assertError(early, 503, "server_stopping");
  const frames = await events(stream.text);
  assertEquals(JSON.parse(frames.at(-1) ?? "").error.code, "server_stopping");
  // What comes after is answered.
  assertEquals((await post(app, ask("Hi", { model: "parrot" }))).status, 200);
});
