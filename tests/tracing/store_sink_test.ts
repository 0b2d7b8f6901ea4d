import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatModel, loadChatModel, type ModelContext } from "../../mod.ts";
import { closeTracking, openTrackingStore, setTrackingUri, type Trace, TrackingError } from "../../tracking/mod.ts";
import { enableTracing, type Tracing, type TracingOptions, withSpan } from "../../tracing/mod.ts";

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }] as const;
const request = {
  messages: [{ role: "user", content: "Wie geht es? Grüße" }],
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
    yield await withSpan("search", { type: "TOOL", inputs: { q: "bears" } }, () => Promise.resolve("Found"));
  }
}

/** A folder with a database in it. */
async function temporary(): Promise<{ readonly uri: string; readonly file: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/mlflow.db`;
  return { uri: `sqlite:///${file}`, file, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** The traces that the database has of something, the oldest first. */
async function tracesOf(
  body: (tracing: Tracing) => Promise<unknown>,
  options: TracingOptions = {},
): Promise<readonly Trace[]> {
  await using place = await temporary();
  {
    await using tracing = await enableTracing({ store: place.uri, experiment: "traced", ...options });
    await body(tracing);
    assertEquals(await tracing.flush(60_000), true);
    assertEquals(tracing.dropped, 0);
  }
  await using store = openTrackingStore(place.uri);
  const { experimentId = "" } = await store.getExperimentByName("traced") ?? {};
  const { items } = await store.searchTraces({ experimentIds: [experimentId] });
  return await Promise.all(items.toReversed().map(({ traceId }) => store.getTrace(traceId)));
}

Deno.test("enableTracing() writes each kind of call into MLflow's database", async () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 3));
  const [streamed, failed, left, looped] = await tracesOf(async () => {
    for await (const _ of (await loadChatModel(Words, { name: "m" })).predictStream(request));
    await pause();
    const failing = await loadChatModel(Failing, { name: "m" });
    await assertRejects(() => failing.predict(request), Error, "no more");
    await pause();
    const waiting = await loadChatModel(Waiting, { name: "m" });
    for await (const { choices: [choice] } of waiting.predictStream(request)) if (choice?.delta.content) break;
    await pause();
    await (await loadChatModel(Agent, { name: "m" })).predict(request);
  }, { tags: { env: "test" } });
  assert(streamed && failed && left && looped);

  const { info, spans: [root] } = streamed;
  assertEquals([info.state, info.name, info.tags.env], ["OK", "chat m", "test"]);
  assertEquals([info.requestPreview, info.responsePreview], ["Wie geht es? Grüße", "Gut!"]);
  assertEquals(info.tokenUsage, { inputTokens: 3, outputTokens: 4, totalTokens: 7 });
  assertEquals([info.metadata["mlflow.trace.session"], info.metadata["mlflow.trace.user"]], ["s1", "u1"]);
  assertEquals(root?.attributes["mlflow.spanType"], "CHAT_MODEL");
  assertEquals(root?.attributes["mlflow.spanInputs"], structuredClone({ ...request }));
  assertEquals(root?.attributes["mlflow.chat.tools"], structuredClone([...tools]));
  assertEquals(root?.attributes["chatmodel.chunks"], 5);

  assertEquals([failed.info.state, failed.spans[0]?.status], ["ERROR", { code: "ERROR", message: "no more" }]);
  assertEquals(failed.spans[0]?.events.map(({ name }) => name), ["exception"]);
  assertEquals(failed.spans[0]?.attributes["error.type"], "Error");

  assertEquals([left.info.state, left.info.responsePreview], ["OK", "Hello there"]);
  assertEquals(left.spans[0]?.attributes["chatmodel.outcome"], "cancelled");
  assertEquals(left.spans[0]?.attributes["chatmodel.usage.estimated"], true);

  assertEquals(looped.info.tokenUsage?.totalTokens, 7);
  assertEquals(looped.spans.map(({ name, parentId }) => [name, parentId === undefined]), [
    ["invoke_agent m", true],
    ["chat inner", false],
    ["search", false],
  ]);
});

