import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { Validator } from "@cfworker/json-schema";
import fc from "fast-check";
import { ModelConfig } from "../../../mod.ts";
import { DemoChatModel } from "../../../adapters/demo/mod.ts";
import type { AnswerPart, PartialResponse, PredictPart, ToolCallPart } from "../../../streaming/mod.ts";
import {
  type ChatMessage,
  ChatModelError,
  type ChatParams,
  type JsonSchema,
  type ToolDefinition,
  ValidationError,
} from "../../../types/mod.ts";

const model = new DemoChatModel();
const context = { signal: new AbortController().signal, requestId: "test", artifacts: {}, modelConfig: new ModelConfig() };

function user(content: string): ChatMessage[] {
  return [{ role: "user", content }];
}

function isResponse(value: object): value is PartialResponse {
  return "choices" in value;
}

/** The one answer of a request without `n`. */
function answer(messages: readonly ChatMessage[], params: ChatParams = {}): AnswerPart {
  const result = model.predict(context, messages, params);
  assert(typeof result === "object" && !(result instanceof Promise) && !isResponse(result));
  return result;
}

function response(messages: readonly ChatMessage[], params: ChatParams): PartialResponse {
  const result = model.predict(context, messages, params);
  assert(typeof result === "object" && !(result instanceof Promise) && isResponse(result));
  return result;
}

function parts(messages: readonly ChatMessage[], params: ChatParams = {}): PredictPart[] {
  const stream = model.predictStream(context, messages, params);
  assert(Symbol.iterator in stream);
  return [...stream];
}

/** Puts a stream together by the plain rules: texts are joined, the last of everything else counts. */
function joined(stream: readonly PredictPart[], index = 0): AnswerPart {
  let result: AnswerPart = {};
  const calls: ToolCallPart[] = [];
  for (const part of stream) {
    const piece: AnswerPart = typeof part === "string" ? { content: part } : "choices" in part ? {} : part;
    if ((piece.index ?? 0) !== index) continue;
    for (const key of ["content", "reasoning"] as const) {
      if (piece[key] != null) result = { ...result, [key]: (result[key] ?? "") + piece[key] };
    }
    for (const call of piece.tool_calls ?? []) {
      const last = calls.at(-1);
      if (call.function?.name || call.custom?.name) calls.push(call);
      else if (last?.function) {
        const text = `${last.function.arguments}${call.function?.arguments}`;
        calls[calls.length - 1] = { ...last, function: { ...last.function, arguments: text } };
      } else if (last?.custom) {
        const text = `${last.custom.input}${call.custom?.input}`;
        calls[calls.length - 1] = { ...last, custom: { ...last.custom, input: text } };
      }
    }
    if (piece.function_call) {
      const before = result.function_call;
      result = {
        ...result,
        function_call: {
          name: before?.name ?? piece.function_call.name ?? "",
          arguments: (before?.arguments ?? "") + piece.function_call.arguments,
        },
      };
    }
    if (piece.logprobs) {
      result = {
        ...result,
        logprobs: { content: [...result.logprobs?.content ?? [], ...piece.logprobs.content ?? []] },
      };
    }
    for (const key of ["finish_reason", "usage", "custom_outputs"] as const) {
      if (piece[key] != null) result = { ...result, [key]: piece[key] };
    }
  }
  return calls.length === 0 ? result : { ...result, tool_calls: calls };
}

/** What must be alike in a whole and a streamed answer; absent and empty texts are alike. */
function comparable(answer: AnswerPart): unknown {
  const { content, logprobs, ...rest } = answer;
  return JSON.parse(JSON.stringify({
    content: content ?? "",
    logprobs: logprobs?.content ?? [],
    ...Object.fromEntries(Object.entries(rest).sort(([one], [other]) => one < other ? -1 : 1)),
  }));
}

function tool(name: string, parameters?: { readonly [keyword: string]: unknown }): ToolDefinition {
  return { type: "function", function: { name, ...(parameters && { parameters }) } };
}

function calls(prompt: string, params: ChatParams): unknown[] {
  return (answer(user(prompt), params).tool_calls ?? []).map((call) => [
    call.function?.name ?? call.custom?.name,
    call.function ? JSON.parse(String(call.function.arguments)) : call.custom?.input,
  ]);
}

