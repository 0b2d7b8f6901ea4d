/** Tools as OpenAI's own client calls them, of the demo model and of recorded Ollamas. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { BACKENDS, chatBodies, member, OLLAMA_MODEL, serveModels, serveOllama } from "./_served.ts";
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import { VERSIONS } from "../support/replay.ts";

const TOOLS = [
  {
    type: "function" as const,
    function: {
      name: "get_weather",
      description: "Current weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
  {
    type: "function" as const,
    function: {
      name: "get_time",
      description: "Current time",
      parameters: { type: "object", properties: { tz: { type: "string" } }, required: ["tz"] },
    },
  },
];
const ASK_WEATHER = [{ role: "user" as const, content: 'Use get_weather for "Paris"' }];
const ASK_BOTH = [{
  role: "user" as const,
  content: 'Use get_weather with city = "Zürich" and get_time with tz = "Europe/Zurich"',
}];

for (const { name, model, serve } of BACKENDS) {
  Deno.test(`openai create() gives a tool call of ${name}`, async () => {
    await using served = await serve(["tools_one"]);
    const answer = await served.client.chat.completions.create({ model, messages: ASK_WEATHER, tools: TOOLS });
    const [choice] = answer.choices;
    assertEquals([choice?.finish_reason, choice?.message.content], ["tool_calls", null]);
    const calls = choice?.message.tool_calls ?? [];
    assertEquals(calls.length, 1);
    const [call] = calls;
    assert(call?.type === "function");
    assertMatch(call.id, /^call_[\w-]+$/);
    assertEquals(call.function.name, "get_weather");
    assertEquals(member(Object(JSON.parse(call.function.arguments)), "city"), "Paris");
  });

  Deno.test(`openai stream() puts two tool calls of ${name} together`, async () => {
    await using served = await serve(["tools_two_stream"]);
    const done: string[] = [];
    const stream = served.client.chat.completions.stream({ model, messages: ASK_BOTH, tools: TOOLS })
      .on("tool_calls.function.arguments.done", ({ index, name }) => done.push(`${index} ${name}`));
    const { choices: [choice] } = await stream.finalChatCompletion();
    assertEquals(choice?.finish_reason, "tool_calls");
    const calls = choice?.message.tool_calls ?? [];
    assertEquals(new Set(calls.map(({ id }) => id)).size, 2);
    const [weather, time] = calls.map((call) => {
      assert(call.type === "function");
      const input: unknown = JSON.parse(call.function.arguments);
      return { name: call.function.name, input: Object(input) };
    });
    assertEquals([weather?.name, member(weather?.input, "city")], ["get_weather", "Zürich"]);
    assertEquals([time?.name, time?.input], ["get_time", { tz: "Europe/Zurich" }]);
    assertEquals(done, ["0 get_weather", "1 get_time"]);
  });

  for (const stream of [false, true]) {
    const way = stream ? "streamed" : "not streamed";
    Deno.test(`openai runTools() comes to an answer of ${name} when it is ${way}`, async () => {
      await using served = await serve(
        stream ? ["tools_one_stream", "tools_result_stream"] : ["tools_one", "tools_result"],
      );
      const asked: string[] = [];
      const tools = [{
        type: "function" as const,
        function: {
          name: "get_weather",
          description: "Current weather",
          parameters: {
            type: "object" as const,
            properties: { city: { type: "string" as const } },
            required: ["city"],
          },
          parse: (input: string): { city?: unknown } => Object(JSON.parse(input)),
          function({ city }: { city?: unknown }) {
            asked.push(String(city));
            return { temp: 21 };
          },
        },
      }];
      const { completions } = served.client.chat;
      const runner = stream
        ? completions.runTools({ model, messages: ASK_WEATHER, tools, stream: true })
        : completions.runTools({ model, messages: ASK_WEATHER, tools });
      const content = await runner.finalContent();
      assertEquals(asked, ["Paris"]);
      assertMatch(content ?? "", /21/);
      assertEquals(runner.messages.map(({ role }) => role), ["user", "assistant", "tool", "assistant"]);
      assertEquals(served.requestHeaders.length, 2);
    });
  }
}

for (const version of VERSIONS) {
  Deno.test(`openai runTools() hands the tool's result to Ollama ${version} under the tool's name`, async () => {
    await using served = await serveOllama(version, ["tools_one", "tools_result"]);
    const runner = served.client.chat.completions.runTools({
      model: OLLAMA_MODEL,
      messages: ASK_WEATHER,
      tools: [{
        type: "function",
        function: {
          name: "get_weather",
          description: "Current weather",
          parameters: { type: "object", properties: { city: { type: "string" } } },
          function: (_input: string) => "21 degrees",
        },
      }],
    });
    assertEquals(await runner.finalContent(), "It is 21 degrees and sunny in Paris.");
    const bodies = chatBodies(served);
    assertEquals(bodies.length, 2);
    const messages: unknown = member(Object(bodies[1]), "messages");
    assert(Array.isArray(messages));
    const [user, assistant, tool]: unknown[] = messages;
    assertEquals(messages.length, 3);
    assertEquals(user, ASK_WEATHER[0]);
    const calls = member(Object(assistant), "tool_calls");
    assert(Array.isArray(calls));
    const [call]: unknown[] = calls;
    assertEquals(member(Object(call), "function"), {
      name: "get_weather",
      arguments: { city: "Paris", unit: "celsius" },
    });
    assertEquals(tool, {
      role: "tool",
      content: "21 degrees",
      tool_name: "get_weather",
      tool_call_id: member(Object(call), "id"),
    });
  });
}

Deno.test("openai create() has the demo model honour tool_choice and parallel_tool_calls", async () => {
  await using served = await serveModels({ demo: DemoChatModel });
  const { completions } = served.client.chat;
  const request = { model: "demo", messages: [{ role: "user" as const, content: "Go" }], tools: TOOLS };
  const namesOf = ({ choices: [choice] }: Awaited<ReturnType<typeof create>>) =>
    choice?.message.tool_calls?.map((call) => call.type === "function" ? call.function.name : call.custom.name);
  const create = (options: Partial<Parameters<typeof completions.create>[0]>) =>
    completions.create({ ...request, ...options, stream: false });
  assertEquals(namesOf(await create({ tool_choice: "none" })), undefined);
  assertEquals(namesOf(await create({ tool_choice: "required" })), ["get_weather", "get_time"]);
  assertEquals(namesOf(await create({ parallel_tool_calls: false })), ["get_weather"]);
  const named = { type: "function" as const, function: { name: "get_time" } };
  assertEquals(namesOf(await create({ tool_choice: named })), ["get_time"]);
});

Deno.test("openai runTools() answers with several tools' results when the demo model calls all of them", async () => {
  await using served = await serveModels({ demo: DemoChatModel });
  const sums: number[] = [];
  const number = { type: "number" as const };
  const runner = served.client.chat.completions.runTools({
    model: "demo",
    messages: [{ role: "user", content: "What are add(1, 2) and multiply(3, 4)?" }],
    stream: true,
    tools: [
      {
        type: "function",
        function: {
          name: "add",
          description: "Adds",
          parameters: { type: "object", properties: { a: number, b: number }, required: ["a", "b"] },
          parse: (input: string): { a?: unknown; b?: unknown } => Object(JSON.parse(input)),
          function({ a, b }: { a?: unknown; b?: unknown }) {
            sums.push(Number(a) + Number(b));
            return `${Number(a) + Number(b)}`;
          },
        },
      },
      {
        type: "function",
        function: {
          name: "multiply",
          description: "Multiplies",
          parameters: { type: "object", properties: { a: number, b: number }, required: ["a", "b"] },
          parse: (input: string): { a?: unknown; b?: unknown } => Object(JSON.parse(input)),
          function({ a, b }: { a?: unknown; b?: unknown }) {
            sums.push(Number(a) * Number(b));
            return `${Number(a) * Number(b)}`;
          },
        },
      },
    ],
  });
  const content = await runner.finalContent();
  assertEquals(sums, [3, 12]);
  assertMatch(content ?? "", /\b3\b[^]*\b12\b/);
});
