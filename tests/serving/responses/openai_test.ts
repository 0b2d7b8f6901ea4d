/** OpenAI's own client on a real socket. */
import OpenAI from "openai";
import { zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import type { PredictPart } from "../../../mod.ts";
import { Scripted } from "../_app.ts";
import { serve } from "./_served.ts";

const add = {
  type: "function" as const,
  name: "add",
  description: "Adds two numbers",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
    additionalProperties: false,
  },
  strict: true,
};

const scripted = new Scripted({
  async *think(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({ reasoning: "Hm" });
    yield { reasoning: " so" };
    yield "Hel";
    yield "lo";
    yield { usage: { prompt_tokens: 1, completion_tokens: 2 } };
  },
  async *refuse(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({ refusal: "No" });
    yield { refusal: "pe" };
  },
  async *calls(): AsyncGenerator<PredictPart> {
    yield await Promise.resolve({
      tool_calls: [
        { index: 0, id: "c1", type: "function", function: { name: "add", arguments: '{"a":1' } },
        { index: 1, id: "c2", type: "function", function: { name: "add", arguments: '{"a":2' } },
      ],
    });
    yield { tool_calls: [{ index: 0, function: { arguments: ',"b":2}' } }] };
    yield { tool_calls: [{ index: 1, function: { arguments: ',"b":3}' } }] };
  },
  async *fail(): AsyncGenerator<PredictPart> {
    yield "Hel";
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Error("no luck");
  },
});

Deno.test("responses.create() gives text, retrieve() gives it again, delete() forgets it", async () => {
  await using served = await serve({ demo: DemoChatModel });
  const { responses } = served.client;
  const response = await responses.create({ model: "demo", input: "Hello", instructions: "Be kind" });
  assert(response.output_text.endsWith("You said: Hello"));
  assertEquals([response.status, response.error, response.instructions], ["completed", null, "Be kind"]);
  const { _request_id, ...body } = response;
  const { _request_id: _, ...again } = await responses.retrieve(response.id);
  assertEquals(again, body);
  const items = await Array.fromAsync(responses.inputItems.list(response.id));
  assertEquals(items.map((item) => item.type === "message" && item.role), ["user"]);
  await responses.delete(response.id);
  const error = await assertRejects(() => responses.retrieve(response.id), OpenAI.NotFoundError);
  assertEquals(error.code, "response_not_found");
});

Deno.test("responses.inputItems.list() goes from page to page", async () => {
  await using served = await serve({ demo: DemoChatModel });
  const { responses } = served.client;
  const input = Array.from({ length: 7 }, (_, i) => ({ role: "user" as const, content: `${i}` }));
  const { id } = await responses.create({ model: "demo", input });
  const items = await Array.fromAsync(responses.inputItems.list(id, { limit: 3, order: "asc" }));
  assertEquals(
    items.map((item) => item.type === "message" && item.content[0]?.type === "input_text" && item.content[0].text),
    ["0", "1", "2", "3", "4", "5", "6"],
  );
});

Deno.test("responses.create() streams events", async () => {
  await using served = await serve({ demo: DemoChatModel });
  const stream = await served.client.responses.create({ model: "demo", input: "Hello", stream: true });
  let text = "";
  const types: string[] = [];
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.completed") {
      assertEquals(event.response.output[0]?.type === "message" && event.response.output[0].content[0], {
        type: "output_text",
        text,
        annotations: [],
        logprobs: [],
      });
    }
  }
  assertEquals([types[0], types.at(-1)], ["response.created", "response.completed"]);
});

Deno.test("responses.stream() puts text, thinking, refusals and calls together", async () => {
  await using served = await serve({ m: scripted });
  const run = async (input: string) => {
    const stream = served.client.responses.stream({ model: "m", input, tools: [add] });
    const seen: string[] = [];
    stream.on("response.output_text.delta", ({ snapshot }) => seen.push(snapshot));
    stream.on("response.function_call_arguments.delta", ({ snapshot }) => seen.push(snapshot));
    return { response: await stream.finalResponse(), seen };
  };
  const think = await run("think");
  assertEquals([think.seen, think.response.output_text], [["Hel", "Hello"], "Hello"]);
  const [reasoning] = think.response.output;
  assertEquals(reasoning?.type === "reasoning" && reasoning.content, [{ type: "reasoning_text", text: "Hm so" }]);
  const refuse = await run("refuse");
  const [message] = refuse.response.output;
  assert(message?.type === "message" && message.content[0]?.type === "refusal");
  assertEquals(message.content[0].refusal, "Nope");
  const calls = await run("calls");
  assertEquals(calls.seen, ['{"a":1', '{"a":2', '{"a":1,"b":2}', '{"a":2,"b":3}']);
  assertEquals(
    calls.response.output.map((item) => item.type === "function_call" && [item.call_id, item.parsed_arguments]),
    [["c1", { a: 1, b: 2 }], ["c2", { a: 2, b: 3 }]],
  );
});

