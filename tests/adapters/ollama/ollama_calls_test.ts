import { assertEquals, assertRejects } from "@std/assert";
import { type ChatCompletionChunk, UpstreamError } from "../../../mod.ts";
import { json, ndjson, startFakeUpstream } from "../../support/fake_upstream.ts";
import { answer, bodies, DONE, load, MESSAGES, read, text, WEATHER } from "./_ollama_model.ts";

Deno.test("OllamaChatModel makes a demanded call of the constrained answer, and none of it leaks as text", async () => {
  const call = '{"name": "weather", "arguments": {"city": "Paris"}}';
  await using upstream = await startFakeUpstream((_, index) =>
    index === 0 ? ndjson([...[...call].map(text), DONE]) : json(answer(call))
  );
  const model = await load(upstream);
  const request = { messages: MESSAGES, tools: [WEATHER], tool_choice: "required" } as const;
  const chunks = await read(model.predictStream(request));
  assertEquals(chunks.flatMap(({ choices }) => choices[0]?.delta.content || []), []);
  const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assertEquals(pieces[0]?.function?.name, "weather");
  assertEquals(JSON.parse(pieces.map((piece) => piece.function?.arguments ?? "").join("")), { city: "Paris" });
  assertEquals(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []), ["tool_calls"]);

  const { choices: [choice] } = await model.predict(request);
  assertEquals([choice?.message.content, choice?.finish_reason], [null, "tool_calls"]);
  assertEquals(choice?.message.tool_calls?.length, 1);
  for (const body of bodies(upstream)) {
    assertEquals(body.format, {
      type: "object",
      properties: {
        name: { type: "string", enum: ["weather"] },
        arguments: { type: "object", properties: { city: { type: "string" } } },
      },
      required: ["name", "arguments"],
      additionalProperties: false,
    });
  }
});

Deno.test("OllamaChatModel answers functions in the deprecated form", async () => {
  const call = { function: { name: "weather", arguments: { city: "Oslo" } } };
  await using upstream = await startFakeUpstream([
    json(answer("", { message: { role: "assistant", content: "", tool_calls: [call, call] } })),
  ]);
  const model = await load(upstream);
  const { choices: [choice], custom_outputs } = await model.predict({
    messages: MESSAGES,
    functions: [WEATHER.function],
  });
  assertEquals(choice?.message.function_call, { name: "weather", arguments: '{"city":"Oslo"}' });
  assertEquals(choice?.finish_reason, "function_call");
  assertEquals(custom_outputs, { ollama: { dropped_tool_calls: 1 } });
});

Deno.test("OllamaChatModel keeps the first call where only one is wanted", async () => {
  const call = (city: string) => ({
    message: { role: "assistant", content: "", tool_calls: [{ function: { name: "weather", arguments: { city } } }] },
    done: false,
  });
  await using upstream = await startFakeUpstream([ndjson([call("Oslo"), call("Rome"), DONE])]);
  const model = await load(upstream);
  const chunks = await read(
    model.predictStream({ messages: MESSAGES, tools: [WEATHER], parallel_tool_calls: false }),
  );
  const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  assertEquals(pieces.map((piece) => piece.function?.arguments ?? "").join(""), '{"city":"Oslo"}');
});

const FORMAT = {
  type: "json_schema",
  json_schema: {
    name: "weather",
    schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
} as const;

Deno.test("OllamaChatModel fails instead of ending an answer that breaks its schema", async () => {
  await using upstream = await startFakeUpstream((_, index) =>
    index === 0 ? json(answer('{"city": 5}')) : ndjson([text('{"city"'), text(": 5}"), DONE])
  );
  const model = await load(upstream);
  const request = { messages: MESSAGES, response_format: FORMAT };
  const error = await assertRejects(() => model.predict(request), UpstreamError, '"city" is wrong by "type"');
  assertEquals([error.status, error.code], [502, "invalid_structured_output"]);

  const chunks: ChatCompletionChunk[] = [];
  const streamed = await assertRejects(async () => {
    for await (const chunk of model.predictStream(request)) chunks.push(chunk);
  }, UpstreamError);
  assertEquals(streamed.code, "invalid_structured_output");
  assertEquals(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), '{"city": 5}');
  assertEquals(chunks.filter(({ choices }) => choices[0]?.finish_reason), []);
});

Deno.test("OllamaChatModel lets an answer through that follows its schema, or that was cut off", async () => {
  await using upstream = await startFakeUpstream([
    json(answer('{"city": "Paris"}')),
    json(answer('{"city": "Pa', { done_reason: "length", eval_count: 4 })),
  ]);
  const model = await load(upstream);
  const request = { messages: MESSAGES, response_format: FORMAT, max_tokens: 4 };
  assertEquals((await model.predict(request)).choices[0]?.finish_reason, "stop");
  const cut = await model.predict(request);
  assertEquals([cut.choices[0]?.finish_reason, cut.choices[0]?.message.content], ["length", '{"city": "Pa']);
});
