import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { parseChatMessage, parseChatParams, parseChatRequest, ValidationError } from "../../types/mod.ts";

const HELLO = { role: "user", content: "Hello" };

function issuesOf(body: unknown): Record<string, string> {
  const error = assertThrows(() => parseChatRequest(body), ValidationError);
  return Object.fromEntries(error.issues.map((issue) => [issue.path, issue.message]));
}

const BODIES: readonly (readonly [name: string, body: unknown, issues: Record<string, string>])[] = [
  ["null", null, { "": "Expected an object, found null" }],
  ["nothing", undefined, { "": "Expected an object, found nothing" }],
  ["an array", [HELLO], { "": "Expected an object, found an array" }],
  ["an empty array", [], { "": "Expected an object, found an empty array" }],
  ["a string", "Hello", { "": "Expected an object, found a string" }],
  ["a number", 5, { "": "Expected an object, found 5" }],
  ["no messages", {}, { messages: "Expected an array of messages, found nothing" }],
  ["null for messages", { messages: null }, { messages: "Expected an array of messages, found nothing" }],
  ["an object for messages", { messages: { 0: HELLO } }, {
    messages: "Expected an array of messages, found an object",
  }],
  ["a string for messages", { messages: "Hi" }, { messages: "Expected an array of messages, found a string" }],
  ["no message at all", { messages: [] }, { messages: "Expected at least one message, found an empty array" }],
  ["a number for model", { messages: [HELLO], model: 5 }, { model: "Expected a string, found 5" }],
];

for (const [name, body, issues] of BODIES) {
  Deno.test(`parseChatRequest() tells what is wrong when given ${name}`, () => assertEquals(issuesOf(body), issues));
}

const ROLES = 'Expected "system", "developer", "user", "assistant", "tool" or "function"';
const USER_PARTS = 'Expected "text", "image_url", "input_audio" or "file"';
const TEXT_OR_PARTS = "Expected a string or an array of parts";

const MESSAGES: readonly (readonly [message: unknown, issues: Record<string, string>])[] = [
  [null, { "": "Expected an object, found null" }],
  ["Hello", { "": "Expected an object, found a string" }],
  [[], { "": "Expected an object, found an empty array" }],
  [{}, { role: `${ROLES}, found nothing` }],
  [{ role: null }, { role: `${ROLES}, found null` }],
  [{ role: "bot", content: "a" }, { role: `${ROLES}, found "bot"` }],
  [{ role: "x".repeat(41), content: "a" }, { role: `${ROLES}, found a string of 41 characters` }],
  [{ role: ["user"], content: "a" }, { role: `${ROLES}, found an array` }],
  [{ role: "__proto__", content: "a" }, { role: `${ROLES}, found "__proto__"` }],
  [{ role: "user" }, { content: `${TEXT_OR_PARTS}, found nothing` }],
  [{ role: "user", content: null }, { content: `${TEXT_OR_PARTS}, found null` }],
  [{ role: "user", content: 42 }, { content: `${TEXT_OR_PARTS}, found 42` }],
  [{ role: "user", content: { text: "a" } }, { content: `${TEXT_OR_PARTS}, found an object` }],
  [{ role: "user", content: [] }, { content: "Expected a string or at least one part, found an empty array" }],
  [{ role: "user", content: ["a"] }, { "content.0": "Expected an object, found a string" }],
  [{ role: "user", content: [[]] }, { "content.0": "Expected an object, found an empty array" }],
  [{ role: "user", content: [{}] }, { "content.0.type": `${USER_PARTS}, found nothing` }],
  [{ role: "user", content: [{ type: "video_url", video_url: { url: "u" } }] }, {
    "content.0.type": `${USER_PARTS}, found "video_url"`,
  }],
  [{ role: "user", content: [{ type: "refusal", refusal: "a" }] }, {
    "content.0.type": `${USER_PARTS}, found "refusal"`,
  }],
  [{ role: "user", content: [{ type: "text" }] }, { "content.0.text": "Expected a string, found nothing" }],
  [{ role: "user", content: [{ type: "text", text: null }] }, { "content.0.text": "Expected a string, found null" }],
  [{ role: "user", content: [{ type: "image_url" }] }, { "content.0.image_url": "Expected an object, found nothing" }],
  [{ role: "user", content: [{ type: "image_url", image_url: [] }] }, {
    "content.0.image_url": "Expected an object, found an empty array",
  }],
  [
    { role: "user", content: [{ type: "text", text: "a" }, { type: "image_url", image_url: { url: 1, detail: "x" } }] },
    {
      "content.1.image_url.url": "Expected a string, found 1",
      "content.1.image_url.detail": 'Expected "auto", "low" or "high", found "x"',
    },
  ],
  [{ role: "user", content: [{ type: "input_audio", input_audio: { data: 1, format: "ogg" } }] }, {
    "content.0.input_audio.data": "Expected a string, found 1",
    "content.0.input_audio.format": 'Expected "wav" or "mp3", found "ogg"',
  }],
  [{ role: "user", content: [{ type: "file", file: { file_id: 1 } }] }, {
    "content.0.file.file_id": "Expected a string, found 1",
  }],
  [{ role: "user", content: "a", name: 1 }, { name: "Expected a string, found 1" }],
  [{ role: "system", content: [{ type: "image_url", image_url: "u" }] }, {
    "content.0.type": 'Expected "text", found "image_url"',
  }],
  [{ role: "developer" }, { content: `${TEXT_OR_PARTS}, found nothing` }],
  [{ role: "assistant", content: 1 }, { content: `${TEXT_OR_PARTS}, found 1` }],
  [{ role: "assistant", content: [{ type: "image_url" }] }, {
    "content.0.type": 'Expected "text" or "refusal", found "image_url"',
  }],
  [{ role: "assistant", tool_calls: {} }, { tool_calls: "Expected an array of tool calls, found an object" }],
  [{ role: "assistant", tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: {} } }] }, {
    "tool_calls.0.function.arguments": "Expected a string, found an object",
  }],
  [{ role: "assistant", tool_calls: [{ type: "custom", custom: { name: "f" } }] }, {
    "tool_calls.0.id": "Expected a string, found nothing",
    "tool_calls.0.custom.input": "Expected a string, found nothing",
  }],
  [{ role: "assistant", tool_calls: [{ id: "1", function: { name: "f", arguments: "" } }] }, {
    "tool_calls.0.type": 'Expected "function" or "custom", found nothing',
  }],
  [{ role: "assistant", function_call: "f" }, { function_call: "Expected an object, found a string" }],
  [{ role: "assistant", audio: {} }, { "audio.id": "Expected a string, found nothing" }],
  [{ role: "tool", content: "a" }, { tool_call_id: "Expected a string, found nothing" }],
  [{ role: "function", content: [] }, {
    content: "Expected a string, found an empty array",
    name: "Expected a string, found nothing",
  }],
];

