import { assert, assertEquals, assertMatch } from "@std/assert";
import type { PredictPart } from "../../mod.ts";
import { ask, assertError, events, post, Scripted, testApp } from "./_app.ts";

/** A model that waits until it is told to go on. */
function gated(act: (gate: Promise<void>) => AsyncGenerator<PredictPart>) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { model: new Scripted({ go: () => act(promise) }), open: resolve };
}

const plain = new Scripted({
  async *go(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve("Hel");
    yield "lo";
    yield { usage: { prompt_tokens: 1, completion_tokens: 2 } };
  },
});

Deno.test("a stream has the headers that clients and proxies need", async () => {
  const answer = await post(testApp({ m: plain }), ask("go", { stream: true }));
  assertEquals(answer.status, 200);
  // Exactly: some clients compare it as it is.
  assertEquals(answer.headers.get("content-type"), "text/event-stream");
  assertEquals(answer.headers.get("cache-control"), "no-cache");
  assertEquals(answer.headers.get("x-accel-buffering"), "no");
  assertMatch(answer.headers.get("x-request-id") ?? "", /^req_/);
  assertEquals(answer.headers.get("content-length"), null);
});

Deno.test("a stream is role, text, finish, [DONE], with one id, model and time", async () => {
  const frames = await events((await post(testApp({ m: plain }), ask("go", { stream: true }))).text);
  assertEquals(frames.pop(), "[DONE]");
  const chunks = frames.map((frame) => JSON.parse(frame));
  assertEquals(chunks.map(({ choices: [choice] }) => [choice.delta, choice.finish_reason]), [
    [{ role: "assistant", content: "" }, null],
    [{ content: "Hel" }, null],
    [{ content: "lo" }, null],
    [{}, "stop"],
  ]);
  assertEquals(new Set(chunks.map(({ id, model, created, object }) => [id, model, created, object].join())).size, 1);
  assertEquals([chunks[0].model, chunks[0].object], ["m", "chat.completion.chunk"]);
});

Deno.test("usage comes in a chunk of its own, and only when asked for", async () => {
  const app = testApp({ m: plain });
  for (const options of [undefined, null, {}, { include_usage: false }, { include_usage: null }]) {
    const { text } = await post(app, ask("go", { stream: true, stream_options: options }));
    assert(!text.includes("usage"), text);
  }
  const { text } = await post(app, ask("go", { stream: true, stream_options: { include_usage: true } }));
  const frames = await events(text);
  const last = JSON.parse(frames.at(-2) ?? "");
  assertEquals([last.choices, last.usage], [[], { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }]);
  assertEquals(JSON.parse(frames[0] ?? "").usage, null);
});

Deno.test("stream_options without stream are accepted, as is stream: false and null", async () => {
  for (const rest of [{ stream_options: { include_usage: true } }, { stream: false }, { stream: null }]) {
    const answer = await post(testApp({ m: plain }), ask("go", rest));
    assertEquals([answer.status, answer.headers.get("content-type")], [200, "application/json"]);
    assertEquals(answer.json.choices[0].message.content, "Hello");
  }
});

Deno.test("a failure before the first token has its own status; one after it is the last frame", async () => {
  const failing = new Scripted({
    // deno-lint-ignore require-yield -- it fails before
    async *now(): AsyncGenerator<PredictPart> {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error("no luck");
    },
    async *later(): AsyncGenerator<PredictPart> {
      yield await Promise.resolve("a");
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error("no luck");
    },
  });
  const app = testApp({ m: failing });
  assertError(await post(app, ask("now", { stream: true })), 500, "model_error");
  const answer = await post(app, ask("later", { stream: true }), { headers: { "x-request-id": "mine" } });
  assertEquals(answer.status, 200);
  const frames = await events(answer.text);
  assertEquals(frames.length, 3);
  const { error } = JSON.parse(frames.at(-1) ?? "");
  assertEquals([error.code, error.type], ["model_error", "server_error"]);
  assert(error.message.endsWith("no luck"));
  assert(!answer.text.includes("[DONE]"));
  assertEquals(app.errors.length, 2);
  assertEquals([app.errors[1]?.id, app.errors[1]?.error.message], ["mine", error.message]);
});

Deno.test("after statusWait the headers leave, comments follow, then the answer or an error frame", async () => {
  for (const fails of [false, true]) {
    const { model, open } = gated(async function* (gate) {
      await gate;
      if (fails) throw new Error("no luck");
      yield "Hello";
    });
    const app = testApp({ m: model }, { statusWait: 5, keepAliveInterval: 5 });
    const response = await app.fetch(
      new Request("http://server.test/v1/chat/completions", {
        method: "POST",
        body: JSON.stringify(ask("go", { stream: true })),
      }),
    );
    assertEquals([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert(reader);
    for (let i = 0; i < 2; i++) assertEquals((await reader.read()).value, ": keep-alive\n\n");
    open();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    const frames = await events(rest);
    if (fails) {
      assertEquals(frames.length, 1);
      assertEquals(JSON.parse(frames[0] ?? "").error.code, "model_error");
      assertEquals(app.errors.length, 1);
    } else {
      assertEquals(frames.at(-1), "[DONE]");
    }
  }
});

Deno.test("a stream whose reader leaves stops the model, and is not reported as a failure", async () => {
  let stopped: unknown;
  const waiting = new Scripted({
    async *go(): AsyncGenerator<PredictPart> {
      try {
        for (;;) yield await new Promise<string>((resolve) => setTimeout(() => resolve("a"), 1));
      } finally {
        stopped = true;
      }
    },
  });
  const app = testApp({ m: waiting });
  const response = await app.fetch(
    new Request("http://server.test/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify(ask("go", { stream: true })),
    }),
  );
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(stopped, true);
  assertEquals(app.errors, []);
});

Deno.test("a stream on a socket arrives piece by piece, not at its end", async () => {
  const { model, open } = gated(async function* (gate) {
    yield "first";
    await gate;
    yield "second";
  });
  const app = testApp({ m: model });
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify(ask("go", { stream: true })),
    headers: { origin: "http://localhost:3000" },
  });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  assertEquals(response.headers.get("access-control-allow-origin"), "http://localhost:3000");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert(reader);
  let text = "";
  // The model goes on only when its first piece is here.
  while (!text.includes("first")) text += (await reader.read()).value ?? "";
  assert(!text.includes("second"));
  open();
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  assert(text.includes("second") && text.endsWith("data: [DONE]\n\n"), text);
});

Deno.test("a stream tells an estimate of the usage that was asked for where the model counts nothing, and says so", async () => {
  const app = testApp({
    m: new Scripted({
      async *go(): AsyncGenerator<PredictPart> {
        yield await Promise.resolve("Hello");
        yield " world";
      },
    }),
  });
  const answer = await post(app, ask("go", { stream: true, stream_options: { include_usage: true } }));
  const counted = await events(answer.text);
  const { choices, usage } = JSON.parse(counted.at(-2) ?? "");
  assertEquals(choices, []);
  assertEquals(Object.keys(usage), ["prompt_tokens", "completion_tokens", "total_tokens", "estimated"]);
  assertEquals([usage.total_tokens, usage.estimated], [usage.prompt_tokens + usage.completion_tokens, true]);
  assert(usage.prompt_tokens > 0 && usage.completion_tokens > 0);
  // Nobody asked.
  const { text } = await post(app, ask("go", { stream: true }));
  assert(!text.includes("usage"), text);
});
