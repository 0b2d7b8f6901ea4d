import { assertEquals } from "@std/assert";
import type OpenAI from "openai";
import {
  type ChatChoice,
  type ChatCompletionChunk,
  type ModelList,
  parseChatRequest,
  type ResponseMessage,
  type Usage,
} from "../../types/mod.ts";
import type { Expect, Known } from "./_drift.ts";

type Body = OpenAI.Chat.ChatCompletionCreateParams;

type FreeForm = "annotations" | "audio";

/** Answers must be what the official client takes them for. */
export type Compatible = [
  Expect<Extends<Omit<Known<ResponseMessage>, FreeForm>, Omit<OpenAI.Chat.ChatCompletionMessage, FreeForm>>>,
  Expect<Extends<Omit<Known<ChatChoice>, "message">, Omit<OpenAI.Chat.ChatCompletion.Choice, "message">>>,
  Expect<Extends<Known<Usage>, OpenAI.CompletionUsage>>,
  Expect<Extends<Known<ChatCompletionChunk>, Omit<OpenAI.Chat.ChatCompletionChunk, "service_tier">>>,
  Expect<Extends<Known<ModelList>["data"][number], OpenAI.Model>>,
];

type Extends<A, B> = A extends B ? true : false;

const weather: OpenAI.Chat.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_current_weather",
    description: "Get the current weather in a given location",
    strict: true,
    parameters: {
      type: "object",
      properties: {
        location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
        unit: { type: ["string", "null"], enum: ["celsius", "fahrenheit", null], default: null },
      },
      required: ["location", "unit"],
      additionalProperties: false,
    },
  },
};

const BODIES: Record<string, Body> = {
  "a developer message": {
    model: "gpt-5",
    messages: [{ role: "developer", content: "You are terse" }, { role: "user", content: "Hello!" }],
    max_completion_tokens: 100,
    reasoning_effort: "minimal",
    verbosity: "low",
  },
  "a system message and a stream with usage": {
    model: "gpt-4o",
    messages: [{ role: "system", content: [{ type: "text", text: "Be nice" }] }, { role: "user", content: "Hi" }],
    stream: true,
    stream_options: { include_usage: true },
  },
  "text and images in parts": {
    model: "gpt-4o",
    messages: [{
      role: "user",
      content: [
        { type: "text", text: "What is in this image?" },
        { type: "image_url", image_url: { url: "https://example.com/board.jpg" } },
        { type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail: "high" } },
      ],
    }],
    max_tokens: 300,
  },
  "sound in and out": {
    model: "gpt-4o-audio-preview",
    modalities: ["text", "audio"],
    audio: { voice: "alloy", format: "wav" },
    messages: [
      { role: "user", content: [{ type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } }] },
      { role: "assistant", audio: { id: "audio_abc123" } },
      { role: "user", content: "Again, slower" },
    ],
  },
  "files by id and by data": {
    model: "gpt-4o",
    messages: [{
      role: "user",
      content: [
        { type: "file", file: { file_id: "file-6F2ksmvXxt4VdoqmHRw6kL" } },
        { type: "file", file: { filename: "draconomicon.pdf", file_data: "data:application/pdf;base64,AA==" } },
        { type: "text", text: "What is the first dragon in the book?" },
      ],
    }],
  },
  "tools and the whole round of a call": {
    model: "gpt-4o",
    messages: [
      { role: "user", content: "What is the weather like in Boston today?" },
      {
        role: "assistant",
        tool_calls: [{
          id: "call_abc123",
          type: "function",
          function: { name: "get_current_weather", arguments: '{"location":"Boston, MA","unit":null}' },
        }],
      },
      { role: "tool", tool_call_id: "call_abc123", content: [{ type: "text", text: "21 °C" }] },
    ],
    tools: [weather],
    tool_choice: { type: "function", function: { name: "get_current_weather" } },
    parallel_tool_calls: false,
  },
  "a custom tool with a grammar": {
    model: "gpt-5",
    messages: [{ role: "user", content: "Use the tool" }],
    tools: [{
      type: "custom",
      custom: { name: "math", format: { type: "grammar", grammar: { syntax: "lark", definition: "start: NUMBER" } } },
    }],
    tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools: [{ type: "custom" }] } },
  },
  "the deprecated functions": {
    model: "gpt-3.5-turbo",
    messages: [
      { role: "user", content: "Find me a book" },
      { role: "assistant", content: "", function_call: { name: "list", arguments: '{"genre":"historical"}' } },
      { role: "function", name: "list", content: "[]" },
    ],
    functions: [{ name: "list", description: "List books", parameters: { type: "object", properties: {} } }],
    function_call: "auto",
  },
  "structured output": {
    model: "gpt-4o-2024-08-06",
    messages: [{ role: "user", content: "solve 8x + 31 = 2" }],
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "math_response",
        strict: true,
        schema: {
          type: "object",
          properties: { final_answer: { type: "string" }, note: { const: null } },
          required: ["final_answer", "note"],
          additionalProperties: false,
          $schema: "http://json-schema.org/draft-07/schema#",
        },
      },
    },
  },
  "log probabilities": {
    model: "gpt-4o",
    messages: [{ role: "user", content: "Hello!" }],
    logprobs: true,
    top_logprobs: 2,
    logit_bias: { "50256": -100 },
    n: 3,
    seed: 42,
    stop: ["\n", "END"],
    user: "user-1234",
  },
  "a prediction and a stored answer": {
    model: "gpt-4o",
    messages: [{ role: "user", content: "Replace the Username property" }, { role: "user", content: "class User {}" }],
    prediction: { type: "content", content: [{ type: "text", text: "class User {}" }] },
    store: true,
    metadata: { purpose: "test" },
    service_tier: "auto",
    web_search_options: { search_context_size: "low", user_location: null },
  },
};

