import { assertEquals } from "@std/assert";
import { OllamaChatModel, OllamaClient } from "../../adapters/ollama/mod.ts";
import { loadChatModel, type LoadedChatModel, type PredictOptions } from "../../loaded_chat_model.ts";
import { type Answer, ndjson, startFakeUpstream } from "../support/fake_upstream.ts";
import { within } from "../serving/_stack.ts";

const REQUEST = { messages: [{ role: "user", content: "Hello" }] } as const;
const BODY: Answer = [{ send: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{" }, "stall"];
const RECORDS = ndjson([{ message: { role: "assistant", content: "One" }, done: false }], { end: "stall" });

function load(host: string): Promise<LoadedChatModel> {
  return loadChatModel(new OllamaChatModel({ model: "plain", client: new OllamaClient({ host }) }));
}

/** Reads until it ends or fails. */
async function drain(model: LoadedChatModel, options: PredictOptions): Promise<void> {
  for await (const _ of model.predictStream(REQUEST, options));
}

const CALLS: readonly (readonly [
  name: string,
  answer: Answer,
  call: (model: LoadedChatModel, options: PredictOptions) => Promise<unknown>,
])[] = [
  ["predict() before the headers", ["stall"], (model, options) => model.predict(REQUEST, options)],
  ["predict() inside the body", BODY, (model, options) => model.predict(REQUEST, options)],
  ["predictStream() before the headers", ["stall"], drain],
  ["predictStream() after the first token", RECORDS, drain],
];

for (const [name, answer, call] of CALLS) {
  Deno.test(`LoadedChatModel closes the upstream's connection when the signal ends ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer]);
    const controller = new AbortController();
    const reason = { why: "enough" };
    const result = call(await load(upstream.url), { signal: controller.signal }).catch((error) => error);
    await within(upstream.requested(1), "the upstream to be asked");
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(reason);
    assertEquals(await result === reason, true);
    await within(upstream.allClosed(), "the upstream's connection to close");
    assertEquals(upstream.connections.map(({ closedByPeer }) => closedByPeer), [true]);
  });
}

Deno.test("LoadedChatModel.predictStream() closes the upstream's connection when the loop is left", async () => {
  for (const n of [1, 2]) {
    await using upstream = await startFakeUpstream([RECORDS]);
    const model = await load(upstream.url);
    for await (const { choices } of model.predictStream({ ...REQUEST, n })) {
      if (choices[0]?.delta.content === "One") break;
    }
    await within(upstream.allClosed(), "the upstream's connections to close");
    assertEquals(upstream.connections.map(({ closedByPeer }) => closedByPeer), Array(n).fill(true));
  }
});

Deno.test("LoadedChatModel.predictStream() closes the upstream's connection when it is returned while it waits", async () => {
  for (const answer of [["stall"] as const, RECORDS]) {
    await using upstream = await startFakeUpstream([answer]);
    const stream = (await load(upstream.url)).predictStream(REQUEST);
    if (answer === RECORDS) { while ((await stream.next()).value?.choices[0]?.delta.content !== "One"); }
    const waiting = stream.next();
    await within(upstream.requested(1), "the upstream to be asked");
    await stream.return();
    assertEquals(await waiting, { done: true, value: undefined });
    await within(upstream.allClosed(), "the upstream's connection to close");
    assertEquals(upstream.connections[0]?.closedByPeer, true);
  }
});
