import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ChatMessage, ChatModel, type ModelContext } from "../../mod.ts";
import { until, within } from "./_stack.ts";
import { Connection, HELLO, plain, post, start } from "./_wire.ts";

/** Waits until it may answer, and takes down whose signals fired. */
class Waiting extends ChatModel {
  started = 0;
  aborted = 0;
  readonly #free = Promise.withResolvers<void>();

  free(): void {
    this.#free.resolve();
  }

  override async predict({ signal }: ModelContext): Promise<string> {
    this.started++;
    const left = Promise.withResolvers<never>();
    const onAbort = () => {
      this.aborted++;
      left.reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    try {
      return await Promise.race([this.#free.promise.then(() => "Here I am"), left.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

const STREAM = JSON.stringify({ ...JSON.parse(HELLO), stream: true });

Deno.test("listen() stops all requests of a connection when its client leaves, the queued ones too", async () => {
  const model = new Waiting();
  await using listening = await start({}, { model });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", HELLO).repeat(3));
  await until(() => model.started === 3, "three calls");
  connection.close();
  await until(() => model.aborted === 3, "three signals");
});

Deno.test("listen() stops queued requests when their client leaves while an earlier answer streams", async () => {
  const model = new Waiting();
  await using listening = await start({ statusWait: 10 }, { model });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", STREAM) + post("/v1/chat/completions", HELLO));
  await connection.until("text/event-stream");
  await until(() => model.started === 2, "two calls");
  connection.close();
  await until(() => model.aborted === 2, "two signals");
});

Deno.test("listen() answers pipelined requests in their order", async () => {
  const model = new Waiting();
  await using listening = await start({}, { model });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", HELLO) + plain("GET /ping") + plain("GET /nowhere"));
  await until(() => model.started === 1, "a call");
  model.free();
  assertMatch((await connection.answer()).body, /Here I am/);
  assertEquals((await connection.answer()).body, "\n");
  assertEquals((await connection.answer()).status, 404);
});

for (const [name, body] of [["in one piece", HELLO], ["streamed", STREAM]] as const) {
  Deno.test(`listen() answers a client that closed the side on which it sends, ${name}`, async () => {
    const model = new Waiting();
    await using listening = await start({ statusWait: 10 }, { model });
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", body));
    await until(() => model.started === 1, "a call");
    await connection.closeWrite();
    // Long enough to be asked several times whether it is still there.
    await new Promise((resolve) => setTimeout(resolve, 200));
    model.free();
    const answer = await connection.toEnd();
    assertMatch(answer, /Here I am/);
    assertMatch(answer, /^(?:HTTP\/1.1 100 Continue\r\n\r\n)*HTTP\/1.1 200 OK\r\n/);
    assertEquals(model.aborted, 0);
  });
}

Deno.test("listen() answers all pipelined requests of a client that closed the side on which it sends", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(plain("GET /ping") + post("/v1/chat/completions", HELLO) + plain("GET /v1/models"));
  await connection.closeWrite();
  const answer = await connection.toEnd();
  assertEquals(answer.match(/HTTP\/1.1 200 OK/g)?.length, 3);
  assert(answer.includes("old friend") && answer.includes('"object":"list"'), answer);
});

const CHUNKED = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";

const CUT: readonly [name: string, request: string][] = [
  ["with a length", post("/v1/chat/completions", HELLO.slice(0, 10), HELLO.length)],
  ["with a length, before its body", post("/v1/chat/completions", "", HELLO.length)],
  ["in a chunk", `${CHUNKED}ff\r\n{"m`],
  ["between chunks", `${CHUNKED}3\r\n{"m\r\n`],
];

for (const [name, request] of CUT) {
  Deno.test(`listen() answers a client that closed its side in the middle of a body, ${name}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(request);
    await connection.closeWrite();
    const { status, headers, body } = await connection.answer();
    assertEquals([status, JSON.parse(body).error.code], [400, "incomplete_body"]);
    assertEquals(headers.get("connection"), "close");
    assertEquals(await connection.toEnd(), "");
  });

  Deno.test(`listen() answers what was asked before a body that breaks off, ${name}`, async () => {
    const model = new Waiting();
    await using listening = await start({}, { model });
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", HELLO) + plain("GET /ping") + request);
    await connection.closeWrite();
    await until(() => model.started === 1, "a call");
    model.free();
    assertMatch((await connection.answer()).body, /Here I am/);
    assertEquals((await connection.answer()).body, "\n");
    assertEquals(JSON.parse((await connection.answer()).body).error.code, "incomplete_body");
    assertEquals(await connection.toEnd(), "");
    assertEquals([model.started, model.aborted], [1, 0]);
  });
}

Deno.test("listen() answers a client that closed its side in the middle of a body that no one reads", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(plain("GET /v1/models", "content-length: 100") + "x");
  await connection.closeWrite();
  assertEquals((await connection.answer()).status, 200);
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() answers a client of HTTP/1.0 that closed its side, if the answer is quick", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send("GET /v1/models HTTP/1.0\r\n\r\n");
  await connection.closeWrite();
  assertMatch(await connection.toEnd(), /^HTTP\/1.1 200 OK\r\n[^]*"demo"/);
});

Deno.test("listen() goes on with the stream of a client of HTTP/1.0 that closed its side", async () => {
  const model = new Waiting();
  await using listening = await start({ statusWait: 10 }, { model });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", STREAM).replace("HTTP/1.1", "HTTP/1.0"));
  await connection.closeWrite();
  await connection.until("\r\n\r\n");
  // Longer than it is waited for before the stream.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  model.free();
  assertMatch(await connection.toEnd(), /Here I am[^]*\[DONE\]/);
  assertEquals(model.aborted, 0);
});

Deno.test("listen() stops the model of a client of HTTP/1.0 that left", async () => {
  const model = new Waiting();
  await using listening = await start({}, { model });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", HELLO).replace("HTTP/1.1", "HTTP/1.0"));
  await until(() => model.started === 1, "a call");
  connection.close();
  await until(() => model.aborted === 1, "its signal");
});

Deno.test("listen() goes on with the connections of a client that leaves a stream and asks again", async () => {
  const model = new Waiting();
  await using listening = await start({ statusWait: 10 }, { model });
  const url = `http://127.0.0.1:${listening.port}`;
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
  for (let i = 1; i <= 3; i++) {
    const controller = new AbortController();
    const response = await fetch(`${url}/v1/chat/completions`, {
      client,
      method: "POST",
      body: STREAM,
      signal: controller.signal,
    });
    assertEquals(response.status, 200);
    controller.abort();
    await response.body?.cancel().catch(() => {});
    await until(() => model.aborted === i, "the signal");
    const models = await within(fetch(`${url}/v1/models`, { client }), "another answer");
    assertMatch(await models.text(), /"model"/);
  }
});

const EXPECTING = post("/v1/chat/completions", HELLO).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");

for (const count of [1, 3]) {
  Deno.test(`listen() puts no "100 Continue" into queued answers, of which there are ${count}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", HELLO) + EXPECTING.repeat(count) + plain("GET /ping"));
    for (let i = 0; i <= count; i++) {
      const { status, body } = await connection.answer();
      assertEquals(status, 200);
      assertMatch(body, /^\{"id":[^\n]*old friend[^\n]*\}$/);
    }
    assertEquals((await connection.answer()).body, "\n");
  });

  Deno.test(`listen() puts no "100 Continue" into a stream before queued answers, ${count}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", STREAM) + EXPECTING.repeat(count) + plain("GET /ping"));
    const stream = await connection.until("\r\n0\r\n\r\n");
    assert(!stream.includes("100 Continue"), stream);
    for (let i = 0; i < count; i++) assertMatch((await connection.answer()).body, /^\{"id":[^\n]*\}$/);
    assertEquals((await connection.answer()).body, "\n");
  });
}

Deno.test("listen() tells a client to send its body when it is the turn of its request", async () => {
  const model = new Waiting();
  await using listening = await start({}, { model });
  using connection = await Connection.open(listening.port);
  const [head = ""] = EXPECTING.split("{");
  await connection.send(post("/v1/chat/completions", HELLO) + head);
  await until(() => model.started === 1, "a call");
  // The other one waits meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 50));
  model.free();
  const answer = await connection.until("HTTP/1.1 100 Continue\r\n\r\n");
  assertMatch(answer, /^HTTP\/1.1 200 OK\r\n[^]*Here I am[^]*\}HTTP\/1.1 100 Continue\r\n\r\n$/);
  await connection.send(HELLO);
  assertMatch((await connection.answer()).body, /Here I am/);
});

const UNREADABLE: readonly [name: string, rest: string][] = [
  ["a letter", "x"],
  ["garbage", "GARBAGE\r\n\r\n"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"],
  ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n"],
  ["a bad chunk", `${CHUNKED}zz\r\n`],
  ["half a request", "GET /pi"],
  ["half a body", CUT[0]?.[1] ?? ""],
];

for (const [name, rest] of UNREADABLE) {
  for (const [how, body] of [["in one piece", HELLO], ["streamed", STREAM]] as const) {
    Deno.test(`listen() stops the model when its client leaves with ${name} behind a request, ${how}`, async () => {
      const model = new Waiting();
      await using listening = await start({ statusWait: 10 }, { model });
      using connection = await Connection.open(listening.port);
      await connection.send(post("/v1/chat/completions", body) + rest);
      await until(() => model.started === 1, "a call");
      await new Promise((resolve) => setTimeout(resolve, 50));
      assertEquals(model.aborted, 0);
      connection.close();
      await until(() => model.aborted === 1, "the signal");
    });
  }

  Deno.test(`listen() answers a client that closed its side with ${name} behind a request`, async () => {
    const model = new Waiting();
    await using listening = await start({}, { model });
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", HELLO) + rest);
    await connection.closeWrite();
    await until(() => model.started === 1, "a call");
    await new Promise((resolve) => setTimeout(resolve, 100));
    model.free();
    assertMatch((await connection.answer()).body, /Here I am/);
    assertMatch(await connection.toEnd(), rest.startsWith("GET") ? /^$/ : /^HTTP\/1.1 4\d\d [^]*"code":"\w+"\}\}$/);
    assertEquals(model.aborted, 0);
  });
}

/** Says as many letters as it is told to. */
class Lengthy extends ChatModel {
  override predict(_context: ModelContext, [message]: readonly ChatMessage[]): string {
    return "x".repeat(Number(message?.content));
  }
}

Deno.test("listen() refuses what cannot be read after answers that wait for their client to read", async () => {
  await using listening = await start({}, { lengthy: new Lengthy() });
  using connection = await Connection.open(listening.port);
  const ask = (content: string) =>
    post("/v1/chat/completions", JSON.stringify({ messages: [{ role: "user", content }] }));
  await connection.send(ask("6000000") + ask("5") + ask("5"));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await connection.send("GARBAGE\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const all = await connection.toEnd();
  const heads = [...all.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  assertEquals(heads, ["200", "200", "200", "400"]);
});

Deno.test("listen() lets nothing of a connection that it refused get into another one", async () => {
  await using listening = await start();
  for (let i = 0; i < 3; i++) {
    using refused = await Connection.open(listening.port);
    await refused.send("GARBAGE\r\n\r\n");
    assertEquals((await refused.answer()).status, 400);
    using other = await Connection.open(listening.port);
    const request = post("/v1/chat/completions", HELLO);
    await other.send(request.slice(0, -30));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await refused.send(request.slice(-30)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    await other.send(request.slice(-30) + plain("GET /ping"));
    const { status, body } = await other.answer();
    assertEquals(status, 200, body);
    assertEquals((await other.answer()).body, "\n");
  }
});

Deno.test("listen() runs some requests of a connection at a time, and answers all of them", async () => {
  const model = new Waiting();
  await using listening = await start({}, { model });
  using connection = await Connection.open(listening.port);
  const count = 2_000;
  const sent = connection.send(post("/v1/chat/completions", HELLO).repeat(count) + plain("GET /ping"));
  await until(() => model.started === 100, "100 calls");
  // Others are served meanwhile.
  using other = await Connection.open(listening.port);
  await other.send(plain("GET /v1/models"));
  assertEquals((await other.answer()).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(model.started, 100);
  model.free();
  for (let i = 0; i < count; i++) assertMatch((await connection.answer()).body, /Here I am/);
  assertEquals((await connection.answer()).body, "\n");
  await sent;
  assertEquals([model.started, model.aborted], [count, 0]);
});

Deno.test("listen() does not take in what it does not get round to", async () => {
  const model = new Waiting();
  await using listening = await start({}, { model });
  using connection = await Connection.open(listening.port);
  const body = JSON.stringify({ messages: [{ role: "user", content: "x".repeat(50_000) }] });
  let isSent = false;
  const sent = connection.send(post("/v1/chat/completions", body).repeat(1_000)).then(() => isSent = true);
  await until(() => model.started === 100, "100 calls");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals([model.started, isSent], [100, false]);
  model.free();
  for (let i = 0; i < 1_000; i++) assertMatch((await connection.answer()).body, /Here I am/);
  await sent;
});

for (const [name, body] of [["in one piece", HELLO], ["streamed", STREAM]] as const) {
  Deno.test(`listen() hears a client leave that sent more than it gets round to, ${name}`, async () => {
    const model = new Waiting();
    await using listening = await start({ statusWait: 10 }, { model });
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", body).repeat(200));
    await until(() => model.started === 100, "100 calls");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(model.aborted, 0);
    connection.close();
    await until(() => model.aborted === 100, "100 signals");
    assertEquals(model.started, 100);
  });
}
