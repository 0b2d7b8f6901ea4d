import { assert, assertEquals, assertRejects } from "@std/assert";
import { trace as api } from "@opentelemetry/api";
import { ChatModel, loadChatModel, parseChatRequest, ValidationError } from "../../mod.ts";
import { enableTracing, type FinishedSpan, type TracingOptions, withSpan } from "../../tracing/mod.ts";
import { treeOf } from "./_spans.ts";

class Whole extends ChatModel {
  override predict() {
    return "Hello";
  }
}

const request = { messages: [{ role: "user", content: "my password is hunter2" }] } as const;

async function call(times = 1, options: object = {}): Promise<void> {
  const model = await loadChatModel(Whole, { name: "m" });
  for (let i = 0; i < times; i++) {
    const { choices: [choice] } = await model.predict(request, options);
    assertEquals(choice?.message.content, "Hello");
  }
}

/** Keeps what it is given. */
function listSink(): {
  name: string;
  spans: FinishedSpan[];
  closed: number;
  write(spans: readonly FinishedSpan[]): Promise<void>;
  close(): void;
} {
  const spans: FinishedSpan[] = [];
  return {
    name: "a list",
    spans,
    closed: 0,
    write: (more) => Promise.resolve(void spans.push(...more)),
    close() {
      this.closed++;
    },
  };
}

Deno.test("enableTracing() brings spans to a sink, with what was said, and ends with shutdown()", async () => {
  const store = listSink();
  const tracing = await enableTracing({ store, tags: { env: "dev" } });
  await call();
  await withSpan("step", { type: "TOOL" }, () => Promise.resolve(1));
  assertEquals(tracing.pending, 2);
  assertEquals(await tracing.flush(), true);
  assertEquals([tracing.pending, tracing.dropped], [0, 0]);
  assertEquals(treeOf(store.spans), ["chat m [CHAT_MODEL] OK", "step [TOOL] OK"]);
  const [span] = store.spans;
  assertEquals(span?.attributes["mlflow.traceRequestId"], `tr-${span?.spanContext().traceId}`);
  assertEquals(span?.attributes["mlflow.traceTag.env"], "dev");
  assert(String(span?.attributes["mlflow.spanInputs"]).includes("hunter2"));
  assertEquals(span?.resource.attributes["service.name"], "chatmodel");
  await Promise.all([tracing.shutdown(), tracing.shutdown()]);
  await call();
  assertEquals([store.spans.length, store.closed], [2, 1]);
});

Deno.test("enableTracing() has spans of other libraries join", async () => {
  const store = listSink();
  {
    await using _tracing = await enableTracing({ store });
    await api.getTracer("other").startActiveSpan("request", async (span) => {
      await call();
      span.end();
    });
  }
  assertEquals(treeOf(store.spans), ["request [undefined] UNSET", "  chat m [CHAT_MODEL] OK"]);
  // Nothing of it is left.
  assertEquals(api.getTracer("other").startSpan("x").isRecording(), false);
});

Deno.test("enableTracing() lets redact change and drop spans, and drops what it fails for", async () => {
  const store = listSink();
  const warnings: string[] = [];
  {
    await using tracing = await enableTracing({
      store,
      onWarning: (message) => warnings.push(message),
      redact(span) {
        if (span.name === "secret") span.drop();
        if (span.name === "broken") throw new Error("cannot redact");
        span.attributes["mlflow.spanInputs"] = "[redacted]";
        span.name = `${span.name}!`;
      },
    });
    await call();
    withSpan("secret", { inputs: "hunter2" }, () => {});
    withSpan("broken", { inputs: "hunter2" }, () => {});
    await tracing.flush();
    assertEquals(tracing.dropped, 1);
  }
  assertEquals(store.spans.map(({ name }) => name), ["chat m!"]);
  assert(!JSON.stringify(store.spans.map(({ attributes }) => attributes)).includes("hunter2"));
  assertEquals(warnings, [
    "Traces are incomplete: 1 span was dropped so far: 'redact' failed: cannot redact",
  ]);
});

