/** Traces on a genuine MLflow server: each kind of call is written, and read back by the server's REST API. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatModel, loadChatModel, type ModelContext } from "../mod.ts";
import { OllamaChatModel } from "../adapters/ollama/mod.ts";
import { enableTracing, type TracingOptions, withSpan } from "../tracing/mod.ts";

const uri = Deno.env.get("MLFLOW_TRACKING_URI") ?? "";
const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }] as const;
const request = {
  messages: [{ role: "user", content: "Wie geht es? Grüße" }],
  temperature: 0.5,
  tools,
  user: "u1",
  metadata: { "mlflow.trace.session": "s1" },
} as const;

interface StoredSpan {
  readonly name: string;
  readonly parent_span_id?: string;
  readonly status: { readonly code?: string };
  readonly attributes: readonly { readonly key: string; readonly value?: AnyValue }[];
}

interface AnyValue {
  readonly string_value?: string;
  readonly int_value?: number;
  readonly double_value?: number;
  readonly bool_value?: boolean;
  readonly array_value?: { readonly values?: readonly AnyValue[] };
  readonly kvlist_value?: { readonly values?: StoredSpan["attributes"] };
}

interface Stored {
  readonly info: {
    readonly trace_id: string;
    readonly state: string;
    readonly request_preview: string;
    readonly response_preview?: string;
    readonly trace_metadata: { readonly [key: string]: string };
    readonly tags: { readonly [key: string]: string };
  };
  readonly spans: readonly StoredSpan[];
}

/** A value as JSON; the server leaves out what is null. */
function plain(value: AnyValue = {}): unknown {
  if (value.array_value) return (value.array_value.values ?? []).map(plain);
  if (value.kvlist_value) return plainAttributes(value.kvlist_value.values ?? []);
  return value.string_value ?? value.int_value ?? value.double_value ?? value.bool_value ?? null;
}

