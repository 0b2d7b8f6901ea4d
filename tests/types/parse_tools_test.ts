import { assertEquals, assertThrows } from "@std/assert";
import { parseChatRequest, type ValidationIssue } from "../../types/mod.ts";
import { ValidationError } from "../../types/mod.ts";

const MESSAGES = [{ role: "user", content: "Hi" }];

function issuesOf(params: object): readonly ValidationIssue[] {
  return assertThrows(() => parseChatRequest({ messages: MESSAGES, ...params }), ValidationError).issues;
}

const tool = (name: string, parameters: object = { type: "object" }) => ({
  type: "function",
  function: { name, parameters },
});
const custom = (name: string) => ({ type: "custom", custom: { name } });
const allowed = (mode: string, ...tools: object[]) => ({ type: "allowed_tools", allowed_tools: { mode, tools } });

/** Parameters → the path and the message of what is wrong with them. */
const WRONG: readonly (readonly [name: string, params: object, path: string, message: string])[] = [
  [
    "no allowed tool",
    { tools: [tool("a")], tool_choice: allowed("required") },
    "tool_choice.allowed_tools.tools",
    "Expected at least one tool, found an empty array",
  ],
  [
    "an allowed tool that is not offered",
    { tools: [tool("a")], tool_choice: allowed("auto", tool("a"), { type: "function", name: "b" }) },
    "tool_choice.allowed_tools.tools.1",
    'Expected the name of one of the tools, found "b"',
  ],
  [
    "a choice of a function that is not offered",
    { tools: [tool("a")], tool_choice: { type: "function", function: { name: "b" } } },
    "tool_choice.function.name",
    'Expected the name of one of the tools, found "b"',
  ],
  [
    "a choice of a function by the name of a custom tool",
    { tools: [custom("a")], tool_choice: { type: "function", function: { name: "a" } } },
    "tool_choice.function.name",
    'Expected the name of one of the tools, found "a"',
  ],
  [
    "a choice of a custom tool that is not offered",
    { tools: [tool("b".repeat(65))], tool_choice: { type: "custom", custom: { name: "b".repeat(65) } } },
    "tool_choice.custom.name",
    "Expected the name of one of the tools, found a name of 65 characters",
  ],
  [
    "a function demanded that is not offered",
    { functions: [{ name: "a" }], function_call: { name: "b" } },
    "function_call.name",
    'Expected the name of one of the tools, found "b"',
  ],
  [
    "two tools of one name",
    { tools: [tool("a"), tool("a")] },
    "tools.1.function.name",
    "Expected a name that no other of them has, found that of another",
  ],
  [
    "a custom tool by the name of a function",
    { tools: [tool("a"), custom("a")] },
    "tools.1.custom.name",
    "Expected a name that no other of them has, found that of another",
  ],
  [
    "two functions of one name",
    { functions: [{ name: "a" }, { name: "b" }, { name: "a" }] },
    "functions.2.name",
    "Expected a name that no other of them has, found that of another",
  ],
];

for (const [name, params, path, message] of WRONG) {
  Deno.test(`parseChatRequest() refuses ${name}`, () => assertEquals(issuesOf(params), [{ path, message }]));
}

Deno.test("parseChatRequest() takes every choice of what is offered", () => {
  const tools = [tool("a"), custom("b")];
  const choices = [
    "none",
    "auto",
    "required",
    { type: "function", function: { name: "a" } },
    { type: "custom", custom: { name: "b" } },
    allowed("required", tool("a"), custom("b"), { type: "function", name: "a" }),
  ];
  for (const tool_choice of choices) {
    assertEquals<unknown>(parseChatRequest({ messages: MESSAGES, tools, tool_choice }).params.tool_choice, tool_choice);
  }
  const { params } = parseChatRequest({ messages: MESSAGES, functions: [{ name: "a" }], function_call: { name: "a" } });
  assertEquals(params.function_call, { name: "a" });
  const both = { tools: [tool("a")], functions: [{ name: "a" }] };
  assertEquals<unknown>(parseChatRequest({ messages: MESSAGES, ...both }).params, both);
});

/** A property's schema that no one could read → path in it and message. */
const SCHEMAS: readonly (readonly [schema: object, path: string, message: string])[] = [
  [{ anyOf: {} }, ".anyOf", "Expected an array of at least one JSON Schema, found an object"],
  [{ oneOf: [] }, ".oneOf", "Expected an array of at least one JSON Schema, found an empty array"],
  [{ allOf: [5] }, ".allOf.0", "Expected a JSON Schema, found 5"],
  [
    { anyOf: [{ type: "text" }] },
    ".anyOf.0.type",
    "Expected a type of JSON Schema or an array of such, found a string",
  ],
  [{ pattern: 5 }, ".pattern", "Expected a string, found 5"],
  [
    { not: { patternProperties: { x: { pattern: {} } } } },
    ".not.patternProperties.x.pattern",
    "Expected a string, found an object",
  ],
  [{ additionalProperties: { $ref: 5 } }, ".additionalProperties.$ref", "Expected a string, found 5"],
  [{ items: [{ format: true }] }, ".items.0.format", "Expected a string, found true"],
  [{ $defs: { A: { minLength: -1 } } }, ".$defs.A.minLength", "Expected an integer of at least 0, found -1"],
  [{ minimum: "1" }, ".minimum", "Expected a number, found a string"],
  [{ multipleOf: 0 }, ".multipleOf", "Expected a number above 0, found 0"],
  [{ dependentRequired: { a: "b" } }, ".dependentRequired", "Expected an object of arrays of strings, found an object"],
  [{ type: [] }, ".type", "Expected a type of JSON Schema or an array of such, found an empty array"],
];

for (const [schema, path, message] of SCHEMAS) {
  Deno.test(`parseChatRequest() refuses the schema ${JSON.stringify(schema)} in tools and in response_format`, () => {
    assertEquals(issuesOf({ tools: [tool("f", { properties: { p: schema } })] }), [
      { path: `tools.0.function.parameters.properties.p${path}`, message },
    ]);
    assertEquals(issuesOf({ response_format: { type: "json_schema", json_schema: { name: "f", schema } } }), [
      { path: `response_format.json_schema.schema${path}`, message },
    ]);
  });
}

Deno.test("parseChatRequest() takes words in places of data, and keywords it does not know, for what they are", () => {
  const schema = {
    enum: [{ pattern: 5 }],
    const: { anyOf: {} },
    default: { type: "text" },
    examples: [{ type: "text" }],
    "x-own": { type: "text" },
    properties: { pattern: { type: "string" }, anyOf: true, nothing: { pattern: null } },
    exclusiveMinimum: true,
    required: true,
  };
  const response_format = { type: "json_schema", json_schema: { name: "f", schema } };
  assertEquals<unknown>(
    parseChatRequest({ messages: MESSAGES, response_format }).params.response_format,
    response_format,
  );
});
