import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ChatRequest, parseChatParams, parseChatRequest } from "../../types/mod.ts";

const HELLO = { role: "user", content: "Hello" };

Deno.test("parseChatRequest() divides a request into messages, model and params", () => {
  const request = parseChatRequest({ model: "llama3.2:1b", temperature: 0, messages: [HELLO], stream: true });
  assert(request instanceof ChatRequest);
  assertEquals<unknown>(request.messages, [HELLO]);
  assertEquals(request.model, "llama3.2:1b");
  assertEquals<unknown>(request.params, { temperature: 0, stream: true });
});

Deno.test("parseChatRequest() takes the least that makes a request, and fills in nothing", () => {
  const request = parseChatRequest({ messages: [HELLO] });
  assertStrictEquals(request.model, undefined);
  assertEquals(Object.keys(request.params), []);
});

Deno.test("parseChatRequest() returns a request that was parsed before as it is", () => {
  const request = parseChatRequest({ messages: [HELLO] });
  assertStrictEquals(parseChatRequest(request), request);
});

Deno.test("parseChatRequest() takes every known field at the ends of its range", () => {
  const params = {
    temperature: 2,
    top_p: 0,
    top_k: 0,
    min_p: 1,
    n: 128,
    max_tokens: 0,
    max_completion_tokens: 0,
    stop: ["a", "b", "c", "d", "e"],
    seed: -Number.MAX_SAFE_INTEGER,
    frequency_penalty: -2,
    presence_penalty: 2,
    logit_bias: { "50256": -100, "1": 100 },
    logprobs: true,
    top_logprobs: 20,
    response_format: { type: "json_schema", json_schema: { name: "any name!", schema: {}, strict: true } },
    tools: [
      {
        type: "function",
        function: { name: "catalog.schema.function", parameters: { type: "object" }, strict: false },
      },
      { type: "custom", custom: { name: "sql", format: { type: "grammar", grammar: { syntax: "lark" } } } },
    ],
    tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ type: "function" }] } },
    parallel_tool_calls: false,
    functions: [{ name: "old" }],
    function_call: { name: "old" },
    stream: false,
    stream_options: { include_usage: true, include_obfuscation: false, continuous_usage_stats: true },
    reasoning_effort: "whatever comes next",
    reasoning: { effort: "high" },
    verbosity: "low",
    modalities: ["text", "audio"],
    audio: { voice: { id: "v" }, format: "wav" },
    prediction: { type: "content", content: "x" },
    web_search_options: {},
    moderation: { model: "m" },
    service_tier: "flex",
    store: false,
    metadata: { a: "b" },
    user: "u",
    safety_identifier: "s",
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    prompt_cache_options: { mode: "implicit" },
    custom_inputs: { seed: "321" },
  };
  assertEquals<unknown>(parseChatRequest({ messages: [HELLO], ...params }).params, params);
  assertEquals<unknown>(parseChatParams(params), params);
});

for (
  const field of [
    { stop: "END" },
    { stop: [] },
    { tools: [] },
    { tool_choice: "none" },
    { tool_choice: "auto" },
    { tool_choice: "required" },
    { tool_choice: { type: "function", function: { name: "f" } } },
    { tool_choice: { type: "custom", custom: { name: "f" } } },
    { function_call: "auto" },
    { response_format: { type: "text" } },
    { response_format: { type: "json_object" } },
    { stream_options: { include_usage: true } },
    { logit_bias: {} },
    { reasoning_effort: "xhigh" },
    { metadata: { a: null, b: 1 } },
    { custom_inputs: { deep: { a: null } } },
    { tools: [{ type: "function", function: { name: "f", parameters: { default: null, enum: [null] } } }] },
  ]
) {
  Deno.test(`parseChatRequest() keeps ${JSON.stringify(field)} as it is`, () => {
    assertEquals<unknown>(parseChatRequest({ messages: [HELLO], ...field }).params, field);
  });
}

Deno.test("parseChatRequest() takes null for absent in every optional field of the request", () => {
  const names = [
    ...["model", "temperature", "top_p", "top_k", "min_p", "n", "max_tokens", "max_completion_tokens", "stop", "seed"],
    ...["frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "response_format", "tools"],
    ...["tool_choice", "parallel_tool_calls", "functions", "function_call", "stream", "stream_options"],
    ...["reasoning_effort", "reasoning", "verbosity", "modalities", "audio", "prediction", "web_search_options"],
    ...["moderation", "service_tier", "store", "metadata", "user", "safety_identifier", "prompt_cache_key"],
    ...["prompt_cache_retention", "prompt_cache_options", "custom_inputs"],
  ];
  for (const absent of [null, undefined]) {
    const request = parseChatRequest({ messages: [HELLO], ...Object.fromEntries(names.map((name) => [name, absent])) });
    assertEquals(Object.keys(request.params), []);
    assertStrictEquals(request.model, undefined);
  }
});

Deno.test("parseChatRequest() takes null for absent in known objects inside of fields", () => {
  const { params } = parseChatRequest({
    messages: [HELLO],
    stream_options: { include_usage: null, include_obfuscation: true },
    response_format: { type: "json_schema", json_schema: { name: "n", description: null, schema: null, strict: null } },
    tools: [
      { type: "function", function: { name: "f", description: null, parameters: null, strict: null } },
      { type: "custom", custom: { name: "c", description: null, format: null } },
    ],
    functions: [{ name: "f", parameters: null }],
  });
  assertEquals(params, {
    response_format: { type: "json_schema", json_schema: { name: "n" } },
    tools: [{ type: "function", function: { name: "f" } }, { type: "custom", custom: { name: "c" } }],
    functions: [{ name: "f" }],
    stream_options: { include_obfuscation: true },
  });
});

Deno.test("parseChatRequest() hands unknown fields on in their order, nulls and all", () => {
  const options = { num_ctx: 8192, nested: { a: null } };
  const { params } = parseChatRequest({
    zeta: null,
    messages: [HELLO],
    options,
    alpha: [],
    n: 1,
    extra: { a: 1 },
    think: false,
  });
  assertEquals(params, { n: 1, extra: { zeta: null, options, alpha: [], extra: { a: 1 }, think: false } });
  assertEquals(Object.keys(params.extra ?? {}), ["zeta", "options", "alpha", "extra", "think"]);
  assertStrictEquals(params.extra?.["options"], options);
});

Deno.test("parseChatRequest() keeps unknown members of nested objects", () => {
  const messages = [
    { role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: null }, x: null }] },
    {
      role: "assistant",
      extra_content: { google: null },
      tool_calls: [
        { id: "1", type: "function", function: { name: "f", arguments: "{}", y: 1 }, index: 0 },
      ],
    },
  ];
  const tools = [{ type: "function", function: { name: "f", returns: {} }, cache_control: {} }];
  const response_format = { type: "json_object", schema: {} };
  const request = parseChatRequest({ messages, tools, response_format });
  assertEquals<unknown>(request.messages, messages);
  assertEquals<unknown>(request.params, { tools, response_format });
});

