import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { ChatModel, type ModelContext } from "../../mod.ts";
import { Parrot } from "./_app.ts";
import { Connection, HELLO, plain, post, start, type WireAnswer } from "./_wire.ts";

/** Checks that an answer is an error in OpenAI's form that names its request. */
function assertWireError(answer: WireAnswer, status: number, code: string): void {
  assertEquals(answer.status, status, answer.head + answer.body);
  assertEquals(answer.headers.get("content-type"), "application/json");
  assertMatch(answer.head, /^openai-processing-ms: \d+\r$/m);
  assertMatch(answer.headers.get("x-request-id") ?? "", /^req_[\w-]{10,}$/);
  const { error, ...rest } = JSON.parse(answer.body);
  assertEquals(rest, {});
  assertEquals(Object.keys(error).sort(), ["code", "message", "param", "type"]);
  assertEquals([error.type, error.param, error.code], ["invalid_request_error", null, code]);
  assert(error.message.length > 20 && !error.message.endsWith("."), error.message);
}

const CHUNKED = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";

const MALFORMED: readonly [name: string, request: string, status: number, code: string][] = [
  ["no HTTP at all", "BLAH\r\n\r\n", 400, "malformed_request"],
  ["another version", "GET / HTTP/9.9\r\nhost: localhost\r\n\r\n", 400, "malformed_request"],
  ["HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed_request"],
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01", 400, "malformed_request"],
  ["an unknown method on a route", "BREW / HTTP/1.1\r\nhost: localhost\r\n\r\n", 405, "method_not_supported"],
  ["a bad header", "GET / HTTP/1.1\r\nhost: localhost\r\nb d: x\r\n\r\n", 400, "malformed_request"],
  ["a bad length", "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n", 400, "malformed_request"],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
    400,
    "malformed_request",
  ],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "malformed_request",
  ],
  ["a bad chunk", `${CHUNKED}zz\r\nabc\r\n`, 400, "malformed_request"],
  ["a bad chunk after a good one", `${CHUNKED}3\r\n{"m\r\nzz\r\n`, 400, "malformed_request"],
  ["a head that is too large", plain("GET /ping", `x-large: ${"y".repeat(100_000)}`), 431, "headers_too_large"],
  ["a target that is too large", plain(`GET /${"y".repeat(100_000)}`), 431, "headers_too_large"],
];

for (const [name, request, status, code] of MALFORMED) {
  Deno.test(`listen() answers ${status} in JSON and closes the connection when it gets ${name}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(request);
    const answer = await connection.answer();
    assertWireError(answer, status, code);
    assertEquals(answer.headers.get("connection"), "close");
    assertEquals(await connection.toEnd(), "");
  });
}

Deno.test("listen() answers good requests before it refuses the malformed one behind them", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(`${plain("GET /ping")}${post("/v1/chat/completions", HELLO)}garbage\r\n\r\n`);
  assertEquals((await connection.answer()).status, 200);
  const { body } = await connection.answer();
  assert(body.includes("old friend"), body);
  assertWireError(await connection.answer(), 400, "malformed_request");
  assertEquals(await connection.toEnd(), "");
});

/** Says something after a while. */
class Slow extends ChatModel {
  override async predict({ signal }: ModelContext): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return signal.aborted ? "Stopped" : "Slow but sure";
  }
}

Deno.test("listen() answers slow and quick requests in their order before it refuses what is behind them", async () => {
  await using listening = await start({}, { slow: new Slow() });
  using connection = await Connection.open(listening.port);
  await connection.send(`${post("/v1/chat/completions", HELLO)}${plain("GET /ping")}${CHUNKED}zz\r\n`);
  const { body } = await connection.answer();
  assert(body.includes("Slow but sure"), body);
  assertEquals((await connection.answer()).body, "\n");
  assertWireError(await connection.answer(), 400, "malformed_request");
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() says nothing more when a request turns out malformed after its answer began", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send("POST /nowhere HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  assertWireError(await connection.answer(), 404, "unknown_url");
  await connection.send("zz\r\n");
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() survives whatever comes, in whatever pieces, and whenever it ends (property)", async () => {
  await using listening = await start({ maxBodySize: 1_000 });
  const piece = fc.oneof(
    fc.constantFrom(
      ...[
        plain("GET /ping"),
        plain("HEAD /v1/models"),
        plain("TRACE /"),
        plain("OPTIONS *"),
        CHUNKED,
        "\r\n",
        "0\r\n\r\n",
      ],
      ...[post("/v1/chat/completions", HELLO), post("/nowhere", HELLO), post("/v1/chat/completions", HELLO, 5_000)],
      ...[plain("CONNECT a:1"), plain("POST /v1/chat/completions", "content-length: 9", "expect: 100-continue")],
      ...["GET / HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\r\nhost: a/b\r\ncontent-length: 2000000\r\n\r\n"],
    ),
    fc.string({ unit: "binary", maxLength: 30 }),
  );
  const end = fc.constantFrom("close", "closeWrite", "both");
  const act = async (pieces: readonly string[], cut: number, end: string) => {
    using connection = await Connection.open(listening.port);
    const bytes = new TextEncoder().encode(pieces.join(""));
    try {
      await connection.send(bytes.subarray(0, cut % (bytes.length + 1)));
      await connection.send(bytes.subarray(cut % (bytes.length + 1)));
      if (end !== "close") await connection.closeWrite();
      if (end === "closeWrite") await connection.toEnd();
    } catch (error) {
      // It closes connections that are of no use any more.
      const isClosed = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe, Deno.errors.NotConnected]
        .some((type) => error instanceof type);
      assert(isClosed, String(error));
    }
  };
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 5 }), fc.nat(2_000), end, async (pieces, cut, end) => {
      await act(pieces, cut, end);
      using connection = await Connection.open(listening.port);
      await connection.send(plain("GET /ping"));
      assertEquals((await connection.answer()).status, 200);
    }),
    { numRuns: 200 },
  );
});

const HOSTS = [
  "a/v1/models?",
  "a?b",
  "a#b",
  "u:p@h",
  "u@h",
  "a\\b",
  "a b",
  "a:99999",
  "a:b",
  "[::1",
  "::1",
  "a%zz",
  "b\u00fcro",
];

for (const host of HOSTS) {
  Deno.test(`listen() refuses the host ${JSON.stringify(host)}, rather than to let it change the route`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(`GET /v1/models HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    assertWireError(await connection.answer(), 400, "invalid_host_header");
  });
}

