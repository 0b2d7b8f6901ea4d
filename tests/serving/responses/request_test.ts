import { assert, assertEquals } from "@std/assert";
import { ChatModel, type PredictResult } from "../../../mod.ts";
import { assertError, Parrot, post, testApp } from "../_app.ts";
import { respond } from "./_kit.ts";

/** Calls a tool twice, whatever it is asked. */
class Calling extends ChatModel {
  override predict(): PredictResult {
    return { content: null, tool_calls: ["c1", "c2"].map((id) => ({ id, function: { name: "f", arguments: "{}" } })) };
  }
}

/** The messages that the model got. */
async function messages(body: Record<string, unknown>) {
  const answer = await respond(testApp({ parrot: new Parrot() }), body);
  assertEquals(answer.status, 200, answer.text);
  return answer.json.custom_outputs.messages;
}

/** What a refusal says. */
async function refusal(
  body: Record<string, unknown>,
): Promise<{ message: string; param: string | null; code: string }> {
  const answer = await respond(testApp(), body);
  assertEquals(answer.status, 400, answer.text);
  return answer.json.error;
}

Deno.test("POST /v1/responses makes one system message of the instructions, before all others", async () => {
  assertEquals(await messages({ instructions: "Be kind", input: "Hello" }), [
    { role: "system", content: "Be kind" },
    { role: "user", content: "Hello" },
  ]);
});

Deno.test("POST /v1/responses makes messages of message items, with or without their type", async () => {
  const image = "data:image/png;base64,AA==";
  const file = { file_data: "data:text/plain;base64,AA==", filename: "a.txt" };
  const input_audio = { data: "AA==", format: "wav" };
  assertEquals(
    await messages({
      input: [
        { role: "system", content: "A" },
        { type: "message", role: "developer", content: [{ type: "input_text", text: "B" }] },
        { role: "user", content: [{ type: "input_text", text: "C" }] },
        {
          type: "message",
          id: "msg_1",
          status: "completed",
          role: "assistant",
          content: [
            { type: "output_text", text: "D", annotations: [], logprobs: [] },
          ],
        },
        { role: "assistant", content: "E", phase: null },
        { role: "assistant", content: [{ type: "refusal", refusal: "F" }] },
        {
          role: "user",
          content: [
            { type: "input_text", text: "G" },
            { type: "input_image", image_url: image, detail: "low" },
            { type: "input_image", image_url: image, file_id: null },
            { type: "input_file", ...file },
            { type: "input_audio", input_audio },
          ],
        },
      ],
    }),
    [
      { role: "system", content: "A" },
      { role: "developer", content: "B" },
      { role: "user", content: "C" },
      { role: "assistant", content: "D" },
      { role: "assistant", content: "E" },
      { role: "assistant", content: [{ type: "refusal", refusal: "F" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "G" },
          { type: "image_url", image_url: { url: image, detail: "low" } },
          { type: "image_url", image_url: { url: image } },
          { type: "file", file },
          { type: "input_audio", input_audio },
        ],
      },
    ],
  );
});

Deno.test("POST /v1/responses makes one message of what the model gave in one turn", async () => {
  assertEquals(
    await messages({
      input: [
        { role: "user", content: "A" },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "short" }],
          content: [
            { type: "reasoning_text", text: "long" },
          ],
        },
        { role: "assistant", content: "B" },
        { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
        { type: "custom_tool_call", call_id: "c2", name: "g", input: "x" },
        { type: "function_call_output", call_id: "c1", output: "1" },
        {
          type: "custom_tool_call_output",
          call_id: "c2",
          output: [
            { type: "input_text", text: "2" },
            { type: "input_text", text: "3" },
          ],
        },
        { type: "reasoning", summary: [{ type: "summary_text", text: "D" }, { type: "summary_text", text: "E" }] },
        { type: "function_call", call_id: "c3", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c3", output: "4" },
        { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "xyz" },
        { role: "assistant", content: "F" },
        { type: "reasoning", content: [{ type: "reasoning_text", text: "G" }] },
        { role: "assistant", content: "H" },
      ],
    }),
    [
      { role: "user", content: "A" },
      {
        role: "assistant",
        content: "B",
        tool_calls: [
          { id: "c1", type: "function", function: { name: "f", arguments: "{}" } },
          { id: "c2", type: "custom", custom: { name: "g", input: "x" } },
        ],
        reasoning: "long",
      },
      { role: "tool", tool_call_id: "c1", content: "1" },
      { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "2" }, { type: "text", text: "3" }] },
      {
        role: "assistant",
        tool_calls: [{ id: "c3", type: "function", function: { name: "f", arguments: "{}" } }],
        reasoning: "D\n\nE",
      },
      { role: "tool", tool_call_id: "c3", content: "4" },
      { role: "assistant", content: "F" },
      { role: "assistant", content: "H", reasoning: "G" },
    ],
  );
});

