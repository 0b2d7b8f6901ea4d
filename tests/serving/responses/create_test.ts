import { assert, assertEquals, assertMatch } from "@std/assert";
import type { PredictResult } from "../../../mod.ts";
import { ChatModel } from "../../../mod.ts";
import { assertError, Parrot, post, testApp } from "../_app.ts";
import { respond } from "./_kit.ts";

/** Gives the same answer to all. */
class Fixed extends ChatModel {
  readonly #answer: PredictResult;

  constructor(answer: PredictResult) {
    super();
    this.#answer = answer;
  }

  override predict(): PredictResult {
    return this.#answer;
  }
}

/** What the model was asked. */
async function asked(body: Record<string, unknown>) {
  const { json } = await respond(testApp({ parrot: new Parrot() }), body);
  return json.custom_outputs;
}

Deno.test("POST /v1/responses answers a string", async () => {
  const { status, json, headers } = await respond(testApp(), { model: "parrot", input: "Hello" });
  assertEquals([status, headers.get("content-type")], [200, "application/json"]);
  assertMatch(json.id, /^resp_[\w-]{24}$/);
  assertEquals([json.object, json.status, json.model, json.error], ["response", "completed", "parrot", null]);
  const [message] = json.output;
  assertEquals(json.output, [{
    id: message.id,
    type: "message",
    status: "completed",
    role: "assistant",
    content: [{ type: "output_text", text: "parrot: Hello", annotations: [], logprobs: [] }],
  }]);
  assertMatch(message.id, /^msg_/);
  assertEquals(json.usage, {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 3,
  });
});

Deno.test("POST /v1/responses has OpenAI's defaults, and null where the default is the model's", async () => {
  const { json } = await respond(testApp(), { input: "Hello", temperature: null, tools: null, metadata: null });
  const { temperature, top_p, tools, tool_choice, parallel_tool_calls, text, truncation, store, metadata } = json;
  assertEquals(
    { temperature, top_p, tools, tool_choice, parallel_tool_calls, text, truncation, store, metadata },
    {
      temperature: null,
      top_p: null,
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: true,
      text: { format: { type: "text" } },
      truncation: "disabled",
      store: true,
      metadata: {},
    },
  );
  assert(!("user" in json) && !("safety_identifier" in json), "What may not be null is absent");
});

Deno.test("POST /v1/responses tells what was asked for", async () => {
  const tool = { type: "function", name: "add", parameters: { type: "object" }, strict: true, description: "Adds" };
  const body = {
    input: "Hello",
    instructions: "Be kind",
    temperature: 0.5,
    top_p: 0.9,
    max_output_tokens: 20,
    max_tool_calls: 2,
    tools: [tool, { type: "function", name: "now" }],
    tool_choice: { type: "function", name: "add" },
    parallel_tool_calls: false,
    text: { format: { type: "json_schema", name: "x", schema: { type: "object" } }, verbosity: "low" },
    reasoning: { effort: "low", summary: "auto" },
    truncation: "auto",
    top_logprobs: 2,
    metadata: { a: "b" },
    store: false,
    user: "me",
    safety_identifier: "it",
    prompt_cache_key: "key",
    service_tier: "flex",
  };
  const { json } = await respond(testApp(), body);
  const { input: _, ...echoed } = body;
  for (const [name, value] of Object.entries({ ...echoed, tools: [tool, json.tools[1]] })) {
    assertEquals(json[name], value, name);
  }
  assertEquals(json.tools[1], { type: "function", name: "now", parameters: null, strict: null });
});

Deno.test("POST /v1/responses hands parameters on by the names that models know", async () => {
  const { params } = await asked({
    input: "Hello",
    max_output_tokens: 20,
    temperature: 0,
    top_p: 0.5,
    top_logprobs: 3,
    parallel_tool_calls: false,
    tools: [{ type: "function", name: "add", description: "Adds", parameters: { type: "object" }, strict: false }],
    tool_choice: { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "add" }] },
    text: { format: { type: "json_schema", name: "x", schema: { type: "object" }, strict: true }, verbosity: "high" },
    reasoning: { effort: "high" },
    metadata: { a: "b" },
    store: false,
    user: "me",
    safety_identifier: "it",
    service_tier: "auto",
    truncation: "auto",
    custom_inputs: { c: 1 },
    num_ctx: 8192,
    stop: ["END"],
  });
  assertEquals(params, {
    temperature: 0,
    top_p: 0.5,
    parallel_tool_calls: false,
    service_tier: "auto",
    store: false,
    metadata: { a: "b" },
    user: "me",
    safety_identifier: "it",
    custom_inputs: { c: 1 },
    max_completion_tokens: 20,
    logprobs: true,
    top_logprobs: 3,
    tools: [{
      type: "function",
      function: { name: "add", description: "Adds", parameters: { type: "object" }, strict: false },
    }],
    tool_choice: {
      type: "allowed_tools",
      allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "add" } }] },
    },
    response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "object" }, strict: true } },
    verbosity: "high",
    reasoning: { effort: "high" },
    reasoning_effort: "high",
    stop: ["END"],
    extra: { truncation: "auto", num_ctx: 8192 },
  });
  assertEquals((await asked({ input: "Hello" })).params, {});
  const included = await asked({ input: "Hello", include: ["message.output_text.logprobs"] });
  assertEquals(included.params, { logprobs: true });
  const chosen = await asked({
    input: "Hello",
    tools: [{ type: "function", name: "add" }],
    tool_choice: { type: "function", name: "add" },
    text: { format: { type: "json_object" } },
  });
  assertEquals(chosen.params.tool_choice, { type: "function", function: { name: "add" } });
  assertEquals(chosen.params.response_format, { type: "json_object" });
});

