import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { accumulate, normalise, type PredictPart } from "../../streaming/mod.ts";
import { ChatModelError, UpstreamError } from "../../types/mod.ts";
import { collect, deltas, ROLE, STOP } from "./_deltas.ts";

Deno.test("normalise() gives the canonical stream for what authors yield", async () => {
  const cases: [name: string, yielded: unknown[], expected: unknown[]][] = [
    ["nothing", [], [ROLE, STOP]],
    ["strings", ["Hel", "", "lo"], [ROLE, { content: "Hel" }, { content: "lo" }, STOP]],
    ["a message", [{ role: "assistant", content: "Hi" }], [ROLE, { content: "Hi" }, STOP]],
    ["text parts", [{ content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] }], [
      ROLE,
      { content: "ab" },
      STOP,
    ]],
    ["role in every delta", [{ role: "assistant", content: "a" }, { role: "assistant", content: "b" }], [
      ROLE,
      { content: "a" },
      { content: "b" },
      STOP,
    ]],
    ["thinking under either name", [{ reasoning: "a" }, { reasoning_content: "b" }, { content: "c" }], [
      ROLE,
      { reasoning: "a", reasoning_content: "a" },
      { reasoning: "b", reasoning_content: "b" },
      { content: "c" },
      STOP,
    ]],
    ["a refusal", [{ refusal: "No" }], [ROLE, { refusal: "No" }, STOP]],
    ["usage anywhere, last one wins", [
      { content: "a", usage: { prompt_tokens: 1, completion_tokens: 1 } },
      { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 99 } },
      "b",
    ], [ROLE, { content: "a" }, { content: "b" }, STOP, {
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    }]],
    ["a finish reason on the last content", [{ choices: [{ delta: { content: "a" }, finish_reason: "length" }] }], [
      ROLE,
      { content: "a" },
      { finish: "length" },
    ]],
    ["null and empty finish reasons midway", [
      { choices: [{ delta: { content: "a" }, finish_reason: null }] },
      { choices: [{ delta: { content: "b" }, finish_reason: "" }] },
    ], [ROLE, { content: "a" }, { content: "b" }, STOP]],
    ["finished twice, with a delta of null", [
      { choices: [{ delta: { content: "a" }, finish_reason: "stop" }] },
      { choices: [{ delta: null, finish_reason: "stop" }] },
    ], [ROLE, { content: "a" }, STOP]],
    ["error: null", [{ choices: [{ delta: { content: "a" } }], error: null }], [ROLE, { content: "a" }, STOP]],
    ["a whole response", [{ choices: [{ message: { role: "assistant", content: "a" }, finish_reason: "length" }] }], [
      ROLE,
      { content: "a" },
      { finish: "length" },
    ]],
    ["members it does not know", [{ choices: [{ delta: { content: "a", extra_content: { google: 1 } } }] }], [
      ROLE,
      { content: "a" },
      { extra_content: { google: 1 } },
      STOP,
    ]],
    ["the deprecated function call", [{ function_call: { name: "f", arguments: "{" } }, {
      function_call: { arguments: "}" },
    }], [
      ROLE,
      { function_call: { name: "f", arguments: "" } },
      { function_call: { arguments: "{" } },
      { function_call: { arguments: "}" } },
      { finish: "function_call" },
    ]],
  ];
  for (const [name, yielded, expected] of cases) assertEquals(await deltas(yielded), expected, name);
});

Deno.test("normalise() keeps id, time and model of the first chunk in all", async () => {
  const chunks = await collect([
    { id: "x", created: 5, model: "theirs", choices: [{ delta: { content: "a" } }], system_fingerprint: "fp" },
    { id: "y", created: 6, model: "other", choices: [{ delta: { content: "b" } }] },
  ]);
  assertEquals(chunks.length, 4);
  for (const { id, created, model, system_fingerprint, object } of chunks) {
    assertEquals({ id, created, model, system_fingerprint, object }, {
      id: "x",
      created: 5,
      model: "theirs",
      system_fingerprint: "fp",
      object: "chat.completion.chunk",
    });
  }
});

Deno.test("normalise() orders several answers by index and ends each", async () => {
  const chunks = await collect([{ index: 1, content: "b" }, { index: 0, content: "a" }, {
    index: 1,
    finish_reason: "length",
  }]);
  assertEquals(
    chunks.map(({ choices: [choice] }) => [choice?.index, choice?.delta.content, choice?.finish_reason]),
    [[1, "", null], [1, "b", null], [0, "", null], [0, "a", null], [0, undefined, "stop"], [1, undefined, "length"]],
  );
});

Deno.test("normalise() puts custom outputs with the end of the answer", async () => {
  const chunks = await collect([{ custom_outputs: { a: 1 } }, "x", { custom_outputs: { b: null } }]);
  assertEquals(chunks.map((chunk) => chunk.custom_outputs), [undefined, undefined, { a: 1, b: null }]);
});

