import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { accumulate, normalise, type PredictPart } from "../../streaming/mod.ts";
import { type ChatCompletionChunk, ChatModelError, UpstreamError } from "../../types/mod.ts";

const OPTIONS = { id: "chatcmpl-1", created: 1_700_000_000, model: "m" };

async function collect(
  source: Iterable<unknown> | AsyncIterable<unknown>,
  options = OPTIONS,
): Promise<ChatCompletionChunk[]> {
  // deno-lint-ignore no-explicit-any -- what authors yield is not what they should
  return await Array.fromAsync(normalise(source as any, options));
}

/** The deltas of choice 0 and what ends it. */
async function deltas(source: Iterable<unknown>): Promise<unknown[]> {
  return (await collect(source)).map(({ choices: [choice], usage }) =>
    usage ? { usage } : choice?.finish_reason ? { finish: choice.finish_reason } : choice?.delta
  );
}

const ROLE = { role: "assistant", content: "" } as const;
const TOOL_ROLE = { role: "assistant", content: null } as const;
const STOP = { finish: "stop" };
const TOOL_CALLS = { finish: "tool_calls" };

/** `tool_calls` of one delta of a chunk, as servers send it. */
function callChunk(call: unknown): unknown {
  return { choices: [{ index: 0, delta: { tool_calls: [call] } }] };
}

function begin(index: number, id: string, name: string): unknown {
  return { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] };
}

function fragment(index: number, text: string): unknown {
  return { tool_calls: [{ index, function: { arguments: text } }] };
}

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