Deno.test("responses.stream() takes thinking as a summary", async () => {
  await using served = await serve({ m: scripted });
  const stream = served.client.responses.stream({ model: "m", input: "think", reasoning: { summary: "auto" } });
  const deltas: string[] = [];
  stream.on("response.reasoning_summary_text.delta", ({ delta }) => deltas.push(delta));
  const { output } = await stream.finalResponse();
  assertEquals(deltas, ["Hm", " so"]);
  assertEquals(output[0]?.type === "reasoning" && output[0].summary, [{ type: "summary_text", text: "Hm so" }]);
});

Deno.test("responses.parse() reads structured output, streamed too, and a tool's arguments", async () => {
  await using served = await serve({ demo: DemoChatModel });
  const { responses } = served.client;
  const person = z.object({ name: z.string(), age: z.number() });
  const text = { format: zodTextFormat(person, "person") };
  const parsed = await responses.parse({ model: "demo", input: 'Take "Ada", age = 36', text });
  assert(parsed.output_parsed);
  assertEquals(person.parse(parsed.output_parsed), parsed.output_parsed);
  const streamed = await responses.stream({ model: "demo", input: 'Take "Ada", age = 36', text }).finalResponse();
  assertEquals(streamed.output_parsed, parsed.output_parsed);
  const tool = zodResponsesFunction({ name: "add", parameters: z.object({ a: z.number(), b: z.number() }) });
  const called = await responses.parse({ model: "demo", input: "add(1, 2)", tools: [tool], tool_choice: "required" });
  assertEquals(called.output[0]?.type === "function_call" && called.output[0].parsed_arguments, { a: 1, b: 2 });
});

Deno.test("a tool loop runs by previous_response_id, and by sending all items back", async () => {
  await using served = await serve({ demo: DemoChatModel });
  const { responses } = served.client;
  const ask = { model: "demo", tools: [add] };
  const question = { role: "user" as const, content: "What is add(1, 2)?" };
  const first = await responses.create({ ...ask, input: [question] });
  const calls = first.output.filter((item) => item.type === "function_call");
  const outputs = calls.map(({ call_id, arguments: text }) => {
    const { a, b } = JSON.parse(text);
    return { type: "function_call_output" as const, call_id, output: String(a + b) };
  });
  assertEquals(outputs.map(({ output }) => output), ["3"]);
  const byId = await responses.create({ ...ask, input: outputs, previous_response_id: first.id });
  const byItems = await responses.create({ ...ask, input: [question, ...calls, ...outputs], store: false });
  assert(byId.output_text.includes("3"), byId.output_text);
  assertEquals(byItems.output_text, byId.output_text);
  assertEquals(byId.previous_response_id, first.id);
});

Deno.test("the client's errors say what is wrong", async () => {
  await using served = await serve({ m: scripted });
  const { responses } = served.client;
  const bad = await assertRejects(
    () => responses.create({ model: "m", input: "Hello", tools: [{ type: "web_search" }] }),
    OpenAI.BadRequestError,
  );
  assertEquals([bad.param, bad.code], ["tools.0.type", "invalid_value"]);
  assert(bad.message.includes('"web_search"'));
  const gone = await assertRejects(
    () => responses.create({ model: "m", input: "Hello", previous_response_id: "resp_none" }),
    OpenAI.BadRequestError,
  );
  assertEquals(gone.code, "previous_response_not_found");
  await assertRejects(() => responses.create({ model: "none", input: "Hello" }), OpenAI.NotFoundError);
  const { id } = await responses.create({ model: "m", input: "think" });
  await assertRejects(() => responses.cancel(id), OpenAI.BadRequestError);
  const stream = await responses.create({ model: "m", input: "fail", stream: true });
  const late = await assertRejects(async () => await Array.fromAsync(stream), OpenAI.APIError);
  assert(late.message.includes("no luck"), late.message);
  assertEquals(late.code, "model_error");
  const helped = served.client.responses.stream({ model: "m", input: "fail" });
  await assertRejects(() => helped.finalResponse(), OpenAI.APIError, "no luck");
  assertEquals(served.errors.map(({ code }) => code), ["model_error", "model_error"]);
});

Deno.test("a client that aborts or leaves its loop stops the model", async () => {
  let stopped = Promise.withResolvers<void>();
  const endless = new Scripted({
    async *go() {
      try {
        for (;;) {
          yield "a";
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        stopped.resolve();
      }
    },
  });
  await using served = await serve({ m: endless });
  const ask = { model: "m", input: "go", stream: true } as const;
  const left = await served.client.responses.create(ask);
  for await (const { type } of left) if (type === "response.output_text.delta") break;
  await stopped.promise;
  stopped = Promise.withResolvers();
  const stream = await served.client.responses.create(ask);
  for await (const { type } of stream) if (type === "response.output_text.delta") stream.controller.abort();
  await stopped.promise;
  assertEquals(served.errors, []);
});