const SPECIAL = '{"__proto__": {"temperature": 9, "polluted": 1}, "constructor": {"prototype": {}}, "prototype": 3}';

Deno.test("parseChatRequest() keeps __proto__, constructor and prototype as plain members of extra", () => {
  const body = JSON.parse(`{"messages": [{"role": "user", "content": "a"}], ${SPECIAL.slice(1)}`);
  const { params } = parseChatRequest(body);
  assertEquals(Object.keys(params), ["extra"]);
  assertEquals(JSON.stringify(params.extra), JSON.stringify(JSON.parse(SPECIAL)));
  assertStrictEquals(Object.getPrototypeOf(params.extra), Object.prototype);
  assertStrictEquals(Object.getPrototypeOf(params), Object.prototype);
  assertStrictEquals(params.temperature, undefined);
  assertEquals("polluted" in {}, false);
});

Deno.test("parseChatRequest() keeps __proto__, constructor and prototype as plain members of nested objects", () => {
  const text =
    `{"role":"user","content":[{"type":"text","text":"a","__proto__":{"b":1}}],"__proto__":{"name":1},"prototype":1}`;
  const { messages } = parseChatRequest(JSON.parse(`{"messages":[${text}],"logit_bias":{"__proto__":1,"5":2}}`));
  assertEquals(JSON.stringify(messages[0]), text);
  assertStrictEquals(Object.getPrototypeOf(messages[0]), Object.prototype);
  assertEquals("name" in (messages[0] ?? {}), false);
});

Deno.test("parseChatRequest() gives a member called __proto__ no say over known members", () => {
  const { messages, params } = parseChatRequest(JSON.parse(
    '{"messages":[{"__proto__":{"name":5},"role":"assistant","content":null}],"tools":[{"type":"function","function":{"name":"f","__proto__":{"strict":"x"}}}]}',
  ));
  assertStrictEquals(Object.getPrototypeOf(messages[0]), Object.prototype);
  assertEquals(Object.keys(messages[0] ?? {}).sort(), ["__proto__", "role"]);
  assertEquals(
    JSON.stringify(params.tools),
    '[{"type":"function","function":{"name":"f","__proto__":{"strict":"x"}}}]',
  );
});

Deno.test("parseChatRequest() leaves its input alone and shares no known object with it", () => {
  const body = { messages: [{ role: "assistant", content: null, name: "a" }], tools: [], n: null, x: { y: null } };
  const before = structuredClone(body);
  const request = parseChatRequest(body);
  assertEquals(body, before);
  assert((request.messages as unknown) !== body.messages);
  assert((request.messages[0] as unknown) !== body.messages[0]);
});

Deno.test("parseChatRequest() takes frozen input", () => {
  const body = Object.freeze({
    messages: Object.freeze([Object.freeze({ role: "assistant", content: null })]),
    n: null,
    x: 1,
  });
  assertEquals(parseChatRequest(body).params, { extra: { x: 1 } });
});

Deno.test("parseChatRequest() is not harmed by deep nesting", () => {
  const depth = 5000;
  const deep: unknown = JSON.parse('{"a":'.repeat(depth) + "1" + "}".repeat(depth));
  const request = parseChatRequest({ messages: [{ role: "user", content: "a", deep }], custom_inputs: deep, deep });
  assertStrictEquals(request.params.custom_inputs as unknown, deep);
  assertStrictEquals(request.params.extra?.["deep"], deep);
});

Deno.test("parseChatRequest() reads long conversations whole", () => {
  const messages = Array.from({ length: 1000 }, (_, index) => ({ role: "user", content: `${index}` }));
  assertEquals<unknown>(parseChatRequest({ messages }).messages, messages);
});

Deno.test("parseChatParams() puts unknown fields into extra, after what is there", () => {
  assertEquals(parseChatParams({ x: 1, n: 2, extra: { a: null, x: 0 }, y: null }), {
    n: 2,
    extra: { a: null, x: 1, y: null },
  });
  assertEquals(Object.keys(parseChatParams({ y: 1, extra: { a: 1 } }).extra ?? {}), ["a", "y"]);
});

Deno.test("parseChatParams() gives what it gave before when it is given that", () => {
  const params = parseChatParams({ x: 1, n: null, stop: "a", extra: { y: null } });
  assertEquals<unknown>(parseChatParams(params), params);
});