const magicFunction = tool("magic_function", {
  type: "object",
  properties: { input: { type: "integer" } },
  required: ["input"],
});
const weather = tool("get_weather", {
  type: "object",
  properties: { location: { type: "string" }, unit: { enum: ["celsius", "fahrenheit"] } },
  required: ["location"],
});
const now = tool("now");

Deno.test("DemoChatModel says what it is and echoes the user's last message", () => {
  const messages: ChatMessage[] = [
    { role: "system", content: "Be brief." },
    ...user("First question of the day"),
    { role: "assistant", content: "Yes." },
    ...user("How is the weather in 北京 today?"),
  ];
  assertEquals(answer(messages), {
    content:
      "This is the demo model of chat-model: it does not think, it echoes. You said: How is the weather in 北京 today?",
    finish_reason: "stop",
    usage: { prompt_tokens: 15, completion_tokens: 22 },
  });
});

Deno.test("DemoChatModel tells how to get a real model when next to nothing is asked", () => {
  for (const messages of [user("Hello!"), user("   "), [{ role: "system", content: "Be brief." } as const]]) {
    assertMatch(String(answer(messages).content), /^This is the demo model .* For a real model install Ollama, /);
  }
  assertMatch(String(answer(user("Hello!")).content), / You said: Hello!$/);
});