function plainAttributes(attributes: StoredSpan["attributes"]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

async function ask<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${uri}${path}`, {
    ...(body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

/** Runs something with tracing on; gives the one trace that the server has of it. */
async function traceOf(body: () => Promise<unknown>, options: TracingOptions = {}): Promise<Stored> {
  const experiment = `traces-${crypto.randomUUID()}`;
  {
    await using tracing = await enableTracing({ store: uri, experiment, tags: { env: "test" }, ...options });
    await body();
    assertEquals(await tracing.flush(60_000), true);
    assertEquals(tracing.dropped, 0);
  }
  const query = `experiment_name=${encodeURIComponent(experiment)}`;
  const { experiment: { experiment_id: experimentId } } = await ask<{ experiment: { experiment_id: string } }>(
    `/api/2.0/mlflow/experiments/get-by-name?${query}`,
  );
  const { traces: [info, ...others] } = await ask<{ traces: Stored["info"][] }>("/api/3.0/mlflow/traces/search", {
    locations: [{ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: experimentId } }],
  });
  assert(info !== undefined);
  assertEquals(others, []);
  const { trace: { spans } } = await ask<{ trace: { spans: readonly StoredSpan[] } }>(
    `/api/3.0/mlflow/traces/get?trace_id=${info.trace_id}`,
  );
  return { info, spans };
}

/** MLflow 3.12 keeps session and user with the quotation marks that JSON puts around them. */
function unquoted(text: string | undefined): string | undefined {
  return text?.replace(/^"(.*)"$/, "$1");
}

/** Attributes of the span of a name. */
function attributesOf({ spans }: Stored, name: string): Record<string, unknown> {
  const span = spans.find((span) => span.name === name);
  assert(span !== undefined, spans.map(({ name }) => name).join());
  return plainAttributes(span.attributes);
}

class Whole extends ChatModel {
  override predict() {
    return { content: "Gut", usage };
  }
}

class Words extends ChatModel {
  override async *predictStream() {
    yield "Gut";
    await Promise.resolve();
    yield { content: "!", usage };
  }
}

class Agent extends ChatModel {
  override readonly spanType = "AGENT";
  override async *predictStream() {
    const inner = await loadChatModel(Whole, { name: "inner" });
    await inner.predict({ messages: [{ role: "user", content: "Which tool?" }] });
    const found = await withSpan("search", { type: "TOOL", inputs: { q: "bears" } }, () => Promise.resolve(["a", "b"]));
    yield `Found ${found.length}`;
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

for (const [source, stream] of [[Whole, false], [Words, true]] as const) {
  Deno.test(`a call ${stream ? "with" : "without"} a stream is on the server with all that was said and counted`, async () => {
    const stored = await traceOf(async () => {
      const model = await loadChatModel(source, { name: "m" });
      if (!stream) await model.predict(request);
      else for await (const _ of model.predictStream(request));
    });
    const { info } = stored;
    assertEquals(info.state, "OK");
    assertEquals(info.request_preview, "Wie geht es? Grüße");
    assertEquals(info.response_preview, stream ? "Gut!" : "Gut");
    assertEquals(unquoted(info.trace_metadata["mlflow.trace.session"]), "s1");
    assertEquals(unquoted(info.trace_metadata["mlflow.trace.user"]), "u1");
    assertEquals(JSON.parse(info.trace_metadata["mlflow.trace.tokenUsage"] ?? ""), {
      input_tokens: 3,
      output_tokens: 4,
      total_tokens: 7,
    });
    // MLflow 3.12 makes no tags of what comes by OTLP.
    const version = await (await fetch(`${uri}/version`)).text();
    assertEquals(info.tags["env"], version.startsWith("3.12.") ? undefined : "test");
    assertEquals(stored.spans.length, 1);
    const attributes = attributesOf(stored, "chat m");
    assertEquals(attributes["mlflow.spanType"], "CHAT_MODEL");
    assertEquals(attributes["mlflow.traceRequestId"], info.trace_id);
    assertEquals(attributes["mlflow.spanInputs"], JSON.parse(JSON.stringify(request)));
    assertEquals(attributes["mlflow.chat.tools"], JSON.parse(JSON.stringify(tools)));
    const text = JSON.stringify(attributes["mlflow.spanOutputs"]);
    assert(text.includes(stream ? '"Gut!"' : '"Gut"'), text);
  });
}

Deno.test("a cancelled call is on the server with what had come", async () => {
  const stored = await traceOf(async () => {
    const model = await loadChatModel(Waiting, { name: "m" });
    for await (const { choices: [choice] } of model.predictStream(request)) if (choice?.delta.content) break;
  });
  assertEquals(stored.info.response_preview, "Hello there");
  const attributes = attributesOf(stored, "chat m");
  assertEquals(attributes["chatmodel.outcome"], "cancelled");
  assertEquals(attributes["chatmodel.usage.estimated"], true);
  assert(stored.info.state !== "IN_PROGRESS", stored.info.state);
});

Deno.test("a failed call is on the server as an error", async () => {
  const stored = await traceOf(async () => {
    const model = await loadChatModel(Failing, { name: "m" });
    await assertRejects(() => model.predict(request), Error, "no more");
  });
  assertEquals(stored.info.state, "ERROR");
  assertEquals(stored.spans[0]?.status.code, "STATUS_CODE_ERROR");
});

Deno.test("a tool loop is a tree on the server, and its tokens are counted once", async () => {
  const stored = await traceOf(async () => {
    const model = await loadChatModel(Agent, { name: "m" });
    for await (const _ of model.predictStream(request));
  });
  assertEquals(stored.spans.map(({ name }) => name).sort(), ["chat inner", "invoke_agent m", "search"]);
  assertEquals(stored.spans.filter(({ parent_span_id: parent }) => !parent).map(({ name }) => name), [
    "invoke_agent m",
  ]);
  assertEquals(attributesOf(stored, "invoke_agent m")["mlflow.spanType"], "AGENT");
  const tool = attributesOf(stored, "search");
  assertEquals(tool["mlflow.spanType"], "TOOL");
  assertEquals(tool["mlflow.spanInputs"], { q: "bears" });
  assertEquals(tool["mlflow.spanOutputs"], ["a", "b"]);
  assertEquals(JSON.parse(stored.info.trace_metadata["mlflow.trace.tokenUsage"] ?? "").total_tokens, 7);
});

Deno.test("the call of Ollama is below the model's, and a caller's trace goes on", async () => {
  const traceId = crypto.randomUUID().replaceAll("-", "");
  const stored = await traceOf(async () => {
    const model = await loadChatModel(new OllamaChatModel({ model: "llama3.2:1b" }), { name: "m" });
    const requestContext = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, session: "s2" };
    for await (const _ of model.predictStream({ messages: request.messages, max_tokens: 5 }, { requestContext }));
  });
  assertEquals(stored.info.trace_id, `tr-${traceId}`);
  assertEquals(stored.info.state, "OK");
  assertEquals(unquoted(stored.info.trace_metadata["mlflow.trace.session"]), "s2");
  assertEquals(stored.spans.map(({ name }) => name).sort(), ["POST /api/chat", "chat m"]);
  assertEquals(attributesOf(stored, "chat m")["mlflow.llm.provider"], "ollama");
});

Deno.test("what is redacted is not on the server", async () => {
  const stored = await traceOf(async () => {
    const model = await loadChatModel(Whole, { name: "m" });
    await model.predict(request);
  }, {
    redact: (span) => {
      span.attributes["mlflow.spanInputs"] = "[redacted]";
    },
  });
  assertEquals(attributesOf(stored, "chat m")["mlflow.spanInputs"], "[redacted]");
  assert(!JSON.stringify(stored).includes("Grüße"));
});
