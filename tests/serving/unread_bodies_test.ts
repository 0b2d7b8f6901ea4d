import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatModel, type ModelContext } from "../../mod.ts";
import { until } from "./_stack.ts";
import { Connection, HELLO, plain, post, start } from "./_wire.ts";

const LARGE = "x".repeat(500_000);

/** A request with a body that no one reads, and its status. */
const UNREAD: readonly [line: string, status: number][] = [
  ["GET /v1/models", 200],
  ["GET /nowhere", 404],
  ["HEAD /v1/models", 200],
  ["TRACE /v1/models", 405],
  ["OPTIONS *", 204],
  ["OPTIONS /v1/models", 204],
  ["POST /nowhere", 404],
  ["POST /v1/models", 405],
  ["DELETE /v1/models", 405],
  ["POST /v1/chat/completions", 413],
];

for (const [line, status] of UNREAD) {
  const isHead = line.startsWith("HEAD");

  Deno.test(`listen() goes on after ${line} with 500 kB that no one reads`, async () => {
    await using listening = await start({ maxBodySize: 1_000 });
    using connection = await Connection.open(listening.port);
    for (let i = 0; i < 2; i++) {
      await connection.send(plain(line, `content-length: ${LARGE.length}`) + LARGE);
      assertEquals((await connection.answer({ isHead })).status, status);
    }
    await connection.send(plain("GET /ping"));
    assertEquals((await connection.answer()).status, 200);
  });

  Deno.test(`listen() answers ${line} with 3 MB that no one reads, and closes the connection`, async () => {
    await using listening = await start({ maxBodySize: 1_000 });
    using connection = await Connection.open(listening.port);
    const sent = connection.send(plain(line, "content-length: 3000000") + "x".repeat(3_000_000));
    const answer = await connection.answer({ isHead });
    assertEquals([answer.status, answer.headers.get("connection")], [status, "close"]);
    await sent;
    assertEquals(await connection.toEnd(), "");
  });
}

for (const [line, status] of [["GET /v1/models", 200], ["POST /nowhere", 404]] as const) {
  Deno.test(`listen() answers ${line} whose chunks do not end, and closes the connection`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(`${plain(line, "transfer-encoding: chunked")}1000\r\n${"x".repeat(4096)}\r\n`);
    const answer = await connection.answer();
    assertEquals([answer.status, answer.headers.get("connection")], [status, "close"]);
    assertEquals(await connection.toEnd(), "");
  });
}

Deno.test("listen() answers a client that stops to send what no one reads", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(plain("POST /nowhere", "content-length: 3000000") + LARGE);
  assertEquals((await connection.answer()).status, 404);
  await connection.closeWrite();
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() goes on after chunks that no one read, if they have ended", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  for (const line of ["GET /ping", "DELETE /v1/models", "TRACE /"]) {
    await connection.send(`${plain(line, "transfer-encoding: chunked")}3\r\nabc\r\n0\r\n\r\n`);
    const answer = await connection.answer();
    assertEquals([line, answer.headers.get("connection")], [line, "keep-alive"]);
  }
});

Deno.test("listen() hears a client leave that sent a body with GET which no one reads", async () => {
  let aborted = 0;
  let listed = 0;
  await using listening = await start({}, {
    find: () => undefined,
    list(signal) {
      listed++;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted++;
          reject(signal.reason);
        });
      });
    },
  });
  using connection = await Connection.open(listening.port);
  await connection.send(plain("GET /v1/models", `content-length: ${LARGE.length}`) + LARGE);
  await until(() => listed === 1, "the list");
  connection.close();
  await until(() => aborted === 1, "the signal");
});

/** Says what it is asked. */
class Slow extends ChatModel {
  override async predict({ signal }: ModelContext): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    signal.throwIfAborted();
    return "Slow";
  }
}

Deno.test("listen() tells a client to send its body that waits for it, once it reads it", async () => {
  await using listening = await start({}, { slow: new Slow() });
  using connection = await Connection.open(listening.port);
  for (let i = 0; i < 2; i++) {
    await connection.send(
      plain("POST /v1/chat/completions", `content-length: ${HELLO.length}`, "expect: 100-continue"),
    );
    assertEquals(await connection.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    await connection.send(HELLO);
    const { status, body } = await connection.answer();
    assertEquals(status, 200);
    assert(body.includes("Slow"), body);
  }
});

for (
  const [line, length, status] of [
    ["POST /v1/chat/completions", 2_000, 413],
    ["POST /nowhere", 10, 404],
    ["POST /v1/models", 10, 405],
    ["PUT /v1/chat/completions", 10, 405],
  ] as const
) {
  Deno.test(`listen() does not tell a client to send its body that it refuses: ${status} for ${line}`, async () => {
    await using listening = await start({ maxBodySize: 1_000 });
    using connection = await Connection.open(listening.port);
    await connection.send(plain(line, `content-length: ${length}`, "expect: 100-continue"));
    const { head, body } = await connection.answer();
    assert(head.startsWith(`HTTP/1.1 ${status} `), head);
    // The client may send the body or not: what comes next cannot be told from it.
    assertMatch(head, /^connection: close\r$/im);
    assertMatch(body, /^\{"error":\{.*\}\}$/);
  });
}

Deno.test("listen() answers a client that sends its body without waiting for what it said it waits for", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", HELLO).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n"));
  assertEquals((await connection.answer()).status, 200);
});