Deno.test("enableTracing() cuts spans of callers elsewhere off in a store, unless told otherwise", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const requestContext = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  for (const [keepRemoteParents, parent] of [[undefined, undefined], [true, "b7ad6b7169203331"]] as const) {
    const store = listSink();
    {
      await using _tracing = await enableTracing({ store, ...(keepRemoteParents && { keepRemoteParents }) });
      await call(1, { requestContext });
    }
    assertEquals(store.spans[0]?.spanContext().traceId, traceId);
    assertEquals(store.spans[0]?.parentSpanContext?.spanId, parent);
  }
});

Deno.test("enableTracing() keeps a share of the traces, and obeys a caller who has decided", async () => {
  const store = listSink();
  {
    await using _tracing = await enableTracing({ store, sampleRatio: 0 });
    await call();
    const caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
    await call(1, { requestContext: { traceparent: `${caller}00` } });
    await call(1, { requestContext: { traceparent: `${caller}01` } });
  }
  assertEquals(store.spans.length, 1);
});

Deno.test("enableTracing() refuses options that it cannot use, all at once", async () => {
  const two = { store: "sqlite:///mlflow.db", endpoint: "http://127.0.0.1:4318" };
  const error = await assertRejects(() => enableTracing(two), ValidationError);
  assertEquals(error.message, 'Cannot enable tracing: name one of "store", "endpoint" and "exporter": 2 are given');
  const bad: TracingOptions = {
    store: "postgresql://somewhere",
    endpoint: "nowhere",
    sampleRatio: 2,
    timeout: 0,
    maxQueueSpans: 0.5,
    interval: -1,
  };
  const { issues } = await assertRejects(() => enableTracing(bad), ValidationError);
  assertEquals(issues.map(({ path }) => path), [
    "",
    "store",
    "endpoint",
    "sampleRatio",
    "maxQueueSpans",
    "interval",
    "timeout",
  ]);
  const { issues: [issue] } = await assertRejects(
    () => enableTracing({ endpoint: "http://127.0.0.1", experiment: "x" }),
    ValidationError,
  );
  assertEquals(issue?.path, "experiment");
  const { issues: [headers] } = await assertRejects(
    () => enableTracing({ store: "sqlite:///mlflow.db", headers: { a: "b" } }),
    ValidationError,
  );
  assertEquals(headers?.path, "headers");
});

Deno.test("enableTracing() writes the conversation as it was when the model was asked", async () => {
  const store = listSink();
  {
    await using _tracing = await enableTracing({ store });
    const model = await loadChatModel(Whole, { name: "m" });
    const messages: { role: "user" | "assistant"; content: string }[] = [{ role: "user", content: "first" }];
    const parsed = parseChatRequest({ messages });
    for (const asked of [{ messages }, parsed]) {
      const { choices: [choice] } = await model.predict(asked);
      messages.push({ role: "assistant", content: choice?.message.content ?? "" });
    }
  }
  const counts = store.spans.map(({ attributes }) =>
    JSON.parse(String(attributes["mlflow.spanInputs"])).messages.length
  );
  assertEquals(counts, [1, 1]);
});

Deno.test("enableTracing() does not even begin traces that it has no room for, and leaves them out whole", async () => {
  const store = listSink();
  const tracing = await enableTracing({ store, maxQueueSpans: 3, interval: 10_000, onWarning() {} });
  const traced = () =>
    withSpan("outer", {}, async ({ isRecording }) => {
      await call();
      return isRecording;
    });
  assertEquals([await traced(), await traced(), await traced(), await traced()], [true, true, false, false]);
  assertEquals(await tracing.flush(), true);
  assertEquals(await traced(), true);
  // Of the second one the first half found room.
  assertEquals(tracing.dropped, 3);
  await tracing.shutdown();
  assertEquals(store.spans.map(({ name }) => name), ["chat m", "outer", "chat m", "chat m", "outer"]);
});