for (const host of ["a", "a:8000", "a:", "127.0.0.1:1", "[::1]:8000", "xn--bro-hoa.example", "a_b.c-d", ""]) {
  Deno.test(`listen() takes the host ${JSON.stringify(host)}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    for (let i = 0; i < 2; i++) {
      await connection.send(`GET /v1/models HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      assertEquals((await connection.answer()).status, 200);
    }
  });
}

Deno.test("listen() checks the host of every request of a connection", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(plain("GET /ping"));
  assertEquals((await connection.answer()).status, 200);
  await connection.send("GET /ping HTTP/1.1\r\nhost: a/b\r\n\r\n");
  assertWireError(await connection.answer(), 400, "invalid_host_header");
  await connection.send("GET /ping HTTP/1.1\r\nhost: localhost\r\nHost: localhost\r\n\r\n");
  assertWireError(await connection.answer(), 400, "invalid_host_header");
  await connection.send("GET /ping HTTP/1.1\r\n\r\n");
  assertWireError(await connection.answer(), 400, "invalid_host_header");
  await connection.send(plain("GET /ping"));
  assertEquals((await connection.answer()).status, 200);
});

Deno.test("listen() takes HTTP/1.0 without a host", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send("GET /ping HTTP/1.0\r\n\r\n");
  assertEquals((await connection.answer()).status, 200);
});

for (
  const target of ["http://u:p@localhost/v1/models", "http://u@localhost/v1/models", "ftp://localhost/v1/models", "*"]
) {
  Deno.test(`listen() refuses the target ${JSON.stringify(target)}`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    await connection.send(plain(`GET ${target}`));
    assertWireError(await connection.answer(), 400, "invalid_url");
  });
}

for (const encoding of ["gzip, chunked", "GZIP,chunked", "x, gzip, chunked"]) {
  Deno.test(`listen() refuses the transfer encoding "${encoding}" rather than to read what is packed`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    for (const line of ["POST /v1/chat/completions", "POST /invocations", "GET /v1/models"]) {
      const request = plain(line, `transfer-encoding: ${encoding}`, "content-type: application/json");
      await connection.send(`${request}${HELLO.length.toString(16)}\r\n${HELLO}\r\n0\r\n\r\n`);
      const answer = await connection.answer();
      assertEquals(answer.status, 415, answer.body);
      assertMatch(answer.body, line.endsWith("invocations") ? /"error_code":"BAD_REQUEST"/ : /"unsupported_encoding"/);
      assertMatch(answer.body, /transfer encoding/);
    }
  });
}

for (const encoding of ["chunked", "Chunked", "CHUNKED"]) {
  Deno.test(`listen() takes the transfer encoding "${encoding}"`, async () => {
    await using listening = await start();
    using connection = await Connection.open(listening.port);
    const request = plain("POST /v1/chat/completions", `transfer-encoding: ${encoding}`);
    await connection.send(`${request}${HELLO.length.toString(16)}\r\n${HELLO}\r\n0\r\n\r\n`);
    assertEquals((await connection.answer()).status, 200);
  });
}

Deno.test("listen() refuses CONNECT, after what was asked before it, and closes the connection", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(`${plain("GET /ping")}CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\n`);
  assertEquals((await connection.answer()).status, 200);
  const answer = await connection.answer();
  assertWireError(answer, 405, "method_not_supported");
  assertEquals(answer.headers.get("allow"), "GET, HEAD, POST, DELETE, OPTIONS");
  assertEquals(await connection.toEnd(), "");
});

Deno.test("listen() refuses TRACE, says what is allowed, and goes on", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send(plain("TRACE /v1/models", "x-request-id: mine"));
  const answer = await connection.answer();
  assertEquals([answer.status, JSON.parse(answer.body).error.code], [405, "method_not_supported"]);
  assertEquals(answer.headers.get("x-request-id"), "mine");
  assertEquals(answer.headers.get("allow"), "GET, HEAD, POST, DELETE, OPTIONS");
  await connection.send(plain("OPTIONS *", "x-request-id: mine too"));
  const options = await connection.answer();
  assertEquals([options.status, options.headers.get("content-length"), options.body], [204, null, ""]);
  assertEquals(options.headers.get("allow"), "GET, HEAD, POST, DELETE, OPTIONS");
  assertMatch(options.headers.get("x-request-id") ?? "", /^req_/); // "mine too" holds a space.
  await connection.send(plain("GET /ping"));
  assertEquals((await connection.answer()).status, 200);
});

Deno.test("listen() refuses what else a client expects of it", async () => {
  await using listening = await start({}, { parrot: new Parrot() });
  using connection = await Connection.open(listening.port);
  await connection.send(plain("GET /ping", "expect: a miracle"));
  assertWireError(await connection.answer(), 417, "unknown_expectation");
});
