import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  parseChatChunk,
  parseChatResponse,
  parseErrorResponse,
  parseModelList,
  ValidationError,
} from "../../types/mod.ts";

const RESPONSE = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "llama3.2:1b",
  choices: [{
    index: 0,
    message: { role: "assistant", content: "Hello", refusal: null },
    finish_reason: "stop",
    logprobs: null,
  }],
};
const CHUNK = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "llama3.2:1b",
  choices: [{ index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }],
};
const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const TOKEN = { token: "a", logprob: -0.5, bytes: [97, 255] };

function issuesOf(parse: (input: unknown) => unknown, input: unknown): Record<string, string> {
  const error = assertThrows(() => parse(input), ValidationError);
  return Object.fromEntries(error.issues.map((issue) => [issue.path, issue.message]));
}

Deno.test("parseChatResponse() keeps a full answer as it is", () => {
  const response = {
    ...RESPONSE,
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: null,
        refusal: "No",
        tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
        function_call: { name: "f", arguments: "{}" },
        reasoning: "r",
        reasoning_content: "r",
        annotations: [{ type: "url_citation", x: null }],
        audio: { id: "a", x: null },
        provider_specific_fields: null,
      },
      finish_reason: "tool_calls",
      logprobs: { content: [{ ...TOKEN, top_logprobs: [TOKEN, { ...TOKEN, bytes: null }] }], refusal: null },
    }],
    usage: { ...USAGE, prompt_tokens_details: { cached_tokens: 0, text_tokens: 1 }, cost: 0.1 },
    system_fingerprint: "fp",
    service_tier: "default",
    custom_outputs: { ollama: { load_duration: null } },
    provider: "x",
  };
  assertEquals<unknown>(parseChatResponse(response), response);
});

Deno.test("parseChatResponse() writes null for what may be null, and leaves out what may be absent", () => {
  const usage = { ...USAGE, prompt_tokens_details: null, completion_tokens_details: { reasoning_tokens: null } };
  const choices = [{
    index: 0,
    message: { role: "assistant", tool_calls: null, audio: null },
    finish_reason: "length",
  }];
  const nulls = { usage, system_fingerprint: null, service_tier: null, custom_outputs: null };
  assertEquals<unknown>(parseChatResponse({ ...RESPONSE, ...nulls, choices }), {
    ...RESPONSE,
    usage: { ...USAGE, completion_tokens_details: {} },
    choices: [{
      index: 0,
      message: { role: "assistant", content: null, refusal: null },
      finish_reason: "length",
      logprobs: null,
    }],
  });
  assertStrictEquals("usage" in parseChatResponse({ ...RESPONSE, usage: null }), false);
});

Deno.test("parseChatResponse() tells all that is wrong", () => {
  assertEquals(issuesOf(parseChatResponse, []), { "": "Expected an object, found an empty array" });
  assertEquals(
    issuesOf(parseChatResponse, {
      ...RESPONSE,
      id: 1,
      created: 1.5,
      choices: [{
        index: -1,
        message: { role: "user", content: [], tool_calls: [{ id: "1", type: "function", function: { name: "f" } }] },
        finish_reason: "",
        logprobs: { content: [{ token: "a", logprob: -Infinity, bytes: [256], top_logprobs: {} }] },
      }],
      usage: { prompt_tokens: 1 },
    }),
    {
      id: "Expected a string, found 1",
      created: "Expected an integer of at least 0, found 1.5",
      "choices.0.index": "Expected an integer of at least 0, found -1",
      "choices.0.message.role": 'Expected "assistant", found "user"',
      "choices.0.message.content": "Expected a string, found an empty array",
      "choices.0.message.tool_calls.0.function.arguments": "Expected a string, found nothing",
      "choices.0.finish_reason":
        'Expected "stop", "length", "tool_calls", "content_filter" or "function_call", found ""',
      "choices.0.logprobs.content.0.logprob": "Expected a number, found -Infinity",
      "choices.0.logprobs.content.0.bytes.0": "Expected an integer from 0 to 255, found 256",
      "choices.0.logprobs.content.0.top_logprobs": "Expected an array of tokens, found an object",
      "usage.completion_tokens": "Expected an integer of at least 0, found nothing",
      "usage.total_tokens": "Expected an integer of at least 0, found nothing",
    },
  );
});

