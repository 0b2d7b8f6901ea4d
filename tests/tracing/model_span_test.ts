import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ChatModel,
  ChatModelError,
  CustomModel,
  loadChatModel,
  loadCustomModel,
  type ModelContext,
} from "../../mod.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { withSpan } from "../../tracing/mod.ts";
import { attributesOf, spansOf, treeOf } from "./_spans.ts";

const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }] as const;
const request = {
  messages: [{ role: "user", content: "Hi" }],
  temperature: 0.5,
  top_p: 0.9,
  top_k: 3,
  seed: 7,
  max_tokens: 20,
  stop: "END",
  presence_penalty: 0.1,
  frequency_penalty: 0.2,
  user: "u1",
  metadata: { session_id: "s1" },
  tools,
} as const;

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

class Whole extends ChatModel {
  override predict() {
    return { content: "Hello", usage };
  }
}

class Words extends ChatModel {
  override async *predictStream() {
    yield "Hello";
    await Promise.resolve();
    yield " world";
    yield { usage };
  }
}

class Failing extends ChatModel {
  override async *predictStream() {
    yield "Hello";
    await Promise.resolve();
    throw new ChatModelError("Cannot go on: no more", { code: "no_more" });
  }
}

class Waiting extends ChatModel {
  override async *predictStream({ signal }: ModelContext) {
    yield "Hello, ";
    yield "you there";
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }
}

/** A tool loop: asks a model, runs a tool, answers. */
class Agent extends ChatModel {
  override readonly spanType = "AGENT";
  override async *predictStream({ span }: ModelContext) {
    span.setAttribute("agent.plan", ["search"]);
    span.addEvent("planned", { steps: 1 });
    const inner = await loadChatModel(Whole, { name: "inner" });
    await inner.predict({ messages: [{ role: "user", content: "Which tool?" }] });
    const found = await withSpan("search", { type: "TOOL", inputs: { q: "bears" } }, async (tool) => {
      tool.setAttribute("hits", 2);
      await withSpan("fetch page", { type: "RETRIEVER" }, () => Promise.resolve(["page"]));
      return ["a", "b"];
    });
    yield `Found ${found.length}`;
  }
}

async function predicted(source: new () => ChatModel, options: object = {}) {
  const model = await loadChatModel(source, { name: "m" });
  return await model.predict(request, { requestId: "r1", ...options });
}

async function streamed(source: new () => ChatModel, leaveAfter = Infinity) {
  const model = await loadChatModel(source, { name: "m" });
  let count = 0;
  for await (const _ of model.predictStream(request, { requestId: "r1" })) if (++count >= leaveAfter) break;
}

const START = {
  "chatmodel.request_id": "r1",
  "gen_ai.conversation.id": "s1",
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "chatmodel",
  "gen_ai.request.frequency_penalty": 0.2,
  "gen_ai.request.max_tokens": 20,
  "gen_ai.request.model": "m",
  "gen_ai.request.presence_penalty": 0.1,
  "gen_ai.request.seed": 7,
  "gen_ai.request.stop_sequences": ["END"],
  "gen_ai.request.temperature": 0.5,
  "gen_ai.request.top_k": 3,
  "gen_ai.request.top_p": 0.9,
  "mlflow.llm.model": "m",
  "mlflow.llm.provider": "chatmodel",
  "mlflow.message.format": "openai",
  "mlflow.spanLogLevel": 20,
  "mlflow.spanType": "CHAT_MODEL",
  "session.id": "s1",
  "user.id": "u1",
};

const { metadata: _, ...rest } = request;
const CONTENT = {
  "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Hi" }] }]),
  "gen_ai.tool.definitions": JSON.stringify([{ type: "function", ...tools[0].function }]),
  "mlflow.chat.tools": JSON.stringify(tools),
};

const USAGE = {
  "gen_ai.usage.input_tokens": 3,
  "gen_ai.usage.output_tokens": 4,
  "mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}',
};

/** Attributes without those that differ from call to call, which are returned apart. */
function apart(attributes: Record<string, unknown>) {
  const {
    "gen_ai.response.id": id,
    "gen_ai.response.time_to_first_chunk": firstChunk,
    "mlflow.spanInputs": inputs,
    "mlflow.spanOutputs": outputs,
    "gen_ai.output.messages": outputMessages,
    ...others
  } = attributes;
  const parse = (text: unknown) => text === undefined ? undefined : JSON.parse(String(text));
  return { id, firstChunk, others, inputs: parse(inputs), outputs: parse(outputs), said: parse(outputMessages) };
}

