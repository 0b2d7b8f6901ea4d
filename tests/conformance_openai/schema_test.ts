/** That the schemas are read as they are meant, and that they find what is wrong. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type SchemaName, unknownMembers, validateBody } from "./_schema.ts";
import { toJsonSchema } from "./_to_json_schema.ts";
import { makeSubset } from "./_vendor.ts";

const CHUNK = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta: { content: "Hi" }, logprobs: null, finish_reason: null }],
};
const RESPONSE = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{
    index: 0,
    message: { role: "assistant", content: "Hi", refusal: null },
    logprobs: null,
    finish_reason: "stop",
  }],
};
const [CHOICE] = RESPONSE.choices;
const [PIECE] = CHUNK.choices;
const ERROR = { message: "No", type: "server_error", param: null, code: null };

Deno.test("validateBody() takes what OpenAI sends, null included", () => {
  const sent: readonly (readonly [SchemaName, unknown])[] = [
    ["CreateChatCompletionResponse", RESPONSE],
    ["CreateChatCompletionStreamResponse", CHUNK],
    ["CreateChatCompletionStreamResponse", { ...CHUNK, usage: null }],
    ["CreateChatCompletionStreamResponse", { ...CHUNK, choices: [] }],
    ["ErrorResponse", { error: ERROR }],
    ["ListModelsResponse", { object: "list", data: [] }],
    ["Model", { id: "m", object: "model", created: 1, owned_by: "me" }],
    ["DeleteModelResponse", { id: "m", object: "model", deleted: true }],
    ["ChatCompletionDeleted", { id: "m", object: "chat.completion.deleted", deleted: true }],
  ];
  for (const [name, value] of sent) {
    validateBody(name, value);
    assertEquals(unknownMembers(name, value), []);
  }
});

Deno.test("validateBody() names what is wrong", () => {
  const wrong: readonly (readonly [SchemaName, unknown, path: string])[] = [
    ["CreateChatCompletionResponse", { ...RESPONSE, created: "now" }, "/created"],
    ["CreateChatCompletionResponse", { ...RESPONSE, system_fingerprint: null }, "/system_fingerprint"],
    ["CreateChatCompletionResponse", {
      ...RESPONSE,
      choices: [{ ...CHOICE, message: { role: "assistant", content: "Hi" } }],
    }, "'refusal'"],
    ["CreateChatCompletionResponse", {
      ...RESPONSE,
      choices: [{ ...CHOICE, message: { ...CHOICE?.message, tool_calls: null } }],
    }, "/choices/0/message/tool_calls"],
    ["CreateChatCompletionStreamResponse", { ...CHUNK, choices: undefined }, "'choices'"],
    ["CreateChatCompletionStreamResponse", {
      ...CHUNK,
      choices: [{ ...PIECE, finish_reason: "" }],
    }, "/choices/0/finish_reason"],
    ["CreateChatCompletionStreamResponse", {
      ...CHUNK,
      choices: [{ ...PIECE, delta: { tool_calls: [{ id: "call_1" }] } }],
    }, "'index'"],
    ["ErrorResponse", { error: { ...ERROR, param: undefined } }, "'param'"],
    ["ListModelsResponse", { object: "list", data: null }, "/data"],
  ];
  for (const [name, value, path] of wrong) {
    // Through JSON, where what is undefined is absent.
    const error = assertThrows(() => validateBody(name, JSON.parse(JSON.stringify(value))), Error);
    assertStringIncludes(error.message, `${name}: `);
    assertStringIncludes(error.message, path);
  }
});

Deno.test("unknownMembers() names members that OpenAI does not have, wherever they are", () => {
  const choices = [{ ...PIECE, delta: { content: "Hi", reasoning: "So" } }];
  assertEquals(unknownMembers("CreateChatCompletionStreamResponse", { ...CHUNK, choices, custom_outputs: {} }).sort(), [
    "/choices/*/delta/reasoning",
    "/custom_outputs",
  ]);
  assertEquals(unknownMembers("ErrorResponse", { error: { ...ERROR, more: 1 } }), ["/error/more"]);
});

Deno.test("toJsonSchema() says in JSON Schema what OpenAPI says in its own words", () => {
  const cases: readonly (readonly [schema: unknown, expected: unknown])[] = [
    [{ type: "string", description: "A", nullable: true }, { type: ["string", "null"] }],
    [{ type: "string", enum: ["a"], nullable: true }, { type: ["string", "null"], enum: ["a", null] }],
    [{ type: "string", nullable: false }, { type: "string" }],
    [{ $ref: "#/components/schemas/X", nullable: true }, { anyOf: [{ $ref: "#/$defs/X" }, { type: "null" }] }],
    [{ oneOf: [{ type: "string" }], nullable: true }, { anyOf: [{ oneOf: [{ type: "string" }] }, { type: "null" }] }],
    [{ $recursiveRef: "#" }, { $ref: "#/$defs/Self" }],
    [{ properties: { description: { type: "string", format: "x", "x-a": 1 } } }, {
      properties: { description: { type: "string" } },
    }],
    [{ enum: ["default", "format"] }, { enum: ["default", "format"] }],
  ];
  for (const [schema, expected] of cases) assertEquals(toJsonSchema(schema, "Self"), expected);
});

Deno.test("makeSubset() refuses what is no specification of OpenAI's", () => {
  assertThrows(() => makeSubset({ info: {}, components: { schemas: {} } }), Error, "CreateChatCompletionResponse");
  assertThrows(() => makeSubset([]), Error, "#/components/schemas/");
});