for (const [name, body] of Object.entries(BODIES)) {
  Deno.test(`parseChatRequest() loses nothing of a body of the official client with ${name}`, () => {
    const request = parseChatRequest(body);
    const { messages, model, ...params } = body;
    assertEquals<unknown>(request.messages, messages);
    assertEquals<unknown>(request.model, model);
    assertEquals<unknown>(request.params, params);
  });
}

// Test suites of clients send placeholders in every field: limits of 0 tokens, a logit bias for a token called foo.
Deno.test("parseChatRequest() takes placeholders in every field of the contract", () => {
  const params = {
    audio: { format: "wav", voice: "string" },
    frequency_penalty: -2,
    function_call: "none",
    functions: [{ name: "name", description: "description", parameters: { foo: "bar" } }],
    logit_bias: { foo: 0 },
    logprobs: true,
    max_completion_tokens: 0,
    max_tokens: 0,
    metadata: { foo: "string" },
    modalities: ["text"],
    n: 1,
    parallel_tool_calls: true,
    prediction: { content: "string", type: "content" },
    presence_penalty: -2,
    prompt_cache_key: "prompt-cache-key-1234",
    prompt_cache_retention: "in_memory",
    reasoning_effort: "none",
    response_format: { type: "text" },
    safety_identifier: "safety-identifier-1234",
    seed: -9007199254740991,
    service_tier: "auto",
    stop: "\n",
    store: true,
    stream: false,
    stream_options: { include_obfuscation: true, include_usage: true },
    temperature: 1,
    tool_choice: "none",
    tools: [{
      function: { name: "name", description: "d", parameters: { foo: "bar" }, strict: true },
      type: "function",
    }],
    top_logprobs: 0,
    top_p: 1,
    user: "user-1234",
    verbosity: "low",
    web_search_options: {
      search_context_size: "low",
      user_location: { approximate: { city: "x" }, type: "approximate" },
    },
  };
  const messages = [{ content: "string", role: "developer", name: "name" }];
  assertEquals<unknown>(parseChatRequest({ messages, model: "gpt-5", ...params }).params, params);
});

Deno.test("parseChatRequest() takes what other clients send beside the contract", () => {
  const { messages, params } = parseChatRequest({
    model: "llama3.2:1b",
    messages: [
      { role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] },
      { role: "assistant", content: null, reasoning_content: "hm", tool_calls: null, refusal: null },
      {
        role: "assistant",
        content: "",
        tool_calls: [
          { id: "1", type: "function", function: { name: "f", arguments: "{}" }, extra_content: { google: {} } },
        ],
      },
      { role: "tool", content: "1", tool_call_id: "1", name: "f" },
    ],
    tools: [],
    tool_choice: null,
    reasoning: { effort: "low" },
    top_k: 40,
    provider: { order: ["a"] },
    stream_options: { include_usage: true, continuous_usage_stats: true },
  });
  assertEquals(messages.map((message) => Object.keys(message)), [
    ["role", "content"],
    ["role", "reasoning_content"],
    ["role", "content", "tool_calls"],
    ["role", "content", "tool_call_id", "name"],
  ]);
  assertEquals<unknown>(params, {
    tools: [],
    reasoning: { effort: "low" },
    top_k: 40,
    stream_options: { include_usage: true, continuous_usage_stats: true },
    extra: { provider: { order: ["a"] } },
  });
});