for (const [message, issues] of MESSAGES) {
  Deno.test(`parseChatMessage() and parseChatRequest() give paths in ${JSON.stringify(message)}`, () => {
    const error = assertThrows(() => parseChatMessage(message), ValidationError);
    assertEquals(Object.fromEntries(error.issues.map((issue) => [issue.path, issue.message])), issues);
    const nested = Object.entries(issues).map((
      [path, text],
    ) => [path === "" ? "messages.1" : `messages.1.${path}`, text]);
    assertEquals(issuesOf({ messages: [HELLO, message] }), Object.fromEntries(nested));
  });
}

const TOOL_CHOICE = 'Expected "none", "auto", "required" or an object that names a tool';

const PARAMS: readonly (readonly [params: Record<string, unknown>, issues: Record<string, string>])[] = [
  [{ temperature: 2.1 }, { temperature: "Expected a number from 0 to 2, found 2.1" }],
  [{ temperature: -0.1 }, { temperature: "Expected a number from 0 to 2, found -0.1" }],
  [{ temperature: "1" }, { temperature: "Expected a number from 0 to 2, found a string" }],
  [{ temperature: NaN }, { temperature: "Expected a number from 0 to 2, found NaN" }],
  [{ top_p: 1.01 }, { top_p: "Expected a number from 0 to 1, found 1.01" }],
  [{ top_k: 1.5 }, { top_k: "Expected an integer of at least 0, found 1.5" }],
  [{ top_k: Infinity }, { top_k: "Expected an integer of at least 0, found Infinity" }],
  [{ min_p: -1 }, { min_p: "Expected a number from 0 to 1, found -1" }],
  [{ n: 0 }, { n: "Expected an integer from 1 to 128, found 0" }],
  [{ n: 129 }, { n: "Expected an integer from 1 to 128, found 129" }],
  [{ n: "1" }, { n: "Expected an integer from 1 to 128, found a string" }],
  [{ max_tokens: -1 }, { max_tokens: "Expected an integer of at least 0, found -1" }],
  [{ max_tokens: 2 ** 53 }, { max_tokens: `Expected an integer of at least 0, found ${2 ** 53}` }],
  [{ max_completion_tokens: true }, { max_completion_tokens: "Expected an integer of at least 0, found true" }],
  [{ stop: 5 }, { stop: "Expected a string or an array of strings, found 5" }],
  [{ stop: ["a", 5] }, { "stop.1": "Expected a string, found 5" }],
  [{ seed: 2 ** 53 }, { seed: `Expected a safe integer, found ${2 ** 53}` }],
  [{ seed: 0.5 }, { seed: "Expected a safe integer, found 0.5" }],
  [{ frequency_penalty: 3 }, { frequency_penalty: "Expected a number from -2 to 2, found 3" }],
  [{ presence_penalty: -3 }, { presence_penalty: "Expected a number from -2 to 2, found -3" }],
  [{ logit_bias: [1] }, { logit_bias: "Expected an object, found an array" }],
  [{ logit_bias: { "1": 1, "50256": 101, "5": null } }, {
    "logit_bias.5": "Expected an integer from -100 to 100, found null",
    "logit_bias.50256": "Expected an integer from -100 to 100, found 101",
  }],
  [{ logprobs: 5 }, { logprobs: "Expected true or false, found 5" }],
  [{ top_logprobs: 21 }, { top_logprobs: "Expected an integer from 0 to 20, found 21" }],
  [{ stream: "true" }, { stream: "Expected true or false, found a string" }],
  [{ stream_options: [] }, { stream_options: "Expected an object, found an empty array" }],
  [{ stream_options: { include_usage: 1 } }, { "stream_options.include_usage": "Expected true or false, found 1" }],
  [{ response_format: "json" }, { response_format: "Expected an object, found a string" }],
  [{ response_format: { type: "xml" } }, {
    "response_format.type": 'Expected "text", "json_object" or "json_schema", found "xml"',
  }],
  [{ response_format: { type: "json_schema" } }, {
    "response_format.json_schema": "Expected an object, found nothing",
  }],
  [{ response_format: { type: "json_schema", json_schema: { name: "", schema: [], strict: "yes" } } }, {
    "response_format.json_schema.name": "Expected a non-empty string, found an empty string",
    "response_format.json_schema.schema": "Expected an object, found an empty array",
    "response_format.json_schema.strict": "Expected true or false, found a string",
  }],
  [{ tools: {} }, { tools: "Expected an array of tools, found an object" }],
  [{ tools: [{ type: "web_search" }] }, { "tools.0.type": 'Expected "function" or "custom", found "web_search"' }],
  [{ tools: [{ type: "function" }] }, { "tools.0.function": "Expected an object, found nothing" }],
  [{ tools: [{ type: "function", function: { name: "", parameters: [] } }] }, {
    "tools.0.function.name": "Expected a non-empty string, found an empty string",
    "tools.0.function.parameters": "Expected an object, found an empty array",
  }],
  [{ tools: [{ type: "custom", custom: {} }] }, {
    "tools.0.custom.name": "Expected a non-empty string, found nothing",
  }],
  [{ tool_choice: "any" }, { tool_choice: 'Expected "none", "auto" or "required", found "any"' }],
  [{ tool_choice: 5 }, { tool_choice: `${TOOL_CHOICE}, found 5` }],
  [{ tool_choice: ["auto"] }, { tool_choice: `${TOOL_CHOICE}, found an array` }],
  [{ tool_choice: { type: "function", name: "f" } }, { "tool_choice.function": "Expected an object, found nothing" }],
  [{ tool_choice: { type: "allowed_tools", allowed_tools: { mode: "none", tools: ["f"] } } }, {
    "tool_choice.allowed_tools.mode": 'Expected "auto" or "required", found "none"',
    "tool_choice.allowed_tools.tools.0": "Expected an object, found a string",
  }],
  [{ functions: [{}] }, { "functions.0.name": "Expected a non-empty string, found nothing" }],
  [{ function_call: "required" }, { function_call: 'Expected "none" or "auto", found "required"' }],
  [{ function_call: {} }, { "function_call.name": "Expected a non-empty string, found nothing" }],
  [{ reasoning_effort: 5 }, { reasoning_effort: "Expected a string, found 5" }],
  [{ reasoning: "high" }, { reasoning: "Expected an object, found a string" }],
  [{ modalities: "text" }, { modalities: "Expected an array of strings, found a string" }],
  [{ metadata: ["a"] }, { metadata: "Expected an object, found an array" }],
  [{ custom_inputs: "a" }, { custom_inputs: "Expected an object, found a string" }],
];

