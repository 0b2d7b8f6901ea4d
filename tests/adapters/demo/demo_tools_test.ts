import { assertEquals, assertThrows } from "@std/assert";
import { type ChatMessage, type ChatParams, type ToolDefinition, ValidationError } from "../../../types/mod.ts";
import { answer, calls, magicFunction, now, parts, tool, tools, user } from "./_demo.ts";

Deno.test("DemoChatModel takes arguments from a written call, and none for a tool without arguments", () => {
  const prompt = "What is the value of magic_function(3)? Use the tool.";
  assertEquals(calls(prompt, { tools: [magicFunction] }), [["magic_function", { input: 3 }]]);
  const noArguments = tool("magic_function_no_args", { type: "object", properties: {} });
  const prompt2 = "What is the value of magic_function_no_args()? Use the tool.";
  assertEquals(calls(prompt2, { tools: [magicFunction, noArguments] }), [["magic_function_no_args", {}]]);
  assertEquals(calls("x", { tools: [now] }), [["now", {}]]);
});

Deno.test("DemoChatModel copies names exactly", () => {
  const customer = tool("create_customer", {
    type: "object",
    properties: { customer_name: { type: "string" }, age: { type: "number" } },
    required: ["customer_name", "age"],
  });
  for (const name of ["你好啊集团", "Müller-Łukasz 北京 'O’Neill'", "Иван Ⅳ", "ابن سينا", "Zoë 👩‍👩‍👧"]) {
    for (const [open, close] of [['"', '"'], ["“", "”"], ["«", "»"], ["„", "“"], ["「", "」"]]) {
      assertEquals(calls(`Create a customer named ${open}${name}${close} of age 41.5`, { tools: [customer] }), [
        ["create_customer", { customer_name: name, age: 41.5 }],
      ]);
    }
  }
  assertEquals(calls("Create a customer named '你好啊集团'(Hello Group), 3 years old", { tools: [customer] }), [
    ["create_customer", { customer_name: "你好啊集团", age: 3 }],
  ]);
});

const CHOICES: readonly (readonly [name: string, prompt: string, params: ChatParams, expected: readonly string[]])[] = [
  ["all by default", "Hello!", { tools }, ["magic_function", "get_weather", "now"]],
  ["all when required, whatever is mentioned", "get_weather", { tools, tool_choice: "required" }, [
    "magic_function",
    "get_weather",
    "now",
  ]],
  ["those mentioned", "use get_weather, not renown", { tools, tool_choice: "auto" }, ["get_weather"]],
  ["none when told", "Hello!", { tools, tool_choice: "none" }, []],
  ["the first without parallel calls", "Hello!", { tools, parallel_tool_calls: false }, ["magic_function"]],
  ["the named one", "now", { tools, tool_choice: { type: "function", function: { name: "get_weather" } } }, [
    "get_weather",
  ]],
  [
    "the allowed ones",
    "Hello!",
    {
      tools,
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: {
          mode: "required",
          tools: [{ type: "function", function: { name: "now" } }, { type: "function", name: "get_weather" }],
        },
      },
    },
    ["get_weather", "now"],
  ],
  ["none when none are offered", "Hello!", { tools: [], tool_choice: "auto" }, []],
];

for (const [name, prompt, params, expected] of CHOICES) {
  Deno.test(`DemoChatModel calls ${name}`, () => {
    const { tool_calls, finish_reason, content } = answer(user(prompt), params);
    assertEquals((tool_calls ?? []).map((call) => call.function?.name), [...expected]);
    assertEquals(finish_reason, expected.length > 0 ? "tool_calls" : "stop");
    assertEquals(content === null, expected.length > 0);
  });
}

Deno.test("DemoChatModel refuses a choice of tools that are not offered", () => {
  const choices: ChatParams[] = [
    { tools, tool_choice: { type: "function", function: { name: "other" } } },
    { tools, tool_choice: { type: "custom", custom: { name: "now" } } },
    { tools, tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [] } } },
    { tools, tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ name: "now" }, {}] } } },
    { tool_choice: "required" },
    { functions: [{ name: "f" }], function_call: { name: "g" } },
  ];
  for (const params of choices) {
    const error = assertThrows(() => answer(user("x"), params), ValidationError, "Cannot choose a ");
    assertEquals(error.status, 400);
    assertThrows(() => parts(user("x"), params), ValidationError);
  }
});

Deno.test("DemoChatModel streams a call's name first and its arguments in fragments", () => {
  const stream = parts(user('get_weather in "Los Angeles", celsius'), { tools });
  assertEquals(stream.slice(0, -1), [
    { index: 0, tool_calls: [{ type: "function", function: { name: "get_weather", arguments: "" } }] },
    ...['{"location": ', '"Los ', 'Angeles", ', '"unit": ', '"celsius"}'].map((fragment) => (
      { index: 0, tool_calls: [{ function: { arguments: fragment } }] }
    )),
  ]);
});

Deno.test("DemoChatModel calls custom tools with the prompt, and functions of the deprecated form one at a time", () => {
  const shell: ToolDefinition = { type: "custom", custom: { name: "shell" } };
  assertEquals(calls("list my files", { tools: [shell] }), [["shell", "list my files"]]);
  const functions = [{ name: "f", parameters: { properties: { a: { type: "integer" } }, required: ["a"] } }, {
    name: "g",
  }];
  assertEquals(answer(user("take 4"), { functions }).function_call, { name: "f", arguments: '{"a": 4}' });
  assertEquals(answer(user("take 4"), { functions }).finish_reason, "function_call");
  assertEquals(answer(user("use g"), { functions, function_call: "auto" }).function_call?.name, "g");
  assertEquals(answer(user("x"), { functions, function_call: { name: "g" } }).function_call?.arguments, "{}");
  assertEquals(answer(user("x"), { functions, function_call: "none" }).finish_reason, "stop");
});

Deno.test("DemoChatModel leaves out calls that do not fit below the token limit", () => {
  const params = { tools, tool_choice: "required" as const, max_tokens: 3 };
  const { tool_calls, finish_reason, usage } = answer(user("take 4"), params);
  assertEquals(tool_calls?.map((call) => call.function?.arguments), ['{"input": 4}']);
  assertEquals([finish_reason, usage?.completion_tokens], ["length", 3]);
  const { content, finish_reason: reason } = answer(user("take 4"), { ...params, max_tokens: 0 });
  assertEquals([content, reason], ["", "length"]);
});

Deno.test("DemoChatModel quotes the tools' results after their messages", () => {
  const messages: ChatMessage[] = [
    ...user("What is the weather?"),
    {
      role: "assistant",
      tool_calls: [
        { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"location": "Łódź"}' } },
        { id: "call_2", type: "custom", custom: { name: "shell", input: "date" } },
      ],
    },
    { role: "tool", tool_call_id: "call_1", content: "21 °C" },
    { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "Monday" }] },
    { role: "tool", tool_call_id: "call_3", content: "?" },
  ];
  const { content, finish_reason, usage } = answer(messages, { tools, tool_choice: "required" });
  assertEquals(content, "The tool get_weather answered: 21 °C\nThe tool shell answered: Monday\nThe tool answered: ?");
  assertEquals(finish_reason, "stop");
  assertEquals(usage?.prompt_tokens, 13);
  const legacy: ChatMessage[] = [...user("x"), { role: "function", name: "f", content: "7" }];
  assertEquals(answer(legacy, { functions: [{ name: "f" }] }).content, "The tool f answered: 7");
});
