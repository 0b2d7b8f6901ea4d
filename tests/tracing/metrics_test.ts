import { assertEquals } from "@std/assert";
import { metrics } from "@opentelemetry/api";
import { ChatModel, loadChatModel, type ModelContext } from "../../mod.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { enableTracing, instrument } from "../../tracing/mod.ts";

class Words extends ChatModel {
  override async *predictStream() {
    yield "Hello";
    await Promise.resolve();
    yield { content: " world", usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } };
  }
}

class Failing extends ChatModel {
  override predict(_context: ModelContext): string {
    throw new TypeError("no more");
  }
}

const request = { messages: [{ role: "user", content: "Hi" }] } as const;

Deno.test("instrument() counts calls in the histograms of OpenTelemetry's conventions", async () => {
  const recorded: [string, number, unknown][] = [];
  const provider = {
    getMeter: () => ({
      createHistogram: (name: string) => ({
        record: (value: number, attributes: unknown) => void recorded.push([name, value, attributes]),
      }),
    }),
  };
  // The other instruments of a meter are of no interest.
  Reflect.apply(metrics.setGlobalMeterProvider, metrics, [provider]);
  const end = instrument();
  try {
    const words = await loadChatModel(Words, { name: "m" });
    for await (const _ of words.predictStream(request));
    await words.predict(request);
    const failing = await loadChatModel(Failing, { name: "m" });
    await failing.predict(request).catch(() => {});
    const demo = await loadChatModel(DemoChatModel, { name: "v" });
    await demo.embed({ input: "A text" });
  } finally {
    end();
    metrics.disable();
  }
  const base = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "chatmodel",
    "gen_ai.request.model": "m",
  };
  const answered = { ...base, "gen_ai.response.model": "m" };
  const vectors = {
    ...base,
    "gen_ai.operation.name": "embeddings",
    "gen_ai.request.model": "v",
    "gen_ai.response.model": "v",
  };
  const input = { "gen_ai.token.type": "input" };
  const output = { "gen_ai.token.type": "output" };
  assertEquals(recorded.map(([name, , attributes]) => [name.replace("gen_ai.client.", ""), attributes]), [
    ["operation.duration", answered],
    ["operation.time_to_first_chunk", answered],
    ["token.usage", { ...answered, ...input }],
    ["token.usage", { ...answered, ...output }],
    ["operation.duration", answered],
    ["token.usage", { ...answered, ...input }],
    ["token.usage", { ...answered, ...output }],
    ["operation.duration", { ...base, "error.type": "TypeError" }],
    ["operation.duration", vectors],
    ["token.usage", { ...vectors, ...input }],
  ]);
  const tokens = recorded.filter(([name]) => name.endsWith("usage")).map(([, value]) => value);
  assertEquals(tokens.slice(0, 4), [3, 4, 3, 4]);
  // Seconds, not milliseconds.
  assertEquals(recorded.filter(([name, value]) => name.includes("operation") && !(value > 0 && value < 10)), []);
});

Deno.test("enableTracing() counts also those calls of which no trace is kept", async () => {
  const recorded: string[] = [];
  const provider = {
    getMeter: () => ({ createHistogram: (name: string) => ({ record: () => void recorded.push(name) }) }),
  };
  Reflect.apply(metrics.setGlobalMeterProvider, metrics, [provider]);
  try {
    const store = { name: "a sink", write: () => new Promise<void>(() => {}) };
    const tracing = await enableTracing({ store, maxQueueSpans: 1, onWarning() {} });
    const words = await loadChatModel(Words, { name: "m" });
    for (let i = 0; i < 3; i++) await words.predict(request);
    assertEquals([tracing.pending, tracing.dropped], [1, 2]);
    assertEquals(recorded.filter((name) => name === "gen_ai.client.operation.duration").length, 3);
    await tracing.shutdown(10);
  } finally {
    metrics.disable();
  }
});
