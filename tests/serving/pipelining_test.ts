import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatModel, type ModelContext } from "../../mod.ts";
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

Deno.test("listen() closes the connection of a client that closed its side in the middle of a request", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", HELLO.slice(0, 10), HELLO.length));
  await connection.closeWrite();
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