Deno.test("instrument() makes a span with all attributes of an answer in one piece", async () => {
  const spans = await spansOf(() => predicted(Whole));
  assertEquals(treeOf(spans), ["chat m [CHAT_MODEL] OK"]);
  const { id, firstChunk, others, inputs, outputs, said } = apart(attributesOf(spans, "chat m"));
  assertEquals(others, {
    ...START,
    ...CONTENT,
    ...USAGE,
    "chatmodel.outcome": "completed",
    "chatmodel.stream": false,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.model": "m",
    "mlflow.spanFunctionName": "predict",
  });
  assert(typeof id === "string" && id.startsWith("chatcmpl-"));
  assertEquals(firstChunk, undefined);
  assertEquals(inputs, { ...rest, metadata: request.metadata });
  assertEquals(outputs.id, id);
  assertEquals(outputs.choices[0].message.content, "Hello");
  assertEquals(said, [{ role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }]);
});

Deno.test("instrument() makes a span with all attributes of a stream, as of the same in one piece", async () => {
  const spans = await spansOf(() => streamed(Words));
  assertEquals(treeOf(spans), ["chat m [CHAT_MODEL] OK"]);
  const { firstChunk, others, outputs } = apart(attributesOf(spans, "chat m"));
  assertEquals(others, {
    ...START,
    ...CONTENT,
    ...USAGE,
    "chatmodel.chunks": 5,
    "chatmodel.outcome": "completed",
    "chatmodel.stream": true,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.response.model": "m",
    "mlflow.spanFunctionName": "predictStream",
  });
  assert(typeof firstChunk === "number" && firstChunk > 0 && firstChunk < 60);
  assertEquals(outputs.choices[0].message.content, "Hello world");
  assertEquals(outputs.usage, usage);
});

Deno.test("instrument() writes down what came of a stream whose reader left, with a marked guess of its tokens", async () => {
  const spans = await spansOf(() => streamed(Waiting, 3));
  assertEquals(treeOf(spans), ["chat m [CHAT_MODEL] UNSET"]);
  const { others, outputs } = apart(attributesOf(spans, "chat m"));
  assertEquals(others, {
    ...START,
    ...CONTENT,
    "chatmodel.chunks": 3,
    "chatmodel.outcome": "cancelled",
    "chatmodel.stream": true,
    "chatmodel.usage.estimated": true,
    "error.type": "cancelled",
    "gen_ai.response.model": "m",
    "gen_ai.usage.input_tokens": 1,
    "gen_ai.usage.output_tokens": 4,
    "mlflow.chat.tokenUsage": '{"input_tokens": 1, "output_tokens": 4, "total_tokens": 5}',
    "mlflow.spanFunctionName": "predictStream",
  });
  assertEquals(outputs.choices[0].message.content, "Hello, you there");
  assertEquals(outputs.choices[0].finish_reason, null);
});

Deno.test("instrument() writes down why a call failed", async () => {
  for (const call of [() => streamed(Failing), () => predicted(Failing)]) {
    const spans = await spansOf(() => assertRejects(call, ChatModelError, "no more"));
    assertEquals(treeOf(spans), ["chat m [CHAT_MODEL] ERROR"]);
    const [span] = spans;
    assertEquals(span?.status.message, "Cannot go on: no more");
    assertEquals(span?.attributes["error.type"], "no_more");
    assertEquals(span?.attributes["chatmodel.outcome"], "failed");
    assertEquals(span?.events.map(({ name }) => name), ["exception"]);
    assertEquals(span?.events[0]?.attributes?.["exception.message"], "Cannot go on: no more");
    assertEquals(span?.attributes["chatmodel.usage.estimated"], true);
  }
});