Deno.test("normalise() cuts long text, thinking and arguments, never inside a character", async () => {
  const text = "😀".repeat(10_000);
  const chunks = await collect([{
    content: text,
    reasoning: text,
    tool_calls: [{ id: "a", function: { name: "f", arguments: text } }],
  }]);
  for (const { choices: [choice] } of chunks) {
    const { content, reasoning, tool_calls } = choice?.delta ?? {};
    for (const piece of [content, reasoning, tool_calls?.[0]?.function?.arguments]) {
      assert((piece ?? "").length <= 8192);
      assert((piece ?? "").isWellFormed());
    }
  }
  const { choices: [choice] } = await accumulate(chunks);
  assertEquals(choice?.message.content, text);
  assertEquals(choice?.message.reasoning, text);
  assertEquals(choice?.message.tool_calls?.[0], {
    id: "a",
    type: "function",
    function: { name: "f", arguments: text },
  });
});

Deno.test("normalise() keeps log probabilities with their text", async () => {
  const words = Array.from({ length: 40 }, (_, i) => `w${i} `);
  const content = words.map((token) => ({ token, logprob: -1, bytes: null, top_logprobs: [] }));
  const chunks = await collect([{ content: words.join(""), logprobs: { content } }]);
  for (const { choices: [choice] } of chunks) {
    const tokens = choice?.logprobs?.content;
    if (tokens) assertEquals(tokens.map(({ token }) => token).join(""), choice?.delta.content);
  }
  assertEquals((await accumulate(chunks)).choices[0]?.logprobs, { content, refusal: null });
});

Deno.test("normalise() reports output that cannot be understood, naming where and what, without its text", async () => {
  const secret = "secret words";
  const cases: [unknown, string][] = [
    [42, "what it yields must be text, a message or a chunk, but is the number 42"],
    [null, "but is null"],
    [undefined, "but is undefined"],
    [[secret], "but is an array"],
    [{ text: secret }, 'an object with "text"'],
    [{ role: "user", content: secret }, 'part.role must be "assistant"'],
    [{ content: 5 }, "part.content must be a string, but is the number 5"],
    [{ content: [{ type: "image_url" }] }, "part.content.0 must be a text part"],
    [{ finish_reason: "eos" }, 'finish_reason must be one of "stop", "length"'],
    [{ usage: { prompt_tokens: -1, completion_tokens: 0 } }, "usage.prompt_tokens must be a whole number from 0"],
    [{ usage: {} }, "usage.prompt_tokens must be a whole number from 0, but is undefined"],
    [{ choices: {} }, "choices must be an array"],
    [{ choices: [secret] }, "choices.0 must be an object"],
    [
      { tool_calls: [{ function: { arguments: secret } }] },
      "part.tool_calls.0.function.name must be the name of a tool",
    ],
    [{ tool_calls: [{ function: { name: "f", arguments: 1n } }] }, "function.arguments must be JSON text"],
    [{ logprobs: { content: [{ token: "a", logprob: NaN }] } }, "logprobs.content.0.logprob must be a finite number"],
    [{ custom_outputs: [1] }, "custom_outputs must be an object"],
  ];
  for (const [yielded, message] of cases) {
    const error = await assertRejects(() => collect([yielded]), ChatModelError);
    assertStringIncludes(error.message, message);
    assertEquals([error.status, error.code, error.message.includes(secret)], [500, "invalid_model_output", false]);
  }
});

Deno.test("normalise() throws an error that an upstream put into its stream", async () => {
  for (const error of ["out of memory", { message: "out of memory", code: 1 }]) {
    const thrown = await assertRejects(() => collect(["a", { error }]), UpstreamError);
    assertStringIncludes(thrown.message, "out of memory");
    assertEquals(thrown.status, 502);
  }
});

Deno.test("normalise() gives what came before a failure, then the failure, then nothing", async () => {
  const failure = new Error("broken");
  const sync = normalise((function* (): Generator<PredictPart> {
    yield "a";
    throw failure;
  })());
  const async = normalise((async function* (): AsyncGenerator<PredictPart> {
    yield "a";
    throw failure;
  })());
  for (const stream of [sync, async]) {
    assertEquals((await stream.next()).value?.choices[0]?.delta, ROLE);
    assertEquals((await stream.next()).value?.choices[0]?.delta, { content: "a" });
    assertEquals(await stream.next().catch((error) => error), failure);
    assertEquals(await stream.next(), { done: true, value: undefined });
  }
});

Deno.test("normalise() stops the source at once when it is left, also while that thinks", async () => {
  let stopped = false;
  const source: AsyncIterable<PredictPart> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => {
        stopped = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  const stream = normalise(source);
  const pending = stream.next();
  assertEquals(await stream.return(), { done: true, value: undefined });
  assertEquals(await pending, { done: true, value: undefined });
  assert(stopped);
});