Deno.test("enableTracing() links traces to the run, and to the model that was called", async () => {
  await using place = await temporary();
  let runId: string;
  {
    await using store = openTrackingStore(place.uri);
    ({ info: { runId } } = await store.createRun({ experimentId: "0" }));
  }
  const origin = {
    uri: "models:/greeter@champion",
    modelId: "m-0123456789abcdef0123456789abcdef",
    registeredName: "greeter",
    registeredVersion: "3",
  };
  {
    await using _tracing = await enableTracing({ store: place.uri, runId });
    await (await loadChatModel(Words, { name: "linked", origin })).predict(request);
    await (await loadChatModel(Words, { name: "other" })).predict(request);
  }
  await using store = openTrackingStore(place.uri);
  const { items } = await store.searchTraces({ experimentIds: ["0"] });
  const linked = items.find(({ name }) => name === "chat linked");
  const other = items.find(({ name }) => name === "chat other");
  assertEquals([linked?.metadata["mlflow.sourceRun"], other?.metadata["mlflow.sourceRun"]], [runId, runId]);
  assertEquals([linked?.metadata["mlflow.modelId"], other?.metadata["mlflow.modelId"]], [origin.modelId, undefined]);
  assertEquals(linked?.metadata["chatmodel.model_uri"], origin.uri);
  assertEquals(linked?.metadata["chatmodel.registered_model.name"], "greeter");
  assertEquals(linked?.metadata["chatmodel.registered_model.version"], "3");
});

Deno.test("enableTracing() goes where runs go when told nothing else", async () => {
  await using place = await temporary();
  setTrackingUri(place.uri);
  try {
    await using _tracing = await enableTracing();
    await (await loadChatModel(Words, { name: "m" })).predict(request);
  } finally {
    await closeTracking();
  }
  await using store = openTrackingStore(place.uri);
  const { items } = await store.searchTraces({ experimentIds: ["0"] });
  assertEquals(items.map(({ name }) => name), ["chat m"]);
});

Deno.test("enableTracing() lets calls go on while others have the database locked", async () => {
  await using place = await temporary();
  const model = await loadChatModel(Words, { name: "m" });
  await using tracing = await enableTracing({ store: place.uri, interval: 0, timeout: 60_000 });
  const database = new DatabaseSync(place.file);
  database.exec("BEGIN IMMEDIATE");
  await model.predict(request);
  // The thread that writes is at the locked database by now, most likely; this one must not be.
  for (let i = 0; i < 20; i++) {
    await model.predict(request);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals([tracing.pending, tracing.dropped], [21, 0]);
  database.exec("ROLLBACK");
  database.close();
  assertEquals(await tracing.flush(60_000), true);
  assertEquals(tracing.dropped, 0);
});

Deno.test("shutdown() does not wait for a database that others have locked, and says what is lost", async () => {
  await using place = await temporary();
  const warnings: string[] = [];
  const model = await loadChatModel(Words, { name: "m" });
  const onWarning = (message: string) => void warnings.push(message);
  const tracing = await enableTracing({ store: place.uri, interval: 0, onWarning });
  const database = new DatabaseSync(place.file);
  database.exec("BEGIN IMMEDIATE");
  await model.predict(request);
  await tracing.shutdown(50);
  assertEquals([tracing.pending, tracing.dropped], [0, 1]);
  assertEquals(warnings, ["Traces are incomplete: 1 span was dropped so far: Tracing has ended"]);
  database.exec("ROLLBACK");
  database.close();
});

Deno.test("enableTracing() fails where the database cannot be opened", async () => {
  const nowhere = "sqlite:////nowhere/at/all/mlflow.db";
  const error = await assertRejects(() => enableTracing({ store: nowhere }), TrackingError);
  assert(error.message.startsWith("Cannot "), error.message);
  await using place = await temporary();
  {
    await using store = openTrackingStore(place.uri);
    const experimentId = await store.createExperiment({ name: "gone" });
    await store.deleteExperiment(experimentId);
  }
  const deleted = await assertRejects(() => enableTracing({ store: place.uri, experiment: "gone" }), TrackingError);
  assertEquals(deleted.message, 'Cannot send traces: experiment "gone" is deleted. Restore it, or name another one');
});
