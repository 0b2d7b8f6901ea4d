import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ChatModelError, loadChatModel, type PredictPart, type PredictResult } from "../../mod.ts";
import { Answering, bothWays, loadMethod, reasonOf, REQUEST, Streaming } from "./_models.ts";

const RESULTS: readonly [name: string, result: PredictResult][] = [
  ["text", "Hello"],
  ["a message", { role: "assistant", content: "Hello" }],
  ["content alone", { content: "Hello" }],
  ["a partial response", { choices: [{ message: { content: "Hello" } }] }],
  ["a whole response", {
    id: "own-id",
    object: "chat.completion",
    created: 1_700_000_000,
    model: "own-model",
    choices: [{
      index: 0,
      message: { role: "assistant", content: "Hello", refusal: null },
      logprobs: null,
      finish_reason: "stop",
    }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  }],
];

for (const [name, result] of RESULTS) {
  for (const [way, predict] of [["returns", () => result], ["resolves to", () => Promise.resolve(result)]] as const) {
    Deno.test(`predict() may be one that ${way} ${name}; the stream follows`, async () => {
      const { response, text, finish } = await bothWays(await loadChatModel(new Answering(predict)));
      assertEquals(response.object, "chat.completion");
      assertEquals(response.choices, [{
        index: 0,
        message: { role: "assistant", content: "Hello", refusal: null },
        logprobs: null,
        finish_reason: "stop",
      }]);
      assertEquals(text, "Hello");
      assertEquals(finish, "stop");
      if (name === "a whole response") {
        assertEquals([response.id, response.created, response.model], ["own-id", 1_700_000_000, "own-model"]);
        assertEquals(response.usage?.total_tokens, 3);
      } else {
        assertMatch(response.id, /^chatcmpl-./);
        assert(Math.abs(response.created - Date.now() / 1000) < 60);
        assertEquals(response.model, "Answering");
      }
    });
  }
}

const PARTS: readonly [name: string, parts: readonly PredictPart[]][] = [
  ["text", ["Hel", "lo"]],
  ["flat parts", [{ role: "assistant", content: "" }, { content: "Hel" }, { content: "lo", finish_reason: "stop" }]],
  ["chunks", [
    { choices: [{ delta: { role: "assistant", content: "Hel" } }] },
    { choices: [{ delta: { content: "lo" } }] },
    { choices: [{ delta: {}, finish_reason: "stop" }] },
  ]],
  ["a mix", ["Hel", { content: "l" }, { choices: [{ delta: { content: "o" } }] }]],
];

for (const [name, parts] of PARTS) {
  const sources = [
    ["an array", () => parts],
    ["a generator", function* () {
      yield* parts;
    }],
    ["an async generator", async function* () {
      for (const part of parts) yield await Promise.resolve(part);
    }],
    ["a ReadableStream", () => ReadableStream.from(parts)],
  ] as const;
  for (const [way, predictStream] of sources) {
    Deno.test(`predictStream() may give ${name} by ${way}; predict follows`, async () => {
      const { response, text, finish } = await bothWays(await loadChatModel(new Streaming(predictStream)));
      assertEquals(response.choices[0]?.message.content, "Hello");
      assertEquals(response.choices[0]?.finish_reason, "stop");
      assertEquals(text, "Hello");
      assertEquals(finish, "stop");
    });
  }
}

Deno.test("predictStream() that gives nothing is an empty answer, both ways", async () => {
  const { response, text, finish } = await bothWays(await loadChatModel(new Streaming(() => [])));
  assertEquals(response.choices[0]?.message.content, "");
  assertEquals([text, finish], ["", "stop"]);
});

Deno.test("predict() may give several answers; the stream carries all", async () => {
  const model = await loadChatModel(
    new Answering(() => ({ choices: [{ message: { content: "a" } }, { message: { content: "b" } }] })),
  );
  const response = await model.predict(REQUEST);
  assertEquals(response.choices.map(({ index, message }) => [index, message.content]), [[0, "a"], [1, "b"]]);
  const texts = ["", ""];
  for await (const { choices } of model.predictStream(REQUEST)) {
    for (const { index, delta } of choices) texts[index] += delta.content ?? "";
  }
  assertEquals(texts, ["a", "b"]);
});

Deno.test("tool calls, usage and custom outputs come out the same both ways", async () => {
  const result = {
    tool_calls: [{ function: { name: "add", arguments: { a: 1 } } }],
    usage: { prompt_tokens: 3, completion_tokens: 4 },
    custom_outputs: { seen: true },
  };
  const answering = await (await loadChatModel(new Answering(() => result))).predict(REQUEST);
  const streaming = await (await loadChatModel(new Streaming(() => [result]))).predict(REQUEST);
  for (const response of [answering, streaming]) {
    const [choice] = response.choices;
    assertEquals(choice?.finish_reason, "tool_calls");
    const [call] = choice?.message.tool_calls ?? [];
    assert(call?.type === "function");
    assertEquals(call.function, { name: "add", arguments: '{"a":1}' });
    assert(call.id.length > 0);
    assertEquals(response.usage?.total_tokens, 7);
    assertEquals(response.custom_outputs, { seen: true });
  }
});

const NONSENSE: readonly [name: string, value: unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["a number", 42],
  ["a boolean", true],
  ["an array", ["Hello"]],
  ["an unknown object", { text: "Hello" }],
  ["a message of another role", { role: "user", content: "Hello" }],
  ["content that is a number", { content: 5 }],
  ["an unknown finish reason", { content: "x", finish_reason: "done" }],
  ["choices that are no array", { choices: "Hello" }],
];

for (const [name, value] of NONSENSE) {
  Deno.test(`predict() that returns ${name} fails with invalid_model_output, both ways`, async () => {
    const model = await loadMethod("predict", () => value);
    const error = await assertRejects(() => model.predict(REQUEST), ChatModelError);
    assertEquals([error.status, error.code], [500, "invalid_model_output"]);
    assertMatch(error.message, /^Cannot read the model's output: .* must /);
    assert(!error.message.includes("Hello"), "The answer must not stand in the error");
    const streamed = await assertRejects(() => Array.fromAsync(model.predictStream(REQUEST)), ChatModelError);
    assertEquals(streamed.code, "invalid_model_output");
  });
}

Deno.test("predict() that is a generator is told to be predictStream, rather than pass as an empty answer", async () => {
  const generators = [
    function* () {
      yield "Hello";
    },
    async function* () {
      yield await Promise.resolve("Hello");
    },
  ];
  for (const generator of generators) {
    const model = await loadMethod("predict", generator);
    for (const run of [() => model.predict(REQUEST), () => Array.fromAsync(model.predictStream(REQUEST))]) {
      const error = await assertRejects(run, ChatModelError, "predictStream");
      assertEquals(error.code, "invalid_model_output");
    }
  }
});

Deno.test("predictStream() that is an async function is told to be a generator; its own failure ends nothing", async () => {
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  addEventListener("unhandledrejection", note);
  try {
    for (const method of [() => Promise.reject(new Error("late")), () => Promise.resolve("x"), () => undefined]) {
      const model = await loadMethod("predictStream", method);
      const error = await assertRejects(() => model.predict(REQUEST), ChatModelError, "async *predictStream");
      assertEquals(error.code, "invalid_model_output");
      // The failure is told while the stream is read, not where it is made.
      const stream = model.predictStream(REQUEST);
      await assertRejects(() => stream.next(), ChatModelError, "async *predictStream");
      assertEquals(await stream.next(), { done: true, value: undefined });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(unhandled, []);
  } finally {
    removeEventListener("unhandledrejection", note);
  }
});

Deno.test("predictStream() that gives text at once, as a string, is told to give pieces", async () => {
  const model = await loadMethod("predictStream", () => "Hello");
  const error = await assertRejects(() => model.predict(REQUEST), ChatModelError);
  assertEquals(error.code, "invalid_model_output");
});

for (const thrown of [new Error("no luck"), "no luck", undefined, null, { code: 5 }]) {
  Deno.test(`what a model throws is handed on untouched: ${typeof thrown} ${String(thrown)}`, async () => {
    const models = [
      new Answering(() => {
        throw thrown;
      }),
      new Answering(() => Promise.reject(thrown)),
      new Streaming(() => {
        throw thrown;
      }),
      // deno-lint-ignore require-yield -- it fails before
      new Streaming(function* () {
        throw thrown;
      }),
      new Streaming(async function* () {
        yield await Promise.resolve("a");
        throw thrown;
      }),
    ];
    for (const source of models) {
      const model = await loadChatModel(source);
      assert(Object.is(await reasonOf(model.predict(REQUEST)), thrown));
      const stream = model.predictStream(REQUEST);
      assert(Object.is(await reasonOf(Array.fromAsync(stream)), thrown));
    }
  });
}

Deno.test("predict() that returns a choice whose message is null fails, rather than to answer with nothing", async () => {
  const model = await loadMethod("predict", () => ({ choices: [{ message: null }] }));
  const error = await assertRejects(() => model.predict(REQUEST), ChatModelError, "choices.0.message");
  assertEquals(error.code, "invalid_model_output");
});
