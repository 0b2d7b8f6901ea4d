import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Duplex } from "node:stream";
import { ChatModel, ChatModelError, type ModelContext } from "../../mod.ts";
import { type App, createApp, listen, type ListenOptions } from "../../serve.ts";
import type { Connection as ServedConnection } from "../../serving/_connection.ts";
import { makeServer } from "../../serving/_http_server.ts";
import { Parrot } from "./_app.ts";
import { Connection, HELLO, type Listening, plain, post, type WireAnswer } from "./_wire.ts";

async function start(
  options: ListenOptions,
  app: Pick<App, "fetch"> = createApp({ parrot: new Parrot() }),
): Promise<Listening> {
  const server = await listen(app, { ...options, port: 0 });
  return {
    port: server.addr.port,
    server,
    async [Symbol.asyncDispose]() {
      server.shutdown();
      await server.finished;
    },
  };
}

/** Sends a byte every so often, until the connection is closed or enough was sent. */
async function drip(connection: Connection, bytes: string, pause = 20): Promise<void> {
  for (const byte of bytes) {
    try {
      await connection.send(byte);
    } catch {
      return; // It was closed.
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function assertTimedOut(answer: WireAnswer, requestId: RegExp): void {
  assertEquals(answer.status, 408, answer.head);
  assertEquals(JSON.parse(answer.body).error.code, "request_timeout");
  assertEquals(answer.headers.get("connection"), "close");
  assertMatch(answer.head, /^openai-processing-ms: \d+\r$/m);
  assertMatch(answer.headers.get("x-request-id") ?? "", requestId);
  // The same request may well succeed.
  assertEquals(answer.headers.get("x-should-retry"), null);
}

Deno.test("listen() cuts a client whose head stops, or comes too slowly, at the first and at a later request", async () => {
  await using listening = await start({ headersTimeout: 200 });
  for (const before of ["", plain("GET /ping")]) {
    for (const rest of ["", "x".repeat(500)]) {
      using connection = await Connection.open(listening.port);
      await connection.send(`${before}GET /ping HTTP/1.1\r\nx: y`);
      const dripped = drip(connection, rest);
      if (before !== "") assertEquals((await connection.answer()).status, 200);
      assertTimedOut(await connection.answer(), /^req_/);
      assertEquals(await connection.toEnd(), "");
      connection.close();
      await dripped;
    }
  }
});

Deno.test("listen() closes a connection without a word on which nothing came", async () => {
  await using listening = await start({ headersTimeout: 100 });
  using connection = await Connection.open(listening.port);
  assertEquals(await connection.toEnd(), "");
});

for (const rest of ["", "x".repeat(500)]) {
  Deno.test(`listen() cuts a client whose body ${rest === "" ? "stops" : "comes too slowly"}`, async () => {
    await using listening = await start({ bodyTimeout: 200 });
    const heads = [
      post("/v1/chat/completions", "{", 10_000),
      plain("POST /v1/chat/completions", "transfer-encoding: chunked") + "fff\r\n{",
    ];
    for (const head of heads) {
      using connection = await Connection.open(listening.port);
      await connection.send(head.replace("host", "x-request-id: mine\r\nhost"));
      const dripped = drip(connection, rest);
      assertTimedOut(await connection.answer(), /^mine$/);
      assertEquals(await connection.toEnd(), "");
      connection.close();
      await dripped;
    }
  });
}

Deno.test("listen() cuts a client that does not send the rest of a body that no one reads", async () => {
  await using listening = await start({ bodyTimeout: 100 });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/nowhere", "{", 10_000));
  assertEquals((await connection.answer()).status, 404);
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() tells a slow client of /invocations in MLflow's form", async () => {
  await using listening = await start({ bodyTimeout: 100 });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/invocations", "{", 10).replace("host", "content-type: application/json\r\nhost"));
  const { status, body } = await connection.answer();
  assertEquals([status, JSON.parse(body).error_code], [408, "BAD_REQUEST"]);
});

Deno.test("listen() cuts a client that was told to send its body and does not", async () => {
  await using listening = await start({ bodyTimeout: 100 });
  using connection = await Connection.open(listening.port);
  await connection.send(plain("POST /v1/chat/completions", "content-length: 100", "expect: 100-continue"));
  assertEquals(await connection.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  assertTimedOut(await connection.answer(), /^req_/);
});

Deno.test("listen() answers the requests before one whose body stops", async () => {
  await using listening = await start({ bodyTimeout: 100 });
  using connection = await Connection.open(listening.port);
  await connection.send(
    plain("GET /ping") + post("/v1/chat/completions", HELLO) + post("/v1/chat/completions", "{", 9),
  );
  assertEquals((await connection.answer()).status, 200);
  assertEquals((await connection.answer()).status, 200);
  assertTimedOut(await connection.answer(), /^req_/);
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() lets a body take many times its limit as long as it comes on", async () => {
  await using listening = await start({ bodyTimeout: 100, headersTimeout: 100 });
  using connection = await Connection.open(listening.port);
  const body = JSON.stringify({ messages: [{ role: "user", content: "x".repeat(40_000) }] });
  await connection.send(post("/v1/chat/completions", "", body.length));
  for (let i = 0; i < body.length; i += 1_000) {
    await connection.send(body.slice(i, i + 1_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals((await connection.answer()).status, 200);
});

/** Takes a while. */
class Slow extends ChatModel {
  override async predict({ signal }: ModelContext): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return signal.aborted ? "Stopped" : "Slow";
  }
}

Deno.test("listen() does not count the time that a model takes", async () => {
  await using listening = await start({ bodyTimeout: 50, headersTimeout: 50 }, createApp({ slow: new Slow() }));
  using connection = await Connection.open(listening.port);
  for (let i = 0; i < 2; i++) {
    await connection.send(post("/v1/chat/completions", HELLO));
    const { status, body } = await connection.answer();
    assertEquals([status, body.includes("Slow")], [200, true]);
  }
});

Deno.test("listen() does not count the time in which the app does not read", async () => {
  const app: Pick<App, "fetch"> = {
    async fetch(request) {
      const reader = request.body?.getReader();
      await reader?.read();
      await new Promise((resolve) => setTimeout(resolve, 500));
      let length = 0;
      for (let part = await reader?.read(); part?.value; part = await reader?.read()) length += part.value.length;
      return new Response(String(length > 0));
    },
  };
  await using listening = await start({ bodyTimeout: 50 }, app);
  using connection = await Connection.open(listening.port);
  const sent = connection.send(post("/", "x".repeat(20_000_000)));
  const { status, body } = await connection.answer();
  assertEquals([status, body], [200, "true"]);
  await sent;
});

Deno.test("listen() answers what runs before it refuses a head behind that stops", async () => {
  await using listening = await start({ headersTimeout: 300 }, createApp({ slow: new Slow() }));
  using connection = await Connection.open(listening.port);
  const request = post("/v1/chat/completions", HELLO);
  await connection.send(request.repeat(100) + request.slice(0, 10));
  for (let i = 0; i < 100; i++) assertEquals((await connection.answer()).status, 200);
  assertTimedOut(await connection.answer(), /^req_/);
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() has no limits where they are said to be infinite", async () => {
  await using listening = await start({ headersTimeout: Infinity, bodyTimeout: Infinity });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", HELLO));
  assertEquals((await connection.answer()).status, 200);
});

Deno.test("listen() refuses a timeout that is none", async () => {
  for (const name of ["headersTimeout", "bodyTimeout"] as const) {
    for (const value of [0, -1, NaN]) {
      const error = await assertRejects(
        () => listen(createApp({ parrot: new Parrot() }), { port: 0, [name]: value }),
        ChatModelError,
        `"${name}"`,
      );
      assertEquals([error.code, error.param], ["invalid_option", name]);
    }
  }
});

Deno.test("listen() closes a connection on which nothing goes on after an answer, without a word", async () => {
  const connections = new Map<Duplex, ServedConnection>();
  const server = makeServer(createApp({ parrot: new Parrot() }), connections);
  server.keepAliveTimeout = 100; // Five seconds else.
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  using connection = await Connection.open(address.port);
  await connection.send(plain("GET /ping"));
  const { head } = await connection.answer();
  assertMatch(head, /^keep-alive: timeout=\d+\r$/mi);
  assertEquals(await connection.toEnd(), "");
  await new Promise((resolve) => server.close(resolve));
  assertEquals(connections.size, 0);
});

Deno.test("listen() refuses a body that breaks off without telling the client to go on", async () => {
  await using listening = await start({});
  for (const headers of [[], ["expect: 100-continue"]]) {
    for (let i = 0; i < 5; i++) {
      using connection = await Connection.open(listening.port);
      await connection.send(plain("POST /v1/chat/completions", "content-length: 99999999", ...headers));
      await connection.closeWrite();
      const all = await connection.toEnd();
      assert(all.startsWith("HTTP/1.1 413 "), all);
    }
  }
  for (let i = 0; i < 5; i++) {
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", "{", 10));
    await connection.closeWrite();
    const all = await connection.toEnd();
    assert(all.startsWith("HTTP/1.1 400 "), all);
  }
});

/** Says more than all buffers together hold. */
class Chatty extends ChatModel {
  sent = 0;
  override async *predictStream(): AsyncGenerator<string> {
    for (; this.sent < 2_000; this.sent++) yield "x".repeat(100_000);
  }
}

Deno.test("listen() does not run ahead of a client that does not read its answer", async () => {
  const model = new Chatty();
  await using listening = await start({}, createApp({ model }));
  using connection = await Connection.open(listening.port);
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "Go" }] });
  await connection.send(post("/v1/chat/completions", body));
  await connection.until("\r\n\r\n");
  let before = -1;
  while (before !== model.sent) {
    before = model.sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert(model.sent > 0 && model.sent < 200, `${model.sent} pieces of 100 kB`);
});