Deno.test("POST /v1/responses tells all that is wrong, each with its path", async () => {
  const error = await refusal({
    input: [
      { type: "web_search_call" },
      { role: "bot" },
      3,
      { role: "user", content: [] },
      { role: "user", content: [{ type: "input_image", file_id: "f" }, { type: "input_file", file_url: "http://a" }] },
      { type: "function_call", call_id: "", name: "f" },
      { type: "function_call_output", call_id: "c", output: [{ type: "input_image" }] },
      {},
    ],
    tools: [{ type: "web_search" }, { type: "custom", name: "x" }, { type: "function" }],
    temperature: 9,
    text: { format: { type: "json_schema" } },
    metadata: { a: 1 },
    include: ["everything"],
  });
  assertEquals([error.param, error.code], ["input.0.type", "invalid_value"]);
  for (
    const path of [
      "input.0.type",
      "input.1.role",
      "input.2",
      "input.3.content",
      "input.4.content.0.image_url",
      "input.4.content.1.file_url",
      "input.5.call_id",
      "input.5.arguments",
      "input.6.output.0.type",
      "input.7.role",
      "tools.0.type",
      "tools.1.type",
      "tools.2.name",
      "temperature",
      "text.format.name",
      "text.format.schema",
      "metadata.a",
      "include.0",
    ]
  ) {
    assert(error.message.includes(`"${path}": Expected`), `${path} is in ${error.message}`);
  }
  assert(error.message.includes('found "web_search"'), "A tool is named");
  assert(!error.message.includes("http://a"), "What may be private is not");
});

Deno.test("POST /v1/responses refuses what it cannot do, rather than to leave it out", async () => {
  const cases: Record<string, unknown> = {
    background: true,
    prompt: { id: "p" },
    conversation: "conv_1",
    context_management: [],
    messages: [],
    max_tokens: 3,
    max_completion_tokens: 3,
    response_format: { type: "text" },
    reasoning_effort: "low",
    verbosity: "low",
    logprobs: true,
  };
  for (const [param, value] of Object.entries(cases)) {
    const error = await refusal({ input: "Hello", [param]: value });
    assertEquals(error.param, param);
  }
  const answer = await respond(testApp(), { input: "Hello", background: false, prompt: null, messages: null });
  assertEquals(answer.status, 200, answer.text);
});

Deno.test("POST /v1/responses wants something to answer", async () => {
  assertEquals((await refusal({})).param, "input");
  assertEquals((await refusal({ instructions: "Be kind", input: [] })).param, "input");
  assertError(await post(testApp(), "[]", { path: "/v1/responses" }), 400, "invalid_value");
  assertError(await post(testApp(), "", { path: "/v1/responses" }), 400, "invalid_json");
});

Deno.test("POST /v1/responses refuses a tool's output without its call, and names where", async () => {
  const output = { type: "function_call_output", call_id: "c1", output: "1" };
  assertEquals((await refusal({ input: [{ role: "user", content: "A" }, output] })).param, "input.1.call_id");
  const call = { type: "function_call", call_id: "c1", name: "f", arguments: "{}" };
  assertEquals((await refusal({ input: [output, call] })).param, "input.0.call_id");
  assertEquals((await messages({ input: [call, output] })).length, 2);
});

Deno.test("POST /v1/responses refuses an item that comes twice", async () => {
  const app = testApp();
  const first = await respond(app, { input: "A" });
  const [message] = first.json.output;
  const twice = await respond(app, { previous_response_id: first.json.id, input: [message] });
  assertError(twice, 400, "invalid_value", "input.0.id");
  const both = await respond(app, { input: [message, { role: "user", content: "B" }, message] });
  assertError(both, 400, "invalid_value", "input.2.id");
  const without = { role: "user", content: "C", id: null };
  assertEquals((await messages({ input: [without, without] })).length, 2);
});