Deno.test("DemoChatModel describes what is not text", () => {
  const messages: ChatMessage[] = [{
    role: "user",
    content: [
      { type: "text", text: "What do these show?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
      { type: "input_audio", input_audio: { data: "AA==", format: "wav" } },
      { type: "file", file: { filename: "report.pdf" } },
      { type: "file", file: { file_id: "file-1" } },
    ],
  }];
  assertMatch(
    String(answer(messages).content),
    / You said: What do these show\? \[image\] \[audio\] \[file report\.pdf\] \[file file-1\]$/,
  );
});

Deno.test("DemoChatModel streams word by word", () => {
  const stream = parts(user("say it"));
  assertEquals(stream.slice(0, 4), ["This ", "is ", "the ", "demo "]);
  assertEquals(stream.at(-2), "it");
  const { usage, finish_reason } = answer(user("say it"));
  assertEquals<PredictPart | undefined>(stream.at(-1), {
    index: 0,
    finish_reason: finish_reason ?? null,
    usage: usage ?? null,
  });
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.lorem(),
  fc.string({ unit: fc.constantFrom(..." \n\u3000ab'\"1") }),
);
const anyParams: fc.Arbitrary<ChatParams> = fc.record({
  stop: fc.oneof(anyText, fc.array(anyText, { minLength: 1, maxLength: 4 }), fc.constantFrom("it ", "model", "t")),
  max_tokens: fc.nat(40),
  max_completion_tokens: fc.nat(40),
  seed: fc.maxSafeInteger(),
  n: fc.integer({ min: 1, max: 4 }),
  logprobs: fc.boolean(),
  top_logprobs: fc.nat(20),
  reasoning_effort: fc.constantFrom("none", "low", "high"),
  response_format: fc.constantFrom({ type: "text" }, { type: "json_object" }),
  custom_inputs: fc.constant({ a: [1] }),
  tools: fc.constantFrom([], [magicFunction, weather], [{ type: "custom", custom: { name: "shell" } }]),
}, { requiredKeys: [] });

Deno.test("DemoChatModel streams what it answers whole, for any prompt and parameters, every time", () => {
  fc.assert(fc.property(anyText, anyParams, (prompt, params) => {
    const messages = user(prompt);
    const stream = parts(messages, params);
    assertEquals(JSON.stringify(parts(messages, params)), JSON.stringify(stream));
    const result = model.predict(context, messages, params);
    assert(typeof result === "object" && !(result instanceof Promise));
    assertEquals(JSON.stringify(model.predict(context, messages, params)), JSON.stringify(result));
    if (!isResponse(result)) {
      assertEquals(comparable(joined(stream)), comparable(result));
      return;
    }
    assertEquals(result.choices.length, params.n);
    const { usage, custom_outputs } = result;
    result.choices.forEach(({ message, finish_reason, logprobs }, index) => {
      const isLast = index === result.choices.length - 1;
      const whole: AnswerPart = {
        ...message,
        ...(finish_reason && { finish_reason }),
        ...(logprobs && { logprobs }),
        ...(isLast && usage && { usage }),
        ...(isLast && custom_outputs && { custom_outputs }),
      };
      assertEquals(comparable(joined(stream, index)), comparable(whole));
    });
  }));
});

Deno.test("DemoChatModel never goes beyond stop and the token limit", () => {
  fc.assert(fc.property(anyText, anyParams, (prompt, given) => {
    const { n: _, tools: __, ...params } = given;
    const { content, usage, finish_reason, reasoning } = answer(user(prompt), params);
    const stops = [params.stop ?? []].flat().filter((stop) => stop !== "");
    assert(stops.every((stop) => !content?.includes(stop)));
    const limit = params.max_completion_tokens ?? params.max_tokens ?? Infinity;
    const words = `${reasoning ?? ""} ${content}`.match(/\S+/g)?.length ?? 0;
    assertEquals(usage?.completion_tokens, words);
    assert(words <= limit);
    assertEquals(finish_reason === "length" && words < limit, false);
  }));
});

Deno.test("DemoChatModel ends with length at the token limit", () => {
  const said = (params: ChatParams) => {
    const { content, finish_reason, usage } = answer(user("to be or not to be"), params);
    return [content, finish_reason, usage?.completion_tokens];
  };
  assertEquals(said({ max_tokens: 4 }), ["This is the demo", "length", 4]);
  assertEquals(said({ max_tokens: 0 }), ["", "length", 0]);
  assertEquals(said({ max_tokens: 9, max_completion_tokens: 1 }), ["This", "length", 1]);
  assertEquals(said({ max_tokens: 21 })[1], "stop");
  assertEquals(said({ max_tokens: 20 })[1], "length");
});

Deno.test("DemoChatModel ends before the earliest of the stop texts, without leaking its beginning", () => {
  assertEquals(
    answer(user("x y z w"), { stop: ["echoes", "does not", "nowhere"] }).content,
    "This is the demo model of chat-model: it ",
  );
  assertEquals(parts(user("x y z w"), { stop: "mod" }).slice(0, -1), ["This ", "is ", "the ", "demo "]);
  assertEquals(answer(user("x y z w"), { stop: "" }).finish_reason, "stop");
});

Deno.test("DemoChatModel gives n answers that differ, and the usage of all", () => {
  const { choices, usage } = response(user("one two three four"), { n: 3 });
  const contents = choices.map((choice) => choice.message.content);
  assertEquals(new Set(contents).size, 3);
  assertEquals(choices.map((choice) => choice.index), [0, 1, 2]);
  assertEquals(usage?.completion_tokens, contents.join(" ").split(" ").length);
  assertEquals(contents[0], answer(user("one two three four")).content);
});

Deno.test("DemoChatModel closes differently by seed", () => {
  const content = (seed: number) => answer(user("one two three four"), { seed }).content;
  assertEquals(content(1), content(1));
  assertNotEquals(content(1), content(2));
  assertMatch(String(content(Number.MIN_SAFE_INTEGER)), / four \S.*\S$/);
});

Deno.test("DemoChatModel gives log probabilities whose tokens and bytes are the text", () => {
  const { content, logprobs } = answer(user("Łukasz sagt 北京 👋🏽"), { logprobs: true, top_logprobs: 20 });
  const tokens = logprobs?.content ?? [];
  assertEquals(tokens.map((token) => token.token).join(""), content);
  assertEquals(new TextDecoder().decode(new Uint8Array(tokens.flatMap((token) => token.bytes ?? []))), content);
  for (const { token, logprob, top_logprobs } of tokens) {
    assertEquals(top_logprobs.length, 20);
    assertEquals(top_logprobs[0]?.token, token);
    assertEquals(new Set(top_logprobs.map((other) => other.token)).size, 20);
    assert(top_logprobs.every((other) => other.logprob <= logprob));
    assert(top_logprobs.reduce((sum, other) => sum + Math.exp(other.logprob), 0) <= 1);
  }
  assertEquals(answer(user("hi"), { logprobs: true }).logprobs?.content?.[0]?.top_logprobs, []);
  assertEquals(answer(user("hi"), { top_logprobs: 3 }).logprobs, undefined);
});

Deno.test("DemoChatModel thinks first when asked to, and counts it", () => {
  for (const params of [{ reasoning_effort: "low" }, { reasoning: { effort: "high" } }]) {
    const { reasoning, content, usage } = answer(user("one two three four"), params);
    const words = String(reasoning).split(" ").length;
    assertEquals(usage?.completion_tokens_details, { reasoning_tokens: words });
    assertEquals(usage?.completion_tokens, words + String(content).split(" ").length);
    const [first] = parts(user("one two three four"), params);
    assert(typeof first === "object" && "reasoning" in first);
  }
  for (const params of [{}, { reasoning_effort: "none" }, { reasoning: { effort: "none" } }, { reasoning: {} }]) {
    assertEquals(answer(user("x"), params).reasoning, undefined);
  }
  const { reasoning, content, finish_reason } = answer(user("x"), {
    reasoning_effort: "low",
    max_completion_tokens: 3,
  });
  assertEquals([String(reasoning).split(" ").length, content, finish_reason], [3, "", "length"]);
});

Deno.test("DemoChatModel gives custom inputs back", () => {
  const custom_inputs = { seed: "321", nested: { a: [null] } };
  assertEquals(answer(user("x"), { custom_inputs }).custom_outputs, { demo: { custom_inputs } });
});

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

const tools = [magicFunction, weather, now];
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

Deno.test("DemoChatModel answers in JSON when asked to", () => {
  const json = (prompt: string, response_format: NonNullable<ChatParams["response_format"]>): unknown =>
    JSON.parse(String(answer(user(prompt), { response_format, seed: 1 }).content));
  assertEquals(json('say "hi"', { type: "json_object" }), { echo: 'say "hi"' });
  assertEquals(json("say it", { type: "json_schema", json_schema: { name: "any" } }), { echo: "say it" });
  const prompt = "Tell me a joke about cats. Return JSON with the following keys: 'setup' and 'punchline'.";
  assertEquals(json(prompt, { type: "json_object" }), { setup: "demo setup", punchline: "demo punchline" });
});

Deno.test("DemoChatModel fills a JSON schema and streams it in fragments", () => {
  const schema: JsonSchema = {
    type: "object",
    properties: {
      setup: { type: "string" },
      punchline: { type: "string" },
      rating: { anyOf: [{ type: "integer", minimum: 1, maximum: 10 }, { type: "null" }], default: null },
    },
    required: ["setup", "punchline"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema" as const, json_schema: { name: "Joke", schema } };
  const { content } = answer(user('A joke: "Why?" - “Because”, 7 points'), { response_format });
  assertEquals(content, '{"setup": "Why?", "punchline": "Because", "rating": 7}');
  assertEquals(parts(user("A joke"), { response_format }).slice(0, 3), ['{"setup": ', '"demo ', 'setup", ']);
  for (const { message } of response(user("A joke"), { response_format, n: 2 }).choices) {
    assertEquals(new Validator(schema).validate(JSON.parse(String(message.content))).valid, true);
  }
  const cut = answer(user("A joke"), { response_format, max_tokens: 2 });
  assertEquals([cut.content, cut.finish_reason], ['{"setup": "demo', "length"]);
});

Deno.test("DemoChatModel with a delay answers the same, later", async () => {
  const slow = new DemoChatModel({ delay: 0.1 });
  const stream: PredictPart[] = [];
  for await (const part of slow.predictStream(context, user("x"), {})) stream.push(part);
  assertEquals(stream, parts(user("x")));
  assertEquals(await slow.predict(context, user("x"), {}), answer(user("x")));
});

Deno.test("DemoChatModel with a delay rethrows the signal's reason and leaves no timer", async () => {
  const slow = new DemoChatModel({ delay: 60_000 });
  const reason = new Error("left");
  const controller = new AbortController();
  const aborting = { ...context, signal: controller.signal };
  const stream = slow.predictStream(aborting, user("x"), {});
  assert(Symbol.asyncIterator in stream);
  const first = stream[Symbol.asyncIterator]().next();
  const whole = Promise.resolve(slow.predict(aborting, user("x"), {}));
  controller.abort(reason);
  assertEquals(await assertRejects(() => first), reason);
  assertEquals(await assertRejects(() => whole), reason);
  assertEquals(await assertRejects(() => Promise.resolve(slow.predict(aborting, user("x"), {}))), reason);
});

Deno.test("DemoChatModel refuses delays out of range", () => {
  for (const delay of [-1, NaN, Infinity, 2 ** 31]) {
    const error = assertThrows(() => new DemoChatModel({ delay }), ChatModelError, `current value is ${delay}`);
    assertEquals(error.code, "invalid_option");
  }
});
