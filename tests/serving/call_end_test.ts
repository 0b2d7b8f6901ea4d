import { assertEquals } from "@std/assert";
import { OverloadedError } from "../../types/mod.ts";
import { ndjson } from "../support/fake_upstream.ts";
import { DISCONNECTS, momentToLeave, NEXT, startDisconnect } from "./_disconnects.ts";
import { RawClient } from "./_raw_client.ts";
import { createApp, listen } from "../../serve.ts";
import { ask, done, readEvents, startStack, token, within } from "./_stack.ts";

/** What is left of an event stream without its HTTP around. */
function eventsOf(received: string): string {
  const body = received.slice(received.indexOf("\r\n\r\n") + 4);
  return body.replace(/(^|\r\n)[0-9a-f]+\r\n/g, "").replace(/\r\n$/, "");
}

/** The error that a client got, in a frame if its stream had begun, else with a status. */
function errorOf(received: string, begun: boolean): { readonly status: number; readonly code: unknown } {
  const status = Number(received.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
  const body = received.slice(received.indexOf("\r\n\r\n") + 4);
  const error: unknown = begun ? readEvents(eventsOf(received)).error : JSON.parse(body);
  const object = Object(error);
  return { status, code: object.error?.code ?? object.error_code ?? object.code };
}

for (const [name, disconnect] of Object.entries(DISCONNECTS)) {
  const { asking, got, calls = 1 } = disconnect;
  const mlflow = asking.path === "/invocations" && got === undefined;

  Deno.test(`App.abort() ends the call and tells the client: ${name}`, async () => {
    await using stack = await startDisconnect(disconnect);
    await using client = await RawClient.ask(stack.port, asking);
    await momentToLeave(stack, disconnect);
    if (got !== undefined) await within(client.got(got), "the client to get something");
    stack.app.abort(new OverloadedError("Cannot finish the answer: the server stops", { code: "server_stopping" }));
    await within(stack.upstream.allClosed(), "the upstream's connections to close");
    await within(client.ended(), "the client to get an answer");
    assertEquals(errorOf(client.received, got !== undefined), {
      status: got === undefined ? 503 : 200,
      code: mlflow ? "TEMPORARILY_UNAVAILABLE" : "server_stopping",
    });
    assertEquals(stack.upstream.connections.map(({ closedByPeer }) => closedByPeer), Array(calls).fill(true));
    assertEquals(stack.errors.length, 0); // The server knows what it ended itself.
    // It ends what runs, and is no state.
    assertEquals((await ask(stack, { ...asking, prompt: NEXT })).content, "Fine");
  });

  Deno.test(`createApp() ends a call that takes longer than the timeout: ${name}`, async () => {
    await using stack = await startDisconnect({ ...disconnect, options: { ...disconnect.options, timeout: 150 } });
    await using client = await RawClient.ask(stack.port, asking);
    await within(client.ended(), "the client to get an answer");
    await within(stack.upstream.allClosed(), "the upstream's connections to close");
    assertEquals(errorOf(client.received, got !== undefined), {
      status: got === undefined ? 504 : 200,
      code: mlflow ? "INTERNAL_ERROR" : "timeout",
    });
    assertEquals(stack.upstream.connections.map(({ closedByPeer }) => closedByPeer), Array(calls).fill(true));
    assertEquals(stack.errors.length, 1);
  });
}

Deno.test("createApp() ends at the timeout also an answer that goes on and on", async () => {
  const steps = Array.from({ length: 2_000 }, () => [{ wait: 5 }, ...ndjson([token("on ")]).slice(1, 2)]).flat();
  const endless = [...ndjson([], { end: "stall" }).slice(0, 1), ...steps];
  await using stack = await startStack([endless], { timeout: 150 });
  for (const asking of [{ stream: true }, { model: "stream_only" }]) {
    const { error } = await ask(stack, asking);
    assertEquals(Object(error).code, "timeout");
    await within(stack.upstream.allClosed(), "the upstream's connections to close");
  }
});

const FLOOD = ndjson([...Array.from({ length: 200 }, () => token("x".repeat(100_000))), done()]);

Deno.test("createApp() closes the upstream's connection when a client leaves that did not read", async () => {
  await using stack = await startStack([[...FLOOD.slice(0, -1), "stall"]]);
  const { port } = stack;
  await using client = await RawClient.ask(port, { stream: true, reads: false });
  await within(stack.upstream.requested(1), "the upstream to be asked");
  await new Promise((resolve) => setTimeout(resolve, 100)); // until all buffers are full
  client.close();
  await within(stack.upstream.allClosed(), "the upstream's connection to close");
  assertEquals(stack.upstream.connections[0]?.closedByPeer, true);
  assertEquals(stack.errors, []);
});

Deno.test("createApp() does not cut a client that reads slower than the idle timeout", async () => {
  await using stack = await startStack([FLOOD], { idleTimeout: 100, firstTokenTimeout: 2_000 });
  await using client = await RawClient.ask(stack.port, { stream: true, reads: false });
  await within(stack.upstream.requested(1), "the upstream to be asked");
  await new Promise((resolve) => setTimeout(resolve, 400));
  client.read();
  await within(client.ended(), "the answer");
  const { content, finishReason, error } = readEvents(eventsOf(client.received));
  assertEquals([content.length, finishReason, error], [20_000_000, "stop", undefined]);
});

Deno.test("listen() shuts down though a client holds a connection that it never used", async () => {
  const server = await listen(createApp({}), { port: 0 });
  const unused = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  // Answered after the other connection was taken.
  await (await fetch(`http://127.0.0.1:${server.addr.port}/ping`)).text();
  server.shutdown();
  await within(server.finished, "the server to stop");
  assertEquals(await unused.read(new Uint8Array(1)), null);
  unused.close();
});