Deno.test("POST /v1/responses checks tools as a whole, and names where by its own paths", async () => {
  const tool = { type: "function", name: "add" };
  assertEquals((await refusal({ input: "A", tools: [tool, tool] })).param, "tools.1.name");
  const choice = { type: "function", name: "sub" };
  assertEquals((await refusal({ input: "A", tools: [tool], tool_choice: choice })).param, "tool_choice.name");
  const allowed = { type: "allowed_tools", mode: "auto", tools: [tool, choice] };
  assertEquals((await refusal({ input: "A", tools: [tool], tool_choice: allowed })).param, "tool_choice.tools.1");
  const hosted = { type: "web_search_preview" };
  assertEquals((await refusal({ input: "A", tools: [tool], tool_choice: hosted })).param, "tool_choice.type");
});

Deno.test("POST /v1/responses tells in one error of a wrong field, a missing input and labels beyond their limits", async () => {
  const metadata = { a: 1, b: "x".repeat(513), ["y".repeat(65)]: "z" };
  const { message, param } = await refusal({ model: 5, metadata });
  assertEquals(param, "input");
  for (
    const issue of [
      '"input": Expected a string or an array of items, found nothing',
      '"model": Expected a string, found 5',
      '"metadata.a": Expected a string, found 1',
      '"metadata.b": Expected at most 512 characters, found 513',
      '"metadata": Expected keys of at most 64 characters, found one of 65',
    ]
  ) assertEquals(message.split(issue).length, 2, `Once: ${issue} in ${message}`);
  const pairs = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ""]));
  assert((await refusal({ model: 5, metadata: pairs })).message.includes("at most 16 pairs, found 17"));
  const notObject = await refusal({ input: "Hello", metadata: "x" });
  assertEquals(notObject.message.split('"metadata":').length, 2, notObject.message);
  const both = await refusal({ input: 5, model: 5, temperature: 3 });
  assertEquals(both.message.match(/"(input|model|temperature)":/g), ['"input":', '"model":', '"temperature":']);
});

Deno.test("POST /v1/responses needs no input beside a previous response", async () => {
  const app = testApp();
  const { json } = await respond(app, { input: "A" });
  assertEquals((await respond(app, { previous_response_id: json.id, input: null })).status, 200);
  assertEquals((await refusal({ previous_response_id: null })).param, "input");
});

Deno.test("POST /v1/responses refuses a tool's call without its output, wherever it stands", async () => {
  const call = { type: "function_call", call_id: "c1", name: "f", arguments: "{}" };
  const output = { type: "function_call_output", call_id: "c1", output: "1" };
  const custom = { type: "custom_tool_call", call_id: "c2", name: "g", input: "x" };
  const user = { role: "user", content: "A" };
  for (const input of [[call], [user, call], [call, user], [call, custom, { ...output, call_id: "c1" }]]) {
    const { param, code } = await refusal({ input });
    assertEquals([param, code], ["input", "tool_output_not_found"]);
  }
  const { message } = await refusal({ input: [call, custom, { ...call, call_id: "z".repeat(65) }] });
  for (
    const part of [
      'type "function_call_output" for the call "c1", found no tool output',
      'type "custom_tool_call_output" for the call "c2", found no tool output',
      "the call whose id has 65 characters",
    ]
  ) assert(message.includes(part), message);
  // With another fault, both are told.
  const mistaken = await refusal({ input: [call, { ...output, call_id: "c3" }] });
  assertEquals([mistaken.param, mistaken.code], ["input.1.call_id", "invalid_value"]);
  assert(mistaken.message.includes('for the call "c1"'), mistaken.message);
  assertEquals((await messages({ input: [call, user, output] })).length, 3);
});

Deno.test("POST /v1/responses refuses to go on from a response whose calls are not answered", async () => {
  const app = testApp({ m: new Calling() });
  const first = await respond(app, { input: "A" });
  const next = (...input: unknown[]) => respond(app, { previous_response_id: first.json.id, input });
  const outputs = ["c1", "c2"].map((call_id) => ({ type: "function_call_output", call_id, output: "1" }));
  const reference = { type: "item_reference", id: first.json.output[0].id };
  assertError(await next({ role: "user", content: "B" }), 400, "tool_output_not_found", "input");
  assertError(await next(outputs[0]), 400, "tool_output_not_found", "input");
  assertError(await respond(app, { input: [reference] }), 400, "tool_output_not_found", "input");
  assertEquals((await next(...outputs)).status, 200);
  assertEquals((await respond(app, { input: [reference, outputs[0]] })).status, 200);
});
