import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { convertEmbedding } from "../../../adapters/openai/convert_embedding.ts";
import { convertRequest } from "../../../adapters/openai/convert_request.ts";
import { OpenAIChatModel, OpenAIClient } from "../../../adapters/openai/mod.ts";
import { type ChatParams, parseChatParams, parseChatRequest, ValidationError } from "../../../types/mod.ts";
import { parseEmbeddingRequest } from "../../../types/_parse_embedding.ts";

const SETUP = { model: "up", defaults: {}, stream: false } as const;
const STREAM = { ...SETUP, stream: { usage: true } } as const;

/** The body that a request becomes, as the upstream reads it. */
function bodyOf(request: unknown, setup: Parameters<typeof convertRequest>[2] = SETUP): Record<string, unknown> {
  const { messages, params } = parseChatRequest(request);
  return JSON.parse(JSON.stringify(convertRequest(messages, params, setup)));
}

const text = fc.string({ unit: "grapheme", maxLength: 10 });
const json = fc.jsonValue({ maxDepth: 3 });
const free = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), json, { maxKeys: 4 });
const optional = { requiredKeys: ["role", "content"] as const };

const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer", "user"), content: text }),
  fc.record({ role: fc.constant("user"), content: text, name: text, x_own: free }, {
    requiredKeys: [...optional.requiredKeys],
  }),
  fc.record({
    role: fc.constant("user"),
    content: fc.array(
      fc.oneof(
        fc.record({ type: fc.constant("text"), text, cache_control: free }),
        fc.record({
          type: fc.constant("image_url"),
          image_url: fc.record({ url: fc.webUrl(), detail: fc.constant("low") }),
        }),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  fc.record({ role: fc.constant("assistant"), content: text, reasoning_content: text, refusal: text }, {
    requiredKeys: [...optional.requiredKeys],
  }),
  fc.record({
    role: fc.constant("assistant"),
    tool_calls: fc.array(
      fc.record({
        id: fc.string({ minLength: 1 }),
        type: fc.constant("function"),
        function: fc.record({ name: fc.constant("f"), arguments: json.map((value) => JSON.stringify(value)) }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  }),
  fc.record({ role: fc.constant("tool"), tool_call_id: fc.string({ minLength: 1 }), content: text }),
);

const request = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 4 }),
  temperature: fc.double({ min: 0, max: 2, noNaN: true }),
  top_p: fc.double({ min: 0, max: 1, noNaN: true }),
  top_k: fc.nat(100),
  n: fc.integer({ min: 1, max: 4 }),
  max_tokens: fc.nat(),
  max_completion_tokens: fc.nat(),
  stop: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 4 })),
  seed: fc.maxSafeInteger(),
  logit_bias: fc.dictionary(fc.nat(1000).map(String), fc.integer({ min: -100, max: 100 }), { maxKeys: 3 }),
  logprobs: fc.boolean(),
  top_logprobs: fc.nat(20),
  response_format: fc.oneof(
    fc.constant({ type: "json_object" }),
    fc.record({
      type: fc.constant("json_schema"),
      json_schema: fc.constant({ name: "s", schema: { type: "object" }, strict: true }),
    }),
  ),
  tools: fc.constant([{ type: "function", function: { name: "f", parameters: { type: "object", "x-own": [1] } } }]),
  parallel_tool_calls: fc.boolean(),
  reasoning_effort: text,
  reasoning: free,
  metadata: free,
  custom_inputs: free,
  user: text,
  service_tier: text,
  store: fc.boolean(),
  // What this package does not know: nulls in it mean something to those who do.
  chat_template_kwargs: free,
  x_null: fc.constant(null),
  min_tokens: fc.integer(),
}, { requiredKeys: ["messages"] });

Deno.test("convertRequest() loses nothing of a request and adds nothing but the model", () => {
  fc.assert(fc.property(request, (input) => {
    const plain = JSON.parse(JSON.stringify(input));
    assertEquals(bodyOf(plain), { ...plain, model: "up" });
  }));
});