Deno.test("POST /v1/responses makes items of whatever a model gives", async () => {
  const answer: PredictResult = {
    choices: [{
      message: {
        role: "assistant",
        content: "Hello",
        refusal: "No",
        reasoning: "Hm",
        annotations: [
          { type: "url_citation", url_citation: { url: "http://a", title: "A", start_index: 0, end_index: 1 } },
        ],
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "add", arguments: '{"a":1}' } },
          { id: "call_2", type: "custom", custom: { name: "shell", input: "ls" } },
        ],
      },
      logprobs: {
        content: [{ token: "Hello", logprob: -1, bytes: null, top_logprobs: [] }],
        refusal: null,
      },
      finish_reason: "tool_calls",
    }],
    usage: {
      prompt_tokens: 3,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: 1 },
      completion_tokens_details: { reasoning_tokens: 2 },
    },
    service_tier: "priority",
    custom_outputs: { a: 1 },
  };
  const { json } = await respond(testApp({ m: new Fixed(answer) }), { input: "Hello" });
  const part = {
    type: "output_text",
    text: "Hello",
    annotations: [{ type: "url_citation", url: "http://a", title: "A", start_index: 0, end_index: 1 }],
    logprobs: [{ token: "Hello", logprob: -1, bytes: [], top_logprobs: [] }],
  };
  const id = json.id.slice(5);
  assertEquals(json.output, [
    {
      id: `rs_${id}0`,
      type: "reasoning",
      summary: [],
      content: [{ type: "reasoning_text", text: "Hm" }],
      status: "completed",
    },
    {
      id: `msg_${id}1`,
      type: "message",
      status: "completed",
      role: "assistant",
      content: [part, { type: "refusal", refusal: "No" }],
    },
    {
      id: `fc_${id}2`,
      type: "function_call",
      call_id: "call_1",
      name: "add",
      arguments: '{"a":1}',
      status: "completed",
    },
    { id: `ctc_${id}3`, type: "custom_tool_call", call_id: "call_2", name: "shell", input: "ls", status: "completed" },
  ]);
  assertEquals([json.status, json.service_tier, json.custom_outputs], ["completed", "priority", { a: 1 }]);
  assertEquals(json.usage.input_tokens_details.cached_tokens, 1);
  assertEquals(json.usage.output_tokens_details.reasoning_tokens, 2);
});

Deno.test("POST /v1/responses gives thinking as a summary to those who ask for one", async () => {
  const app = testApp({ m: new Fixed({ content: "Hello", reasoning: "Hm" }) });
  for (const reasoning of [{ summary: "auto" }, { generate_summary: "detailed" }]) {
    const { json } = await respond(app, { input: "Hello", reasoning });
    assertEquals(json.output[0].summary, [{ type: "summary_text", text: "Hm" }]);
    assert(!("content" in json.output[0]));
  }
});

Deno.test("POST /v1/responses says why an answer was cut", async () => {
  for (
    const [finish_reason, reason] of [["length", "max_output_tokens"], ["content_filter", "content_filter"]] as const
  ) {
    const app = testApp({ m: new Fixed({ content: "Hel", reasoning: "Hm", finish_reason }) });
    const { json } = await respond(app, { input: "Hello" });
    assertEquals([json.status, json.incomplete_details, json.completed_at], ["incomplete", { reason }, null]);
    assertEquals(json.output.map(({ status }: { status: string }) => status), ["completed", "incomplete"]);
  }
});

Deno.test("POST /v1/responses has one empty message where the model said nothing, but none where it was cut thinking", async () => {
  const empty = await respond(testApp({ m: new Fixed("") }), { input: "Hello" });
  assertEquals(empty.json.output[0].content[0].text, "");
  const cut = await respond(testApp({ m: new Fixed({ content: "", reasoning: "Hm", finish_reason: "length" }) }), {
    input: "Hello",
  });
  assertEquals(cut.json.output.map(({ type }: { type: string }) => type), ["reasoning"]);
});

Deno.test("POST /v1/responses makes a function_call item of the deprecated form", async () => {
  const answer: PredictResult = { content: null, function_call: { name: "add", arguments: "{}" } };
  const { json } = await respond(testApp({ m: new Fixed(answer) }), { input: "Hello" });
  assertEquals(json.output.length, 1);
  assertEquals([json.output[0].type, json.output[0].name], ["function_call", "add"]);
  assertMatch(json.output[0].call_id, /^call_/);
});

Deno.test("POST /v1/responses hands the model's failure on", async () => {
  class Failing extends ChatModel {
    override predict(): PredictResult {
      throw new Error("no luck");
    }
  }
  const app = testApp({ m: new Failing() });
  assertError(await respond(app, { input: "Hello" }), 500, "model_error");
  assertError(await respond(app, { input: "Hello", stream: true }), 500, "model_error");
  assertError(await respond(app, { input: "Hello", model: "none" }), 404, "model_not_found", "model");
  assertError(await respond(app, { input: "Hello", model: "none", stream: true }), 404, "model_not_found", "model");
  assertEquals(app.errors.length, 2);
});

Deno.test("POST /responses is there without /v1, and only POST", async () => {
  const app = testApp();
  assertEquals((await post(app, { input: "Hello" }, { path: "/responses" })).status, 200);
  const { status, headers } = await app.fetch(new Request("http://server.test/v1/responses"));
  assertEquals([status, headers.get("allow")], [405, "POST, OPTIONS"]);
});

Deno.test("POST /v1/responses/input_tokens and /compact say that they are not there", async () => {
  for (const path of ["input_tokens", "compact"]) {
    assertError(
      await post(testApp(), { input: "Hello" }, { path: `/v1/responses/${path}` }),
      404,
      "unsupported_endpoint",
    );
  }
});
