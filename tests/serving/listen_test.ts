import { assert, assertEquals, assertRejects } from "@std/assert";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { createApp, listen } from "../../serve.ts";
import { Connection, HELLO, post, start } from "./_wire.ts";

const encoder = new TextEncoder();

Deno.test("listen() answers request after request on one connection, each with its length", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  for (let i = 0; i < 3; i++) {
    await connection.send(post("/v1/chat/completions", HELLO));
    const head = await connection.until("\r\n\r\n");
    assert(head.startsWith("HTTP/1.1 200 OK\r\n"), head);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const body = await connection.until('"total_tokens":');
    assert(length > body.length, head);
    await connection.until("}}");
  }
});

Deno.test("listen() reads a body that comes in pieces, of known and of unknown length", async () => {
  await using listening = await start();
  const prompt = "ü".repeat(200_000);
  const body = JSON.stringify({ messages: [{ role: "user", content: prompt }] });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", "", encoder.encode(body).length));
  for (let i = 0; i < body.length; i += 50_000) await connection.send(body.slice(i, i + 50_000));
  assert((await connection.until('"total_tokens":')).includes(prompt));

  const response = await fetch(`http://127.0.0.1:${listening.port}/v1/chat/completions`, {
    method: "POST",
    body: new Blob([body]).stream(),
  });
  assert((await response.text()).includes(prompt));
});

Deno.test("listen() goes on after a request whose body was not read", async () => {
  await using listening = await start({ maxBodySize: 1000 });
  using connection = await Connection.open(listening.port);
  await connection.send(post("/v1/chat/completions", "x".repeat(200_000)));
  assert((await connection.until("request_too_large")).startsWith("HTTP/1.1 413 "));
  await connection.until("}}");
  await connection.send(post("/nowhere", "y".repeat(200_000)));
  assert((await connection.until("unknown_url")).startsWith("HTTP/1.1 404 "));
  await connection.until("}}");
  await connection.send(post("/v1/chat/completions", HELLO));
  assert((await connection.until("old friend")).startsWith("HTTP/1.1 200 "));
});

Deno.test("listen() survives clients that leave in the middle of their request", async () => {
  await using listening = await start();
  for (let i = 0; i < 5; i++) {
    using connection = await Connection.open(listening.port);
    await connection.send(post("/v1/chat/completions", HELLO.slice(0, 10), HELLO.length));
  }
  const response = await fetch(`http://127.0.0.1:${listening.port}/v1/chat/completions`, {
    method: "POST",
    body: HELLO,
  });
  assertEquals(response.status, 200);
  await response.body?.cancel();
});

Deno.test("listen() answers HEAD without a body", async () => {
  await using listening = await start();
  using connection = await Connection.open(listening.port);
  await connection.send("HEAD /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n");
  assert((await connection.until("\r\n\r\n")).startsWith("HTTP/1.1 200 OK\r\n"));
  await connection.send("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n");
  assert((await connection.until('"demo"')).startsWith("HTTP/1.1 200 OK\r\n"));
});

Deno.test("listen() rejects when the port is in use", async () => {
  await using listening = await start();
  const error = await assertRejects(() => listen(createApp({ demo: DemoChatModel }), { port: listening.port }), Error);
  assertEquals("code" in error && error.code, "EADDRINUSE");
});

Deno.test("listen() answers what is odd but legal, and refuses what is not, in JSON", async () => {
  await using listening = await start();
  const cases: [request: string, status: number, text: string][] = [
    ["GET http://elsewhere/v1/models HTTP/1.1\r\nhost: elsewhere", 200, '"demo"'],
    ["GET /ping HTTP/1.1\r\nhost:", 200, "\r\n\r\n\n"],
    ["OPTIONS * HTTP/1.1\r\nhost: localhost", 204, "allow: GET, HEAD, POST, DELETE, OPTIONS\r\n"],
    ["TRACE /v1/models HTTP/1.1\r\nhost: localhost", 405, '"method_not_supported"'],
    ["GET /v1/models HTTP/1.1\r\nhost: a b:zz", 400, '"invalid_host_header"'],
    ["GET /v1/models HTTP/1.1\r\nhost: a:99999", 400, '"invalid_host_header"'],
  ];
  for (const [request, status, text] of cases) {
    using connection = await Connection.open(listening.port);
    await connection.send(`${request}\r\n\r\n`);
    const answer = await connection.until(text);
    assert(answer.startsWith(`HTTP/1.1 ${status} `), `${request}: ${answer}`);
  }
});

Deno.test("listen() sends each of several headers of one name, and cookies one by one", async () => {
  const handler = {
    fetch: () => {
      const headers = new Headers({ vary: "origin", "x-one": "1" });
      headers.append("vary", "accept");
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response("ok", { headers });
    },
  };
  const server = await listen(handler, { port: 0 });
  const { port } = server.addr;
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assertEquals(await response.text(), "ok");
  assertEquals(response.headers.get("vary"), "origin, accept");
  assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
  server.shutdown();
  await server.finished;
});