for (
  const delta of [
    {},
    { role: "assistant", content: null },
    { content: "a" },
    { refusal: "a" },
    { tool_calls: [{ index: 0, id: "1", type: "function", function: { name: "f", arguments: "" } }] },
    { tool_calls: [{ index: 1, function: { arguments: "{" } }, { index: 2, custom: { input: "a" } }] },
    { function_call: { arguments: "{" } },
    { reasoning: "r", reasoning_content: "r" },
    { annotations: [{}], audio: {} },
  ]
) {
  Deno.test(`parseChatChunk() keeps the delta ${JSON.stringify(delta)} as it is`, () => {
    const chunk = { ...CHUNK, choices: [{ index: 0, delta, logprobs: null, finish_reason: null }] };
    assertEquals<unknown>(parseChatChunk(chunk), chunk);
  });
}

Deno.test("parseChatChunk() keeps null where it has a meaning and drops it elsewhere", () => {
  const tool_calls = [{ index: 0, id: null, type: null, function: { name: null, arguments: "{" } }];
  const delta = { role: null, content: null, refusal: null, tool_calls, function_call: null, reasoning: null };
  const chunk = parseChatChunk({ ...CHUNK, choices: [{ index: 0, delta }], usage: null, system_fingerprint: null });
  assertEquals<unknown>(chunk, {
    ...CHUNK,
    choices: [{
      index: 0,
      delta: { content: null, tool_calls: [{ index: 0, function: { arguments: "{" } }] },
      logprobs: null,
      finish_reason: null,
    }],
    usage: null,
  });
});

Deno.test("parseChatChunk() takes the chunk that carries the usage", () => {
  const chunk = { ...CHUNK, choices: [], usage: USAGE, custom_outputs: { a: null }, obfuscation: "xyz" };
  assertEquals<unknown>(parseChatChunk(chunk), chunk);
});

Deno.test("parseChatChunk() tells all that is wrong", () => {
  assertEquals(issuesOf(parseChatChunk, { ...CHUNK, choices: null, usage: [] }), {
    choices: "Expected an array of choices, found null",
    usage: "Expected an object, found an empty array",
  });
  const delta = { role: "user", tool_calls: [{ type: "x" }] };
  assertEquals(issuesOf(parseChatChunk, { ...CHUNK, choices: [{ delta, finish_reason: "done" }, { index: 0 }] }), {
    "choices.0.index": "Expected an integer of at least 0, found nothing",
    "choices.0.delta.role": 'Expected "assistant", found "user"',
    "choices.0.delta.tool_calls.0.index": "Expected an integer of at least 0, found nothing",
    "choices.0.delta.tool_calls.0.type": 'Expected "function" or "custom", found "x"',
    "choices.0.finish_reason":
      'Expected "stop", "length", "tool_calls", "content_filter" or "function_call", found "done"',
    "choices.1.delta": "Expected an object, found nothing",
  });
});

Deno.test("parseErrorResponse() writes null for an absent param and code", () => {
  const error = { message: "No", type: "server_error" };
  assertEquals(parseErrorResponse({ error }), { error: { ...error, param: null, code: null } });
  const full = { error: { ...error, param: "messages.0", code: "x", request_id: "1" } };
  assertEquals<unknown>(parseErrorResponse(full), full);
});

Deno.test("parseErrorResponse() refuses other forms of error", () => {
  assertEquals(issuesOf(parseErrorResponse, { error: "not found" }), { error: "Expected an object, found a string" });
  assertEquals(issuesOf(parseErrorResponse, { error: { code: 404 } }), {
    "error.message": "Expected a string, found nothing",
    "error.type": "Expected a string, found nothing",
    "error.code": "Expected a string, found 404",
  });
  assertEquals(
    assertThrows(() => parseErrorResponse(null), ValidationError).message,
    "Cannot parse error response: Expected an object, found null",
  );
});

Deno.test("parseModelList() takes lists with models and without", () => {
  const model = { id: "llama3.2:1b", object: "model", created: 1, owned_by: "library", permission: [] };
  assertEquals<unknown>(parseModelList({ object: "list", data: [model] }), { object: "list", data: [model] });
  assertEquals(parseModelList({ object: "list", data: [] }), { object: "list", data: [] });
});

Deno.test("parseModelList() refuses null for data, and incomplete models", () => {
  assertEquals(issuesOf(parseModelList, { object: "list", data: null }), {
    data: "Expected an array of models, found null",
  });
  assertEquals(issuesOf(parseModelList, { data: [{ id: "a", object: "engine", created: "now" }] }), {
    object: 'Expected "list", found nothing',
    "data.0.object": 'Expected "model", found "engine"',
    "data.0.created": "Expected an integer of at least 0, found a string",
    "data.0.owned_by": "Expected a string, found nothing",
  });
});