for (const [params, issues] of PARAMS) {
  Deno.test(`parseChatParams() and parseChatRequest() refuse ${Object.keys(issues)} in ${JSON.stringify(params)}`, () => {
    const error = assertThrows(() => parseChatParams(params), ValidationError);
    assertEquals(Object.fromEntries(error.issues.map((issue) => [issue.path, issue.message])), issues);
    assertEquals(issuesOf({ messages: [HELLO], ...params }), issues);
  });
}

Deno.test("parseChatParams() refuses what is no object, and an extra that is none", () => {
  for (const input of [null, [], "a", 5]) {
    assertThrows(() => parseChatParams(input), ValidationError, "Cannot parse chat parameters");
  }
  const error = assertThrows(() => parseChatParams({ extra: [1], x: 1 }), ValidationError);
  assertEquals(error.issues, [{ path: "extra", message: "Expected an object, found an array" }]);
});

Deno.test("parseChatRequest() throws one error that lists all that is wrong", () => {
  const error = assertThrows(
    () =>
      parseChatRequest({
        messages: [{ role: "user" }, HELLO, { role: "bot" }],
        temperature: 3,
        n: 0,
        model: 1,
        x: NaN,
      }),
    ValidationError,
  );
  assertEquals(error.issues.map((issue) => issue.path), [
    "messages.0.content",
    "messages.2.role",
    "model",
    "temperature",
    "n",
  ]);
  assertStrictEquals(error.param, "messages.0.content");
  assertStrictEquals(error.code, "invalid_value");
  assertStrictEquals(error.status, 400);
  assertStrictEquals(error.type, "invalid_request_error");
  assertStrictEquals(
    error.message,
    'Cannot parse chat request: "messages.0.content": Expected a string or an array of parts, found nothing; ' +
      `"messages.2.role": ${ROLES}, found "bot"; "model": Expected a string, found 1; ` +
      '"temperature": Expected a number from 0 to 2, found 3; "n": Expected an integer from 1 to 128, found 0',
  );
});