Deno.test("instrument() counts a call that its caller's signal ended as cancelled, by a time limit as failed", async () => {
  const controller = new AbortController();
  const spans = await spansOf(async () => {
    const call = predicted(Waiting, { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await assertRejects(() => call, DOMException);
    await assertRejects(() => predicted(Waiting, { timeout: 1 }), ChatModelError);
  });
  assertEquals(spans.map(({ attributes }) => attributes["chatmodel.outcome"]), ["cancelled", "failed"]);
  assertEquals(spans.map(({ attributes }) => attributes["error.type"]), ["cancelled", "timeout"]);
});

Deno.test("instrument() puts a tool loop's steps below the agent that takes them", async () => {
  for (const call of [() => streamed(Agent), () => predicted(Agent)]) {
    const spans = await spansOf(call);
    assertEquals(treeOf(spans), [
      "invoke_agent m [AGENT] OK",
      "  chat inner [CHAT_MODEL] OK",
      "  search [TOOL] OK",
      "    fetch page [RETRIEVER] OK",
    ]);
    const agent = attributesOf(spans, "invoke_agent m");
    assertEquals(agent["gen_ai.operation.name"], "invoke_agent");
    assertEquals(agent["gen_ai.agent.name"], "m");
    assertEquals(agent["agent.plan"], '["search"]');
    assertEquals(spans.find(({ name }) => name.startsWith("invoke"))?.events.map(({ name }) => name), ["planned"]);
    assertEquals(attributesOf(spans, "search"), {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.call.arguments": '{"q":"bears"}',
      "gen_ai.tool.call.result": '["a","b"]',
      "gen_ai.tool.name": "search",
      "hits": 2,
      "mlflow.spanInputs": '{"q":"bears"}',
      "mlflow.spanLogLevel": 20,
      "mlflow.spanOutputs": '["a","b"]',
      "mlflow.spanType": "TOOL",
    });
  }
});

Deno.test("instrument() makes spans of vectors and of custom models", async () => {
  class Twice extends CustomModel {
    override predict(_context: ModelContext, input: unknown) {
      return [input, input];
    }
  }
  const spans = await spansOf(async () => {
    const demo = await loadChatModel(DemoChatModel, { name: "vectors" });
    await demo.embed({ input: ["A text"], dimensions: 8, user: "u2" }, { requestId: "r1" });
    const twice = await loadCustomModel(Twice, { name: "twice" });
    await twice.predict("x", {}, { requestId: "r2" });
  });
  assertEquals(treeOf(spans), ["embeddings vectors [EMBEDDING] OK", "predict twice [UNKNOWN] OK"]);
  const { "gen_ai.usage.input_tokens": tokens, "mlflow.chat.tokenUsage": __, ...others } = attributesOf(
    spans,
    "embeddings vectors",
  );
  assert(typeof tokens === "number" && tokens > 0);
  assertEquals(others, {
    "chatmodel.outcome": "completed",
    "chatmodel.request_id": "r1",
    "gen_ai.embeddings.dimension.count": 8,
    "gen_ai.operation.name": "embeddings",
    "gen_ai.provider.name": "chatmodel",
    "gen_ai.request.model": "vectors",
    "gen_ai.response.model": "vectors",
    "gen_ai.usage.output_tokens": 0,
    "mlflow.llm.model": "vectors",
    "mlflow.llm.provider": "chatmodel",
    "mlflow.spanFunctionName": "embed",
    "mlflow.spanInputs": '{"input":["A text"],"dimensions":8,"user":"u2"}',
    "mlflow.spanLogLevel": 20,
    "mlflow.spanOutputs": '{"vectors":1,"dimensions":8}',
    "mlflow.spanType": "EMBEDDING",
    "user.id": "u2",
  });
  assertEquals(attributesOf(spans, "predict twice"), {
    "chatmodel.outcome": "completed",
    "chatmodel.request_id": "r2",
    "gen_ai.provider.name": "chatmodel",
    "gen_ai.request.model": "twice",
    "mlflow.llm.model": "twice",
    "mlflow.llm.provider": "chatmodel",
    "mlflow.spanFunctionName": "predict",
    "mlflow.spanInputs": '{"input":"x","params":{}}',
    "mlflow.spanLogLevel": 10,
    "mlflow.spanOutputs": '["x","x"]',
    "mlflow.spanType": "UNKNOWN",
  });
});

Deno.test("instrument() writes nothing of what was said unless told to", async () => {
  const spans = await spansOf(async () => {
    await predicted(Whole);
    await streamed(Words);
    await streamed(Agent);
  }, {});
  assertEquals(spans.length, 6);
  // Without ids, which are random: two letters are in some of them.
  const text = JSON.stringify(spans.map(({ attributes, events }) => ({ attributes, events })))
    .replaceAll(/(?:chatcmpl-|req_)[\w-]+/g, "");
  for (const said of ["Hi", "Hello", "weather", "bears", "page"]) assert(!text.includes(said), said);
});

Deno.test("instrument() makes the span part of the caller's trace", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const spans = await spansOf(async () => {
    for (
      const bad of [
        "",
        "x",
        `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
        `${traceparent}-x`,
        `ff${traceparent.slice(2)}`,
      ]
    ) {
      await predicted(Whole, { requestContext: { traceparent: bad } });
    }
    await predicted(Whole, { requestContext: { traceparent, tracestate: "a=b", session: "s2", user: "u2" } });
  });
  const [own, , , , , joined] = spans;
  assertEquals(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId), [
    ...Array.from({ length: 5 }, () => undefined),
    "b7ad6b7169203331",
  ]);
  assert(own?.spanContext().traceId !== traceId);
  assertEquals(joined?.spanContext().traceId, traceId);
  assertEquals(joined?.spanContext().traceState?.serialize(), "a=b");
  assertEquals(joined?.attributes["session.id"], "s2");
  assertEquals(joined?.attributes["user.id"], "u2");
});

Deno.test("context.span does nothing where no one traces", async () => {
  let seen: unknown;
  class Noting extends ChatModel {
    override predict({ span }: ModelContext) {
      span.setAttribute("a", 1);
      span.addEvent("b");
      seen = { ...span, traceId: span.traceId, isRecording: span.isRecording };
      return withSpan("step", {}, (step) => `${step.isRecording}`);
    }
  }
  const model = await loadChatModel(Noting);
  const response = await model.predict(request);
  assertEquals(response.choices[0]?.message.content, "false");
  assert(typeof seen === "object" && seen !== null && "isRecording" in seen && !seen.isRecording);
});