Deno.test("normalise() repairs every form of tool calls that servers send", async () => {
  const cases: [name: string, yielded: unknown[], expected: unknown[]][] = [
    ["OpenAI's own", [
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "" } }),
      callChunk({ index: 0, function: { arguments: '{"x"' } }),
      callChunk({ index: 0, function: { arguments: ":1}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, '{"x"'), fragment(0, ":1}"), TOOL_CALLS]],
    ["whole, arguments an object", [{ tool_calls: [{ id: "a", function: { name: "f", arguments: { x: 1 } } }] }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      fragment(0, '{"x":1}'),
      TOOL_CALLS,
    ]],
    ["id, type and name repeated", [
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: '{"x"' } }),
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: ":1}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, '{"x"'), fragment(0, ":1}"), TOOL_CALLS]],
    ["nulls in later deltas", [
      callChunk({ index: 0, id: "a", type: "function", function: { name: "f", arguments: "{" } }),
      callChunk({ index: 0, id: null, type: null, function: { name: null, arguments: "}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, "{"), fragment(0, "}"), TOOL_CALLS]],
    ["two calls, both with index 0", [
      callChunk({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
      callChunk({ index: 0, id: "b", function: { name: "g", arguments: "{}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, "{}"), begin(1, "b", "g"), fragment(1, "{}"), TOOL_CALLS]],
    ["two calls of one message", [{
      tool_calls: [{ id: "a", function: { name: "f", arguments: {} } }, {
        id: "b",
        function: { name: "f", arguments: {} },
      }],
    }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      fragment(0, "{}"),
      begin(1, "b", "f"),
      fragment(1, "{}"),
      TOOL_CALLS,
    ]],
    ["indexes that begin at 1", [callChunk({ index: 1, id: "a", function: { name: "f", arguments: "{}" } })], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      fragment(0, "{}"),
      TOOL_CALLS,
    ]],
    ["without index", [
      callChunk({ id: "a", function: { name: "f", arguments: "{" } }),
      callChunk({ function: { arguments: "}" } }),
    ], [TOOL_ROLE, begin(0, "a", "f"), fragment(0, "{"), fragment(0, "}"), TOOL_CALLS]],
    ["stop beside calls", [{ tool_calls: [{ id: "a", function: { name: "f" } }], finish_reason: "stop" }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      TOOL_CALLS,
    ]],
    ["length beside calls stays", [{ tool_calls: [{ id: "a", function: { name: "f" } }], finish_reason: "length" }], [
      TOOL_ROLE,
      begin(0, "a", "f"),
      { finish: "length" },
    ]],
    ["text, then a call", ["Let me see.", { tool_calls: [{ id: "a", function: { name: "f", arguments: "{}" } }] }], [
      ROLE,
      { content: "Let me see." },
      begin(0, "a", "f"),
      fragment(0, "{}"),
      TOOL_CALLS,
    ]],
    ["tool_calls null or empty", [{ choices: [{ delta: { content: "a", tool_calls: null } }] }, {
      content: "b",
      tool_calls: [],
    }], [
      ROLE,
      { content: "a" },
      { content: "b" },
      STOP,
    ]],
    ["a custom tool", [{ tool_calls: [{ id: "a", type: "custom", custom: { name: "f", input: "x y" } }] }], [
      TOOL_ROLE,
      { tool_calls: [{ index: 0, id: "a", type: "custom", custom: { name: "f", input: "" } }] },
      { tool_calls: [{ index: 0, custom: { input: "x y" } }] },
      TOOL_CALLS,
    ]],
  ];
  for (const [name, yielded, expected] of cases) assertEquals(await deltas(yielded), expected, name);
});

Deno.test("normalise() makes ids for tool calls without one, different ones", async () => {
  const { choices: [choice] } = await accumulate(normalise([
    { tool_calls: [{ function: { name: "f", arguments: "{}" } }, { function: { name: "f", arguments: "{}" } }] },
  ]));
  const ids = choice?.message.tool_calls?.map(({ id }) => id) ?? [];
  assertEquals(ids.length, 2);
  assert(ids.every((id) => /^call_[\w-]{24}$/.test(id)));
  assert(ids[0] !== ids[1]);
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

// Anything an author may come up with: near misses of the real shapes, and plain nonsense.
const anyPart = fc.oneof(
  fc.string(),
  fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
  fc.record({
    role: fc.constantFrom("assistant", "user", null, 1),
    content: fc.oneof(fc.string(), fc.constant(null), fc.anything()),
    reasoning: fc.oneof(fc.string(), fc.anything()),
    tool_calls: fc.array(fc.record({
      index: fc.oneof(fc.nat(3), fc.anything()),
      id: fc.constantFrom("a", "b", "", null, undefined, 1),
      type: fc.constantFrom("function", "custom", null),
      function: fc.record({
        name: fc.constantFrom("f", "g", "", null),
        arguments: fc.oneof(fc.string(), fc.anything()),
      }, { requiredKeys: [] }),
    }, { requiredKeys: [] })),
    index: fc.oneof(fc.nat(2), fc.anything()),
    finish_reason: fc.constantFrom("stop", "length", "", null, "eos"),
    usage: fc.oneof(fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }), fc.anything()),
  }, { requiredKeys: [] }),
  fc.record({
    id: fc.oneof(fc.string(), fc.anything()),
    choices: fc.array(fc.record({
      index: fc.nat(2),
      delta: fc.record({ content: fc.oneof(fc.string(), fc.constant(null)), refusal: fc.string() }, {
        requiredKeys: [],
      }),
      finish_reason: fc.constantFrom("stop", "tool_calls", null),
    }, { requiredKeys: [] })),
  }, { requiredKeys: ["choices"] }),
);

function assertCanonical(chunks: readonly ChatCompletionChunk[]): void {
  const state = new Map<number, "open" | "finished">();
  const calls = new Set<string>();
  const [first] = chunks;
  chunks.forEach((chunk, i) => {
    assertEquals([chunk.id, chunk.created, chunk.model], [first?.id, first?.created, first?.model]);
    assert(JSON.stringify(chunk).length < 65_536);
    assert(!("error" in chunk));
    if (chunk.usage) {
      assertEquals(chunk.choices.length, 0);
      assertEquals(i, chunks.length - 1);
      assertEquals(chunk.usage.total_tokens, chunk.usage.prompt_tokens + chunk.usage.completion_tokens);
      return;
    }
    assertEquals(chunk.choices.length, 1);
    for (const { index, delta, finish_reason } of chunk.choices) {
      assertEquals(state.get(index), delta.role === undefined ? "open" : undefined);
      state.set(index, finish_reason === null ? "open" : "finished");
      if (finish_reason !== null) assertEquals(delta, {});
      for (const call of delta.tool_calls ?? []) {
        const key = `${index}/${call.index}`;
        assertEquals(call.id === undefined, calls.has(key));
        calls.add(key);
      }
    }
  });
  assert(state.size > 0);
  assert([...state.values()].every((value) => value === "finished"));
}

Deno.test("normalise() is total: any source gives a canonical stream or a typed error", async () => {
  let good = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyPart, { maxLength: 6 }), async (parts) => {
      try {
        assertCanonical(await collect(parts));
        good++;
      } catch (error) {
        if (!ChatModelError.isInstance(error)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  assert(good > 100, `only ${good} sources were good: the property says nothing`);
});

Deno.test("normalise() is idempotent", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyPart, { maxLength: 6 }), async (parts) => {
      let once: ChatCompletionChunk[];
      try {
        once = await collect(parts);
      } catch {
        return; // Not a stream: nothing to compare.
      }
      assertEquals(await collect(once, { id: "other", created: 1, model: "other" }), once);
      compared++;
    }),
    { numRuns: 2000 },
  );
  assert(compared > 100, `only ${compared} streams were compared`);
});
