import { assert, assertEquals, assertMatch } from "@std/assert";
import { Parrot } from "./_app.ts";
import { Connection, HELLO, plain, post, start, type WireAnswer } from "./_wire.ts";

async function ask(request: string): Promise<WireAnswer> {
  await using listening = await start({}, { parrot: new Parrot() });
  using connection = await Connection.open(listening.port);
  await connection.send(request);
  const answer = await connection.answer();
  assertEquals(answer.headers.get("connection"), "close", answer.head);
  assertEquals(await connection.toEnd(), "");
  assertMatch(answer.head, /^openai-processing-ms: \d+\r$/m);
  assertMatch(answer.head, /^date: \w{3}, /mi);
  return answer;
}

function codeOf({ body }: WireAnswer): string {
  return JSON.parse(body).error.code;
}

const ROUTES = [
  ["/v1/models", "GET, HEAD, OPTIONS"],
  ["/chat/completions?a=b", "GET, HEAD, POST, OPTIONS"],
  ["http://localhost/v1/embeddings", "POST, OPTIONS"],
] as const;

for (const method of ["BREW", "GETS", "b", "X-MY_METHOD.1", "TRACK2", "POSTPONE"]) {
  for (const [target, allow] of ROUTES) {
    Deno.test(`listen() answers 405 for ${method} ${target}, and says what is allowed`, async () => {
      const answer = await ask(plain(`${method} ${target}`, "x-request-id: mine"));
      assertEquals([answer.status, codeOf(answer)], [405, "method_not_supported"]);
      assertEquals(answer.headers.get("allow"), allow);
      assertEquals(answer.headers.get("x-request-id"), "mine");
      assertEquals(answer.headers.get("x-should-retry"), "false");
      assert(answer.body.includes(`Cannot ${method} /`), answer.body);
    });
  }
}

Deno.test("listen() answers an unknown method on an unknown path with 404", async () => {
  const answer = await ask(plain("BREW /coffee"));
  assertEquals([answer.status, codeOf(answer)], [404, "unknown_url"]);
  assertMatch(answer.headers.get("x-request-id") ?? "", /^req_[\w-]{10,}$/);
});

Deno.test("listen() answers an unknown method on /invocations in MLflow's form", async () => {
  const answer = await ask(plain("BREW /invocations"));
  assertEquals(answer.status, 405);
  assertEquals(JSON.parse(answer.body).error_code, "BAD_REQUEST");
});

Deno.test("listen() does not take a method in small letters for the one in capitals", async () => {
  for (const method of ["get", "Post", "track", "TRACK", "connect", "patch"]) {
    const answer = await ask(plain(`${method} /v1/models`));
    assertEquals([answer.status, codeOf(answer)], [405, "method_not_supported"], method);
    assert(answer.headers.has("allow"));
  }
});

Deno.test("listen() answers pages of foreign origins as for any other method", async () => {
  const answer = await ask(plain("BREW /v1/models", "origin: https://foreign.test"));
  assertEquals([answer.status, codeOf(answer)], [403, "origin_not_allowed"]);
});

Deno.test("listen() answers good requests before one of an unknown method, which need not be in a packet of its own", async () => {
  await using listening = await start({}, { parrot: new Parrot() });
  for (const separate of [true, false]) {
    using connection = await Connection.open(listening.port);
    const first = `${plain("GET /ping")}${post("/v1/chat/completions", HELLO)}`;
    const last = plain("BREW /v1/models", "x-request-id: last", "content-length: 10");
    if (separate) {
      await connection.send(first);
      assertEquals((await connection.answer()).status, 200);
      await connection.send(last);
    } else {
      await connection.send(`${first}${last}0123456789`);
      assertEquals((await connection.answer()).status, 200);
    }
    assertEquals((await connection.answer()).status, 200);
    const answer = await connection.answer();
    assertEquals([answer.status, answer.headers.get("x-request-id")], [405, "last"]);
    assertEquals(await connection.toEnd(), "");
  }
});

const MALFORMED = [
  "BREW\r\n\r\n",
  "BREW /v1/models\r\n\r\n",
  "BREW  /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
  "BREW /v1/mod els HTTP/1.1\r\nhost: a\r\n\r\n",
  "BREW /v1/models HTTP/2.0\r\nhost: a\r\n\r\n",
  "BREW /v1/models FTP/1.1\r\nhost: a\r\n\r\n",
  "BR(EW /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
  "BREW /v1/models HTTP/1.1\r\nhost: a\r\nb d: x\r\n\r\n",
  "BREW /v1/models HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n",
  "BREW /v1/models HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
  "GET /v1/mo\x01dels HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /v1/models HTTP/1.1\r\nBREW /v1/models HTTP/1.1\r\n\r\n",
];

for (const request of MALFORMED) {
  Deno.test(`listen() takes ${JSON.stringify(request)} for malformed`, async () => {
    const answer = await ask(request);
    assertEquals([answer.status, codeOf(answer)], [400, "malformed_request"]);
    assertMatch(answer.headers.get("x-request-id") ?? "", /^req_[\w-]{10,}$/);
  });
}

Deno.test("listen() refuses a target that is none whatever the method", async () => {
  for (const target of ["*", "ftp://localhost/v1/models"]) {
    const answer = await ask(plain(`BREW ${target}`));
    assertEquals([answer.status, codeOf(answer)], [400, "invalid_url"]);
  }
});

Deno.test("listen() names the request whose body turned out malformed", async () => {
  const head = plain("POST /v1/chat/completions", "transfer-encoding: chunked", "x-request-id: mine");
  const answer = await ask(`${head}zz\r\nBREW /v1/models HTTP/1.1\r\n\r\n`);
  assertEquals([answer.status, codeOf(answer)], [400, "malformed_request"]);
  assertEquals(answer.headers.get("x-request-id"), "mine");
});

const SLASHES = [
  ["//v1/models", 200],
  ["/v1//models", 200],
  ["///v1///models/", 200],
  ["//models", 200],
  ["//v1//models/parrot", 200],
  ["//v1//models//parrot", 404],
  ["/v1/models/a//parrot", 404],
  ["//", 200],
  ["/v1//", 200],
  ["//v2/models", 404],
] as const;

for (const [path, status] of SLASHES) {
  Deno.test(`listen() answers ${status} for ${path}`, async () => {
    await using listening = await start({}, { parrot: new Parrot() });
    using connection = await Connection.open(listening.port);
    await connection.send(plain(`GET ${path}`));
    assertEquals((await connection.answer()).status, status);
  });
}

Deno.test("listen() keeps the slashes in the name of a model", async () => {
  await using listening = await start({}, { "a//b": new Parrot(), "/c": new Parrot() });
  using connection = await Connection.open(listening.port);
  for (const [path, name] of [["/v1/models/a//b", "a//b"], ["//v1//models//c", "/c"], ["/models/%2Fc", "/c"]]) {
    await connection.send(plain(`GET ${path}`));
    const answer = await connection.answer();
    assertEquals([answer.status, JSON.parse(answer.body).id], [200, name]);
  }
});
