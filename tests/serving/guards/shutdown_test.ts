import { assert, assertEquals } from "@std/assert";
import { Connection, HELLO, plain, post } from "../_wire.ts";
import { CHAT, chat, guarded, Held, Parrot } from "./_guarded.ts";
import { createApp, listen } from "../../../serve.ts";

/** Longer than what is done meanwhile takes. */
const LINGER = 400;

Deno.test("shutdown() has a kept connection answered once more, which then hears that it was the last time", async () => {
  const server = await listen(createApp({ parrot: Parrot }), { port: 0 });
  using kept = await Connection.open(server.addr.port);
  using fresh = await Connection.open(server.addr.port);
  await kept.send(plain("GET /ping"));
  assertEquals((await kept.answer()).headers.get("connection"), "keep-alive");
  server.shutdown({ linger: LINGER });
  for (const connection of [kept, fresh]) {
    await connection.send(post(CHAT, HELLO));
    const { status, headers } = await connection.answer();
    assertEquals([status, headers.get("connection")], [200, "close"]);
    assertEquals(await connection.toEnd(), "");
  }
  await server.finished;
});

Deno.test("shutdown() takes connections while it lingers, so that probes see that the server is not ready", async () => {
  const app = createApp({ parrot: Parrot });
  const server = await listen(app, { port: 0 });
  using kept = await Connection.open(server.addr.port);
  await kept.send(plain("GET /ping"));
  await kept.answer();
  app.drain();
  server.shutdown({ linger: LINGER });
  using probe = await Connection.open(server.addr.port);
  await probe.send(plain("GET /health/ready"));
  const { status, body } = await probe.answer();
  assertEquals([status, body], [503, '{"status":"draining"}']);
  await server.finished;
});

Deno.test("shutdown() lets a stream finish that had begun, and answers who asks again behind it", async () => {
  const held = new Held();
  const server = await listen(createApp({ held, parrot: Parrot }), { port: 0 });
  using connection = await Connection.open(server.addr.port);
  await connection.send(post(CHAT, JSON.stringify(chat("end", { stream: true }))));
  await connection.until("word ");
  server.shutdown({ linger: LINGER });
  held.release();
  await connection.until("data: [DONE]\n\n\r\n0\r\n\r\n");
  await connection.send(post(CHAT, JSON.stringify(chat("Hi", { model: "parrot" }))));
  const { status, headers } = await connection.answer();
  assertEquals([status, headers.get("connection")], [200, "close"]);
  await server.finished;
});

Deno.test("shutdown() answers all requests of a pipeline, and says with the last that it is", async () => {
  const held = new Held();
  const server = await listen(createApp({ held, parrot: Parrot }), { port: 0 });
  using connection = await Connection.open(server.addr.port);
  const next = JSON.stringify(chat("Hi", { model: "parrot" }));
  await connection.send(post(CHAT, JSON.stringify(chat("1"))) + post(CHAT, next) + post(CHAT, next));
  await held.began(1);
  server.shutdown({ linger: LINGER });
  held.release();
  const answers = [await connection.answer(), await connection.answer(), await connection.answer()];
  assertEquals(answers.map(({ status }) => status), [200, 200, 200]);
  assertEquals(answers.at(-1)?.headers.get("connection"), "close");
  await server.finished;
});

Deno.test("shutdown() closes connections on which nothing comes, and those without an answer yet not", async () => {
  const held = new Held();
  const server = await listen(createApp({ held }), { port: 0 });
  using idle = await Connection.open(server.addr.port);
  using unused = await Connection.open(server.addr.port);
  using busy = await Connection.open(server.addr.port);
  await idle.send(plain("GET /ping"));
  await idle.answer();
  await busy.send(post(CHAT, JSON.stringify(chat("1"))));
  await held.began(1);
  server.shutdown({ linger: 50 });
  server.shutdown();
  assertEquals([await idle.toEnd(), await unused.toEnd()], ["", ""]);
  held.release();
  const { status, headers } = await busy.answer();
  assertEquals([status, headers.get("connection")], [200, "close"]);
  await server.finished;
});

Deno.test("shutdown() ends at once when no connection is open, however long it may linger", async () => {
  const server = await listen(createApp({ parrot: Parrot }), { port: 0 });
  server.shutdown({ linger: 3_600_000 });
  await server.finished;
});

Deno.test("drain() and abort() end streams with an error frame, and nothing is in flight then", async () => {
  const held = new Held();
  await using server = await guarded({ held });
  using connection = await Connection.open(server.port);
  await connection.send(post(CHAT, JSON.stringify(chat("1", { stream: true }))));
  await connection.until("word ");
  server.app.drain();
  server.app.abort(new Error("It stops"));
  const rest = await connection.until("\r\n0\r\n\r\n");
  assert(rest.includes('data: {"error":') && !rest.includes("[DONE]"), rest);
  const [record] = await server.ended(1);
  assertEquals([record?.outcome, record?.status, server.app.inFlight()], ["failed", 200, 0]);
});
