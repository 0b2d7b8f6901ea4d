import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { OllamaClient } from "../../../adapters/ollama/client.ts";
import type { OllamaChatRecord } from "../../../adapters/ollama/wire.ts";
import { TimeoutError } from "../../../types/mod.ts";
import { type Answer, json, ndjson, startFakeUpstream } from "../../support/fake_upstream.ts";
import { A, chatError, DONE, REQUEST, stream } from "./_chat_outcome.ts";

const BUSY = json({ error: "server busy" }, { status: 503, headers: { "retry-after": "0" } });

for (
  const [name, failures] of [
    ["503", [BUSY, BUSY]],
    ["a closed connection", [["close"], ["close"]]],
    ["a reset", [["reset"], ["reset"]]],
  ] satisfies [string, Answer[]][]
) {
  Deno.test(`OllamaClient tries again after ${name}, as often as told`, async () => {
    await using upstream = await startFakeUpstream([...failures, ndjson([A, DONE])]);
    assertEquals(await stream(upstream, { retries: 2 }), { records: [A, DONE] });
    assertEquals(upstream.requests.length, 3);
    const [first, ...others] = upstream.requests.map((request) => request.body);
    assert(others.every((body) => body === first));

    await using hopeless = await startFakeUpstream(failures);
    const { error } = await stream(hopeless, { retries: 1 });
    assert(error?.code === "overloaded" || error?.code === "upstream_unreachable", error?.message);
    assertEquals(hopeless.requests.length, 2);
  });
}

Deno.test("OllamaClient does not wait longer than 10 s for a busy server", async () => {
  await using upstream = await startFakeUpstream([json({}, { status: 503, headers: { "retry-after": "11" } })]);
  const error = await chatError(upstream, { retries: 5 });
  assertEquals([error.status, error.retryAfter, upstream.requests.length], [503, 11_000, 1]);
});

for (
  const [name, answer] of [
    ["500", json({ error: "boom" }, { status: 500 })],
    ["400", json({ error: "bad" }, { status: 400 })],
    ["429", json({ error: "limit" }, { status: 429 })],
    ["a cut after the headers", ndjson([], { end: "cut" })],
    ["a cut after a record", ndjson([A], { end: "cut" })],
  ] satisfies [string, Answer][]
) {
  Deno.test(`OllamaClient does not try again after ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer]);
    assert((await stream(upstream, { retries: 3 })).error !== undefined);
    assertEquals(upstream.requests.length, 1);
  });
}

Deno.test("OllamaClient ends small calls after the timeout, and closes their connection", async () => {
  await using upstream = await startFakeUpstream([["stall"]]);
  const client = new OllamaClient({ host: upstream.url, timeout: 30 });
  const error = await assertRejects(() => client.list(), TimeoutError);
  assertStringIncludes(error.message, "did not answer within 30 ms. Raise 'timeout'");
  await assertRejects(() => client.version({ timeout: 10 }), TimeoutError, "within 10 ms");
  await upstream.allClosed();
  assertEquals(upstream.connections.map((connection) => connection.closedByPeer), [true, true]);
});

Deno.test("OllamaClient ends a chat whose first record does not come in time", async () => {
  const stalls: Answer[] = [["stall"], ndjson([], { end: "stall" }), ["stall"]];
  await using upstream = await startFakeUpstream(stalls);
  const client = new OllamaClient({ host: upstream.url });
  const options = { firstRecordTimeout: 30 };
  await assertRejects(() => client.chatStream(REQUEST, options), TimeoutError, "raise 'firstRecordTimeout'");
  const records = await client.chatStream(REQUEST, options);
  await assertRejects(() => records.next(), TimeoutError, "within 30 ms");
  await assertRejects(() => client.chat(REQUEST, options), TimeoutError, "within 30 ms");
  await upstream.allClosed();
});

Deno.test("OllamaClient stops the clock with the first record", async () => {
  const [head = "stall", first = "stall", ...rest] = ndjson([A, DONE]);
  await using upstream = await startFakeUpstream([[head, first, { wait: 150 }, ...rest]]);
  const client = new OllamaClient({ host: upstream.url });
  const records: OllamaChatRecord[] = [];
  for await (const batch of await client.chatStream(REQUEST, { firstRecordTimeout: 100 })) records.push(...batch);
  assertEquals(records, [A, DONE]);
});

Deno.test("OllamaClient takes limits without end for none", async () => {
  await using upstream = await startFakeUpstream([json({ version: "1" })]);
  assertEquals(await new OllamaClient({ host: upstream.url, timeout: Infinity }).version(), "1");
});
