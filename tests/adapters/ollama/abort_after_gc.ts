/**
 * Aborts calls after a garbage collection, which makes Deno forget the signal that `fetch` was given, and prints how
 * many connections were closed. Run by `client_abort_test.ts` with `--v8-flags=--expose-gc`.
 */
// deno-lint-ignore-file no-console -- its output is its result
import { OllamaClient } from "../../../adapters/ollama/client.ts";
import type { OllamaChatRequest } from "../../../adapters/ollama/wire.ts";
import { type Answer, ndjson, startFakeUpstream } from "../../support/fake_upstream.ts";

const ROUNDS = 10;
const REQUEST: OllamaChatRequest = { model: "plain", messages: [] };
const RECORDS = ndjson([{ message: { content: "a" } }], { end: "stall" });
const EVENTS = ndjson([{ status: "a" }], { end: "stall" });
const BODY: Answer = [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{" }, "stall"];

type Call = (client: OllamaClient, signal: AbortSignal) => Promise<unknown>;

function collectGarbage(): void {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc !== "function") throw new Error("run with --v8-flags=--expose-gc");
  gc();
}

async function measure(name: string, answer: Answer, call: Call): Promise<void> {
  let closed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await using upstream = await startFakeUpstream([answer]);
    const client = new OllamaClient({ host: upstream.url });
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

/** Reads until it fails. */
async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

await measure("chat before the headers", ["stall"], (client, signal) => client.chat(REQUEST, { signal }));
await measure("chat inside the body", BODY, (client, signal) => client.chat(REQUEST, { signal }));
await measure("chatStream before the headers", ["stall"], (client, signal) => client.chatStream(REQUEST, { signal }));
await measure(
  "chatStream between records",
  RECORDS,
  async (client, signal) => await drain(await client.chatStream(REQUEST, { signal })),
);
await measure(
  "chatStream with a limit",
  RECORDS,
  async (client, signal) => await drain(await client.chatStream(REQUEST, { signal, firstRecordTimeout: 60_000 })),
);
await measure("pull between events", EVENTS, (client, signal) => drain(client.pull("m", { signal })));
Deno.exit();
