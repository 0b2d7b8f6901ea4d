import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { OllamaClient } from "../../../adapters/ollama/client.ts";
import type { OllamaChatRequest } from "../../../adapters/ollama/wire.ts";
import { type Answer, json, ndjson, startFakeUpstream } from "../../support/fake_upstream.ts";

const REQUEST: OllamaChatRequest = { model: "plain", messages: [{ role: "user", content: "hi" }] };
const A = { message: { role: "assistant", content: "a" }, done: false };

const BODY_STALLS: Answer = [
  { send: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{" },
  "stall",
];
const ERROR_STALLS: Answer = [{ send: "HTTP/1.1 500 Oops\r\ncontent-length: 99\r\n\r\n{" }, "stall"];

type Call = (client: OllamaClient, signal: AbortSignal) => Promise<unknown>;

const CALLS: Record<string, Call> = {
  version: (client, signal) => client.version({ signal }),
  list: (client, signal) => client.list({ signal }),
  ps: (client, signal) => client.ps({ signal }),
  show: (client, signal) => client.show("m", { signal }),
  embed: (client, signal) => client.embed({ model: "m", input: "a" }, { signal }),
  chat: (client, signal) => client.chat(REQUEST, { signal }),
  "chat with a limit": (client, signal) => client.chat(REQUEST, { signal, firstRecordTimeout: 60_000 }),
  chatStream: (client, signal) => client.chatStream(REQUEST, { signal }).then((records) => records.next()),
  "chatStream with a limit": async (client, signal) =>
    await (await client.chatStream(REQUEST, { signal, firstRecordTimeout: 60_000 })).next(),
  pull: (client, signal) => client.pull("m", { signal }).next(),
};

const PHASES: Record<string, Answer> = {
  "before the headers": ["stall"],
  "inside the body": BODY_STALLS,
  "inside the body of an error": ERROR_STALLS,
};

for (const [name, call] of Object.entries(CALLS)) {
  for (const [phase, answer] of Object.entries(PHASES)) {
    Deno.test(`OllamaClient closes the connection when ${name} is aborted ${phase}`, async () => {
      await using upstream = await startFakeUpstream([answer]);
      const controller = new AbortController();
      const result = call(new OllamaClient({ host: upstream.url }), controller.signal);
      await upstream.requested(1);
      await new Promise((resolve) => setTimeout(resolve, 20)); // so that the headers are there
      const reason = { why: "enough" };
      controller.abort(reason);
      assertStrictEquals(await result.catch((error) => error), reason);
      await upstream.allClosed();
      assertEquals(upstream.connections.map((connection) => connection.closedByPeer), [true]);
    });
  }

  Deno.test(`OllamaClient does not call when ${name} was aborted before`, async () => {
    await using upstream = await startFakeUpstream([json({})]);
    const result = call(new OllamaClient({ host: upstream.url }), AbortSignal.abort("before"));
    assertEquals(await result.catch((error) => error), "before");
    assertEquals(upstream.requests.length, 0);
  });
}

for (const firstRecordTimeout of [undefined, 60_000]) {
  const limited = firstRecordTimeout === undefined ? "" : " with a limit";
  const options = firstRecordTimeout === undefined ? {} : { firstRecordTimeout };

  Deno.test(`OllamaClient closes the connection when a stream${limited} is aborted between records`, async () => {
    await using upstream = await startFakeUpstream([ndjson([A], { end: "stall" })]);
    const controller = new AbortController();
    const client = new OllamaClient({ host: upstream.url });
    const records = await client.chatStream(REQUEST, { ...options, signal: controller.signal });
    assertEquals(await records.next(), { done: false, value: [A] });
    controller.abort("enough");
    await upstream.allClosed(); // though no one reads
    assertEquals(await records.next().catch((error) => error), "enough");
    assertEquals(await records.next(), { done: true, value: undefined });
  });

  Deno.test(`OllamaClient closes the connection when a stream${limited} is left while a record is awaited`, async () => {
    await using upstream = await startFakeUpstream([ndjson([A], { end: "stall" })]);
    const client = new OllamaClient({ host: upstream.url });
    const records = await client.chatStream(REQUEST, options);
    await records.next();
    const waiting = records.next();
    assertEquals(await records.return?.(), { done: true, value: undefined });
    assertEquals(await waiting, { done: true, value: undefined });
    await upstream.allClosed();
    assertEquals(upstream.connections[0]?.closedByPeer, true);
  });
}

Deno.test("OllamaClient closes the connection when a download is left, also while it begins", async () => {
  for (const [answer, events] of [[["stall"], 0], [ndjson([{ status: "a" }], { end: "stall" }), 1]] as const) {
    await using upstream = await startFakeUpstream([answer]);
    const download = new OllamaClient({ host: upstream.url }).pull("m");
    for (let i = 0; i < events; i++) await download.next();
    const waiting = download.next();
    await upstream.requested(1);
    await download.return?.();
    assertEquals(await waiting, { done: true, value: undefined });
    await upstream.allClosed();
    assertEquals(upstream.connections[0]?.closedByPeer, true);
  }
});

Deno.test("OllamaClient.pull() asks nothing of the server before it is read", async () => {
  await using upstream = await startFakeUpstream([json({})]);
  const download = new OllamaClient({ host: upstream.url }).pull("m");
  assertEquals(await download.return?.(), { done: true, value: undefined });
  assertEquals(await download.next(), { done: true, value: undefined });
  assertEquals(upstream.requests.length, 0);
});

Deno.test("OllamaClient can be aborted while it waits for another try", async () => {
  await using upstream = await startFakeUpstream([json({}, { status: 503, headers: { "retry-after": "9" } })]);
  const controller = new AbortController();
  const result = new OllamaClient({ host: upstream.url }).chat(REQUEST, { signal: controller.signal });
  await upstream.requested(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort("enough");
  assertEquals(await result.catch((error) => error), "enough");
  assertEquals(upstream.requests.length, 1);
});

Deno.test("OllamaClient leaves no connection open after many cancels at random moments", async () => {
  const answers: Answer[] = [["stall"], BODY_STALLS, ndjson([A, A], { end: "stall" }), ndjson([A, A])];
  await using upstream = await startFakeUpstream((_, index) => answers[index % answers.length] ?? ["stall"]);
  const client = new OllamaClient({ host: upstream.url, retries: 0 });
  const reason = new Error("enough");
  const cancelOne = async (index: number): Promise<void> => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(reason), Math.random() * 100);
    try {
      if (index % 3 === 0) await client.chat(REQUEST, { signal: controller.signal });
      else for await (const _ of await client.chatStream(REQUEST, { signal: controller.signal }));
    } catch (error) {
      assert(error === reason || (error instanceof Error && "code" in error), String(error));
    }
    clearTimeout(timer);
  };
  // On a busy machine most may be cancelled before they connect: then there are more of them.
  for (let round = 0; round < 20 && upstream.connections.length <= 50; round++) {
    await Promise.all(Array.from({ length: 200 }, (_, index) => cancelOne(index)));
  }
  // Those that ended well or badly by themselves are kept open for the next call, or were closed.
  const stalled = upstream.connections.filter((connection) => connection.isOpen && !endedInOrder(connection));
  await Promise.all(stalled.map((connection) => connection.closed));
  assert(upstream.connections.length > 50);

  function endedInOrder({ requests }: { requests: readonly unknown[] }): boolean {
    return upstream.requests.findIndex((request) => request === requests.at(-1)) % answers.length === 3;
  }
});

Deno.test("OllamaClient closes the connection on abort also after a garbage collection", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", "--v8-flags=--expose-gc", "abort_after_gc.ts"],
    cwd: new URL("./", import.meta.url),
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, output);
  assertEquals(output.trim().split("\n"), [
    "chat before the headers: 10 of 10 closed",
    "chat inside the body: 10 of 10 closed",
    "chatStream before the headers: 10 of 10 closed",
    "chatStream between records: 10 of 10 closed",
    "chatStream with a limit: 10 of 10 closed",
    "pull between events: 10 of 10 closed",
  ]);
});