Deno.test("convertRequest() adds nothing to a stream but that it is one, with its usage", () => {
  fc.assert(fc.property(request, fc.option(fc.constant({ include_obfuscation: false })), (input, options) => {
    const plain = JSON.parse(JSON.stringify(input));
    const asked = { ...plain, stream: true, ...(options !== null && { stream_options: options }) };
    const stream_options = { ...options, include_usage: true };
    assertEquals(bodyOf(asked, STREAM), { ...plain, model: "up", stream: true, stream_options });
    assertEquals(bodyOf(asked), { ...plain, model: "up" }, "none of it where it is no stream");
  }));
});

Deno.test("convertRequest() asks for no usage when it must not", () => {
  const messages = [{ role: "user", content: "hi" }];
  const stream = { ...SETUP, stream: { usage: false } };
  assertEquals(bodyOf({ messages }, stream), { model: "up", messages, stream: true });
  const stream_options = { include_usage: false };
  assertEquals(bodyOf({ messages, stream_options }, stream), { model: "up", messages, stream: true, stream_options });
});

Deno.test("convertRequest() takes defaults for what is unset, and none beside a field that says the same", () => {
  const messages = [{ role: "user", content: "hi" }];
  const defaults: ChatParams = parseChatParams({
    temperature: 0.5,
    max_completion_tokens: 9,
    reasoning_effort: "low",
    tools: [{ type: "function", function: { name: "f" } }],
    min_tokens: 1,
    x_own: { a: 1 },
  });
  const body = (rest: Readonly<Record<string, unknown>>) => bodyOf({ messages, ...rest }, { ...SETUP, defaults });
  const all = {
    model: "up",
    messages,
    temperature: 0.5,
    max_completion_tokens: 9,
    reasoning_effort: "low",
    tools: [{ type: "function", function: { name: "f" } }],
    min_tokens: 1,
    x_own: { a: 1 },
  };
  assertEquals(body({}), all);
  assertEquals(body({ temperature: 0, x_own: null, y: 2 }), { ...all, temperature: 0, x_own: null, y: 2 });
  const { max_completion_tokens: _, reasoning_effort: __, tools: ___, ...rest } = all;
  const own = { max_tokens: 3, reasoning: { effort: "high" }, functions: [{ name: "g" }] };
  assertEquals(body(own), { ...rest, ...own });
});

Deno.test("convertEmbedding() loses nothing and adds nothing but the model", () => {
  fc.assert(fc.property(
    fc.record({
      input: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }),
      dimensions: fc.integer({ min: 1, max: 4096 }),
      user: text,
      truncate_prompt_tokens: fc.integer(),
      x_own: free,
    }, { requiredKeys: ["input"] }),
    (asked) => {
      const { input, params } = parseEmbeddingRequest(asked);
      assertEquals(convertEmbedding("up", input, params), { ...asked, model: "up" });
    },
  ));
});

Deno.test("OpenAIChatModel refuses options that cannot be", () => {
  const client = new OpenAIClient({ baseUrl: "http://127.0.0.1:1/v1" });
  const cases = [
    [{ model: " " }, "model"],
    [{ model: "m", defaults: { temperature: 3 } }, "defaults.temperature"],
    [{ model: "m", defaults: { stream: true } }, "defaults.stream"],
    [{ model: "m", client, baseUrl: "http://127.0.0.1:1/v1" }, "baseUrl"],
    [{ model: "m", client, apiKey: "key-0123" }, "apiKey"],
  ] satisfies [ConstructorParameters<typeof OpenAIChatModel>[0], string][];
  for (const [options, path] of cases) {
    const error = assertThrows(() => new OpenAIChatModel(options), ValidationError);
    assertEquals(error.issues.map((issue) => issue.path), [path]);
  }
});
