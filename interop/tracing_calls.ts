/**
 * Calls models in each way with tracing on, towards the store that the environment names, for tracing_checks.py to read:
 * streamed, failed, left by its reader, and an agent with a tool. Prints what is needed to find the traces.
 *
 * @module
 */
import { ChatModel, loadChatModel, type ModelContext } from "../mod.ts";
import { enableTracing, withSpan } from "../tracing/mod.ts";
import { openTrackingStore } from "../tracking/mod.ts";

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }] as const;
const request = {
  messages: [{ role: "user", content: "Wie geht es? Grüße 🐻" }],
  temperature: 0.5,
  tools,
  user: "u1",
  metadata: { "mlflow.trace.session": "s1" },
} as const;

class Words extends ChatModel {
  override async *predictStream() {
    yield "Gut";
    await Promise.resolve();
    yield { content: "!", usage };
  }
}

class Failing extends ChatModel {
  override async *predictStream() {
    yield "Hello";
    await Promise.resolve();
    throw new Error("no more");
  }
}

class Waiting extends ChatModel {
  override async *predictStream({ signal }: ModelContext) {
    yield "Hello there";
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }
}

class Agent extends ChatModel {
  override readonly spanType = "AGENT";
  override async *predictStream() {
    const inner = await loadChatModel(Words, { name: "inner" });
    await inner.predict({ messages: [{ role: "user", content: "Which tool?" }] });
    const found = await withSpan("search", { type: "TOOL", inputs: { q: "bears" } }, () => Promise.resolve(["a", "b"]));
    yield `Found ${found.length}`;
  }
}

const experiment = `calls-${crypto.randomUUID()}`;
const origin = {
  uri: "models:/greeter@champion",
  modelId: "m-0123456789abcdef0123456789abcdef",
  registeredName: "greeter",
  registeredVersion: "3",
};
await using store = openTrackingStore();
const experimentId = await store.createExperiment({ name: experiment });
const { info: { runId } } = await store.createRun({ experimentId, runName: "traced" });
{
  // Without a destination: where runs go.
  await using tracing = await enableTracing({ experiment, runId, tags: { env: "test" } });
  for await (const _ of (await loadChatModel(Words, { name: "streamed", origin })).predictStream(request));
  await (await loadChatModel(Failing, { name: "failed" })).predict(request).catch(() => {});
  for await (const chunk of (await loadChatModel(Waiting, { name: "left" })).predictStream(request)) {
    if (chunk.choices[0]?.delta.content) break;
  }
  await (await loadChatModel(Agent, { name: "looped" })).predict(request);
  if (!await tracing.flush(60_000) || tracing.dropped > 0) throw new Error("Traces were lost");
}
// deno-lint-ignore no-console -- what the checks in Python are given
console.log(JSON.stringify({ experiment_id: experimentId, run_id: runId, ...origin }));
