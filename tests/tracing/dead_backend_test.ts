import { assert, assertEquals } from "@std/assert";
import { ChatModel, ChatModelError, loadChatModel } from "../../mod.ts";
import { enableTracing, type FinishedSpan } from "../../tracing/mod.ts";
import { BatchProcessor } from "../../tracing/_batch_processor.ts";
import { type ReadableSpan, spansOf } from "./_spans.ts";

class Whole extends ChatModel {
  override predict() {
    return "Hello";
  }
}

const request = { messages: [{ role: "user", content: "Hi" }] } as const;

async function call(times: number): Promise<void> {
  const model = await loadChatModel(Whole, { name: "m" });
  for (let i = 0; i < times; i++) {
    const { choices: [choice] } = await model.predict(request);
    assertEquals(choice?.message.content, "Hello");
  }
}

/** A port that no one listens at. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

for (const where of ["store", "endpoint"] as const) {
  Deno.test(`enableTracing() with a ${where} that is not there lets calls go on, within bounds, and counts`, async () => {
    const warnings: string[] = [];
    const tracing = await enableTracing({
      [where]: `http://127.0.0.1:${closedPort()}`,
      maxQueueSpans: 100,
      interval: 0,
      onWarning: (message) => warnings.push(message),
    });
    await call(1000);
    assertEquals(await tracing.flush(500), false);
    assertEquals([tracing.pending, tracing.dropped], [100, 900]);
    await tracing.shutdown(500);
    assertEquals([tracing.pending, tracing.dropped], [0, 1000]);
    // That it is not there, that the first is lost, and the sum.
    assertEquals(warnings.length, 3, warnings.join("\n"));
    assert(warnings.some((warning) => warning.startsWith("Cannot send traces to ")));
    assertEquals(warnings.at(-1), "Traces are incomplete: 1000 spans were dropped so far: Tracing has ended");
  });
}

Deno.test("enableTracing() with a server that never answers lets calls go on, and shutdown() does not wait for it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  const tracing = await enableTracing({
    endpoint: `http://127.0.0.1:${listener.addr.port}`,
    interval: 0,
    onWarning() {},
  });
  await call(10);
  assertEquals(await tracing.flush(50), false);
  await call(10);
  assertEquals(tracing.pending, 20);
  await tracing.shutdown(50);
  assertEquals([tracing.pending, tracing.dropped], [0, 20]);
  assert(connections.length > 0);
  for (const connection of connections) connection.close();
  listener.close();
  await accepting.catch(() => {});
});

const OPTIONS = {
  maxQueueSpans: 100,
  maxQueueBytes: 1_000_000,
  batchSize: 10,
  interval: 0,
  timeout: 1_000,
  retryDelay: 1,
  onWarning() {},
};
const AS_THEY_ARE = { keepsRemoteParents: true };

async function someSpans(count: number): Promise<readonly ReadableSpan[]> {
  return await spansOf(() => call(count));
}

Deno.test("BatchProcessor tries again until the sink takes the spans, each once and in order", async () => {
  const spans = await someSpans(35);
  const taken: FinishedSpan[] = [];
  let tries = 0;
  const processor = new BatchProcessor(
    {
      name: "a sink",
      write(batch) {
        tries++;
        if (tries % 3 !== 0) return Promise.reject(new ChatModelError("not now", { retryable: true }));
        taken.push(...batch);
        return Promise.resolve();
      },
    },
    OPTIONS,
    AS_THEY_ARE,
  );
  for (const span of spans) processor.onEnd(span);
  while (processor.pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assertEquals(taken, [...spans]);
  assertEquals([processor.dropped, tries], [0, 12]);
  await processor.close(100);
});

Deno.test("BatchProcessor drops what is refused for good, and goes on with the next", async () => {
  const spans = await someSpans(25);
  const taken: FinishedSpan[] = [];
  const warnings: string[] = [];
  let tries = 0;
  const processor = new BatchProcessor(
    {
      name: "a sink",
      write(batch) {
        if (++tries !== 2) return Promise.reject(new ChatModelError("Cannot send traces: no such experiment"));
        taken.push(...batch);
        return Promise.resolve();
      },
    },
    { ...OPTIONS, onWarning: (message) => warnings.push(message) },
    AS_THEY_ARE,
  );
  for (const span of spans) processor.onEnd(span);
  assertEquals(await processor.flush(1_000), true);
  assertEquals(taken, spans.slice(10, 20));
  assertEquals(processor.dropped, 15);
  await processor.close(100);
  assertEquals(warnings, [
    "Traces are incomplete: 10 spans were dropped so far: Cannot send traces: no such experiment",
    "Traces are incomplete: 15 spans were dropped so far: Tracing has ended",
  ]);
});

Deno.test("BatchProcessor bounds the bytes that wait", async () => {
  class Long extends ChatModel {
    override predict() {
      return "x".repeat(100_000);
    }
  }
  const spans = await spansOf(async () => {
    const model = await loadChatModel(Long);
    for (let i = 0; i < 10; i++) await model.predict(request);
  });
  const processor = new BatchProcessor(
    { name: "a sink", write: () => Promise.resolve() },
    { ...OPTIONS, interval: 1_000 },
    AS_THEY_ARE,
  );
  for (const span of spans) processor.onEnd(span);
  assertEquals([processor.pending, processor.dropped], [2, 8]);
  await processor.close(100);
});

Deno.test("BatchProcessor gives up a try that takes too long, and tries again", async () => {
  const [span] = await someSpans(1);
  assert(span);
  let tries = 0;
  const processor = new BatchProcessor(
    {
      name: "a sink",
      write: () => ++tries === 1 ? new Promise(() => {}) : Promise.resolve(),
    },
    { ...OPTIONS, timeout: 5 },
    AS_THEY_ARE,
  );
  processor.onEnd(span);
  while (processor.pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assertEquals([tries, processor.dropped], [2, 0]);
  await processor.close(100);
});

Deno.test("BatchProcessor.flush() goes on after a try that took too long, as long as there is time", async () => {
  const [span] = await someSpans(1);
  assert(span);
  let tries = 0;
  const processor = new BatchProcessor(
    {
      name: "a sink that is slow to begin",
      write: () => ++tries < 3 ? new Promise(() => {}) : Promise.resolve(),
    },
    { ...OPTIONS, interval: 60_000, timeout: 5 },
    AS_THEY_ARE,
  );
  processor.onEnd(span);
  assertEquals(await processor.flush(60_000), true);
  assertEquals([tries, processor.pending, processor.dropped], [3, 0, 0]);
  await processor.close(100);
});

Deno.test("BatchProcessor.isFull stays until half of the room is free", async () => {
  const spans = await someSpans(40);
  const writes: (() => void)[] = [];
  const processor = new BatchProcessor(
    { name: "a sink", write: () => new Promise((resolve) => writes.push(resolve)) },
    { ...OPTIONS, maxQueueSpans: 40, batchSize: 10 },
    AS_THEY_ARE,
  );
  for (const span of spans.slice(0, 39)) processor.onEnd(span);
  assertEquals(processor.isFull, false);
  for (const span of spans.slice(39)) processor.onEnd(span);
  assertEquals(processor.isFull, true);
  const states = new Map<number, boolean>();
  const flushing = processor.flush(60_000);
  while (processor.pending > 0) {
    writes.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
    states.set(processor.pending, processor.isFull);
  }
  assertEquals(await flushing, true);
  // 20 is no less than half of it.
  assertEquals(Object.fromEntries(states), { 30: true, 20: true, 10: false, 0: false });
  assertEquals(processor.dropped, 0);
  await processor.close(100);
});
