/**
 * Aborts calls after a garbage collection, which makes Deno forget the signal that `fetch` was given, and prints how
 * many connections were closed. Run by `disconnect_test.ts` with `--v8-flags=--expose-gc`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { OpenAIClient } from "../../../adapters/openai/client.ts";
import { type Answer, startFakeUpstream } from "../../support/fake_upstream.ts";
import { sse, token } from "./_stack.ts";

const ROUNDS = 10;
const REQUEST = { model: "plain", messages: [] };
const CHUNKS = sse([token("a")], { end: "stall" });
const ODD_HEAD = sse([], { end: "stall", contentType: "text/plain" });
const ODD_CHUNKS = sse([token("a")], { end: "stall", contentType: "application/json" });
const BODY: Answer = [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{" }, "stall"];

type Call = (client: OpenAIClient, signal: AbortSignal) => Promise<unknown>;

function collectGarbage(): void {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") throw new Error("run with --v8-flags=--expose-gc");
  gc();
}

async function measure(name: string, answer: Answer, call: Call): Promise<void> {
  let closed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using upstream = await startFakeUpstream([answer]);
    const client = new OpenAIClient({ baseUrl: upstream.url });
    const controller = new AbortController();
    const result = call(client, controller.signal).catch((error) => error);
    await upstream.requested(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 1));
    collectGarbage();
    controller.abort("enough");
    const timer = new Promise((resolve) => setTimeout(resolve, 250));
    await Promise.race([upstream.allClosed(), timer]);
    if (upstream.connections.every((connection) => connection.closedByPeer) && await result === "enough") closed++;
  }
  console.log(`${name}: ${closed} of ${ROUNDS} closed`);
}

/** Reads a stream until it fails. */
const read: Call = async (client, signal) => {
  for await (const _ of await client.chatStream(REQUEST, { signal }));
};

const limited: Call = async (client, signal) => {
  for await (const _ of await client.chatStream(REQUEST, { signal, firstChunkTimeout: 60_000 }));
};

await measure("chat before the headers", ["stall"], (client, signal) => client.chat(REQUEST, { signal }));
await measure("chat inside the body", BODY, (client, signal) => client.chat(REQUEST, { signal }));
await measure("chatStream before the headers", ["stall"], read);
await measure("chatStream between chunks", CHUNKS, read);
await measure("chatStream with a limit", CHUNKS, limited);
await measure("chatStream of an odd type, before the first byte", ODD_HEAD, read);
await measure("chatStream of an odd type, between chunks", ODD_CHUNKS, read);
await measure("chatStream answered in JSON", BODY, read);
await measure(
  "embed inside the body",
  BODY,
  (client, signal) => client.embed({ model: "m", input: "a" }, { signal }),
);
Deno.exit();