Deno.test("parseChatRequest() has no param when the body itself is wrong", () => {
  assertStrictEquals(assertThrows(() => parseChatRequest([]), ValidationError).param, null);
});

Deno.test("parseChatRequest() never puts prompt text in its errors", () => {
  const secret = "my password is swordfish";
  const bodies = [
    secret,
    { messages: secret },
    { messages: [secret] },
    { messages: [{ role: "user", content: [secret] }] },
    { messages: [{ role: "user", content: { text: secret } }] },
    { messages: [{ role: "user", content: [{ type: "text", text: [secret] }] }] },
    { messages: [{ role: "user", content: [{ type: "input_text", text: secret }] }] },
    { messages: [{ role: "user", content: [{ type: "file", file: secret }] }] },
    { messages: [{ role: "bot", content: secret }] },
    { messages: [{ role: "user", content: 5, name: secret }, { role: "tool", content: secret }] },
    { messages: [{ role: "assistant", function_call: secret, tool_calls: secret, audio: secret }] },
    { messages: [HELLO], temperature: secret, stream: secret, logit_bias: secret, tools: secret, metadata: secret },
    { messages: [HELLO], tools: [{ type: "function", function: { name: [secret], description: [secret] } }] },
    { messages: [HELLO], response_format: secret, stream_options: secret, modalities: secret, reasoning: secret },
  ];
  for (const body of bodies) {
    const error = assertThrows(() => parseChatRequest(body), ValidationError);
    assert(
      !JSON.stringify({ ...error.toErrorObject(), issues: error.issues, cause: error.cause }).includes("swordfish"),
    );
  }
});

Deno.test("parseChatRequest() finds every issue of a long array, with its index", () => {
  const messages = Array.from({ length: 200 }, (_, index) => index % 3 === 0 ? { role: "user" } : HELLO);
  const paths = messages.flatMap((message, index) => message === HELLO ? [] : [`messages.${index}.content`]);
  assertEquals(Object.keys(issuesOf({ messages })), paths);
});

Deno.test("parseChatRequest() stops looking when far too much is wrong", () => {
  const wrong = Array.from({ length: 10_000 }, () => 1);
  const bias = Object.fromEntries(wrong.map((_, index) => [index, "x"]));
  for (
    const body of [{ messages: wrong }, { messages: [HELLO], stop: wrong }, { messages: [HELLO], logit_bias: bias }]
  ) {
    const error = assertThrows(() => parseChatRequest(body), ValidationError);
    assert(error.issues.length >= 100 && error.issues.length < 120);
  }
});
