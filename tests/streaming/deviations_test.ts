/**
 * The ways in which servers stray from OpenAI's stream, and by which one client or another breaks: each goes into
 * `normalise`, and out come the very frames that OpenAI would have sent.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeSse, encodeSse, normalise, type PredictPart, type PredictResult } from "../../streaming/mod.ts";
import { ChatModelError } from "../../types/mod.ts";
import { assertEventStream } from "../clients/_event_stream.ts";
import { validateBody } from "../conformance_openai/_schema.ts";

// deno-lint-ignore no-explicit-any -- what servers send is not what they should: hence this test
type Chunk = any;

const OPTIONS = { id: "chatcmpl-1", created: 1_700_000_000, model: "m" };
const ENVELOPE = { ...OPTIONS, object: "chat.completion.chunk" };
const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };

function chunk(delta: unknown, finish_reason: string | null = null): Chunk {
  return { ...ENVELOPE, choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null };
}

function begin(index: number, id: string, name: string): Chunk {
  return chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
}

function fragment(index: number, text: string): Chunk {
  return chunk({ tool_calls: [{ index, function: { arguments: text } }] });
}

const LAST: Chunk = { ...ENVELOPE, choices: [], usage: USAGE };

/** What OpenAI sends. */
const CANONICAL: { readonly [kind: string]: readonly Chunk[] } = {
  text: [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "Hel" }),
    chunk({ content: "lo" }),
    chunk({}, "stop"),
    LAST,
  ],
  call: [
    chunk({ role: "assistant", content: null }),
    begin(0, "call_1", "f"),
    fragment(0, '{"x":'),
    fragment(0, "1}"),
    chunk({}, "tool_calls"),
    LAST,
  ],
  calls: [
    chunk({ role: "assistant", content: null }),
    begin(0, "call_1", "f"),
    fragment(0, '{"x":1}'),
    begin(1, "call_2", "g"),
    fragment(1, '{"y":2}'),
    chunk({}, "tool_calls"),
    LAST,
  ],
};

/** How a server strays: changes a copy of the canonical chunks, in place or by giving others. */
type Stray = (chunks: Chunk[]) => Chunk[] | void;

function eachChoice(change: (choice: Chunk, position: number) => void): Stray {
  return (chunks) =>
    chunks.forEach(({ choices }, position) => choices.forEach((choice: Chunk) => change(choice, position)));
}

function eachCall(change: (call: Chunk) => void): Stray {
  return eachChoice(({ delta }) => delta.tool_calls?.forEach(change));
}

const STRAYS: readonly (readonly [name: string, kind: keyof typeof CANONICAL, stray: Stray])[] = [
  ["nothing", "text", () => {}],
  ["no role anywhere", "text", eachChoice(({ delta }) => delete delta.role)],
  ["no chunk for the role", "text", (chunks) => chunks.slice(1)],
  ["the role in every chunk", "text", eachChoice(({ delta }) => delta.role = "assistant")],
  ["an empty role", "text", eachChoice(({ delta }) => delta.role = "")],
  ["a role of null", "text", eachChoice(({ delta }) => delta.role = null)],
  ["content of null in the first chunk and the last", "text", (chunks) => {
    chunks[3].choices[0].delta = { content: null };
  }],
  ["no chunk with a finish reason", "text", (chunks) => [...chunks.slice(0, 3), LAST]],
  [
    "no key finish_reason before the end",
    "text",
    eachChoice((choice) => {
      if (choice.finish_reason === null) delete choice.finish_reason;
    }),
  ],
  ["an empty finish reason midway", "text", eachChoice((choice) => choice.finish_reason ??= "")],
  ["the finish reason on the last content", "text", (chunks) => {
    chunks[2].choices[0].finish_reason = "stop";
    return [...chunks.slice(0, 3), LAST];
  }],
  ["the finish reason twice", "text", (chunks) => [...chunks.slice(0, 4), chunks[3], LAST]],
  ["the usage without choices", "text", (chunks) => {
    delete chunks[4].choices;
  }],
  ["choices of null beside the usage", "text", (chunks) => {
    chunks[4].choices = null;
  }],
  ["the usage on the chunk that ends", "text", (chunks) => {
    chunks[3].usage = USAGE;
    return chunks.slice(0, 4);
  }],
  ["the usage in every chunk, growing", "text", (chunks) => {
    chunks.forEach((chunk, position) => chunk.usage = { ...USAGE, completion_tokens: Math.min(position, 2) });
  }],
  ["a total that is not the sum", "text", (chunks) => {
    chunks[4].usage = { ...USAGE, total_tokens: 99 };
  }],
  ["choices without index", "text", eachChoice((choice) => delete choice.index)],
  ["a delta of null at the end", "text", (chunks) => {
    chunks[3].choices[0].delta = null;
  }],
  ["no delta at the end", "text", (chunks) => {
    delete chunks[3].choices[0].delta;
  }],
  ["no logprobs key", "text", eachChoice((choice) => delete choice.logprobs)],
  ["an error of null in every chunk", "text", (chunks) => chunks.forEach((chunk) => chunk.error = null)],
  ["tool_calls of null", "text", eachChoice(({ delta }) => delta.tool_calls = null)],
  ["an empty list of tool_calls", "text", eachChoice(({ delta }) => delta.tool_calls = [])],
  [
    "refusal, reasoning and function_call of null",
    "text",
    eachChoice(({ delta }) => {
      Object.assign(delta, { refusal: null, reasoning: null, reasoning_content: null, function_call: null });
    }),
  ],
  ["empty deltas between", "text", (chunks) => chunks.flatMap((chunk) => [chunk, { ...ENVELOPE, choices: [] }])],
  ["no id, time, model and object", "text", (chunks) => chunks.map(({ choices, usage }) => ({ choices, usage }))],
  ["another id and time in each chunk", "text", (chunks) => {
    chunks.slice(1).forEach((chunk, position) => Object.assign(chunk, { id: `other-${position}`, created: position }));
  }],
  ["another model at the end", "text", (chunks) => {
    chunks[4].model = "m-2026";
  }],
  [
    "a fingerprint of null",
    "text",
    (chunks) => chunks.map((chunk) => ({ ...chunk, system_fingerprint: null })),
  ],

  ["calls without index", "call", eachCall((call) => delete call.index)],
  ["calls without type", "call", eachCall((call) => delete call.type)],
  [
    "calls with nulls later",
    "call",
    eachCall((call) => {
      call.id ??= null;
      call.type ??= null;
      call.function.name ??= null;
    }),
  ],
  ["the id in every piece", "call", eachCall((call) => call.id = "call_1")],
  ["the type in every piece", "call", eachCall((call) => call.type = "function")],
  ["the name in every piece", "call", eachCall((call) => call.function.name = "f")],
  [
    "id, type and name in every piece",
    "call",
    eachCall((call) => {
      Object.assign(call, { id: "call_1", type: "function" });
      call.function.name = "f";
    }),
  ],
  [
    "an empty id and name later",
    "call",
    eachCall((call) => {
      call.id ??= "";
      call.function.name ??= "";
    }),
  ],
  ["no arguments in the first piece", "call", (chunks) => {
    delete chunks[1].choices[0].delta.tool_calls[0].function.arguments;
  }],
  ["the finish reason stop after calls", "call", (chunks) => {
    chunks[4].choices[0].finish_reason = "stop";
  }],
  ["no finish reason after calls", "call", (chunks) => [...chunks.slice(0, 4), LAST]],
  [
    "an empty text beside calls",
    "call",
    eachChoice(({ delta }, position) => {
      if (position > 0) delta.content = "";
    }),
  ],
  ["calls with an index from 1", "call", eachCall((call) => call.index = 1)],

  ["two calls of index 0", "calls", eachCall((call) => call.index = 0)],
  ["two calls without index", "calls", eachCall((call) => delete call.index)],
  ["whole calls in one piece, both of index 0", "calls", () => [
    chunk({
      role: "assistant",
      content: null,
      tool_calls: [
        { index: 0, id: "call_1", type: "function", function: { name: "f", arguments: '{"x":1}' } },
        { index: 0, id: "call_2", type: "function", function: { name: "g", arguments: '{"y":2}' } },
      ],
    }),
    LAST,
  ]],
  ["arguments as objects", "calls", () => [
    chunk({
      content: null,
      tool_calls: [
        { id: "call_1", function: { name: "f", arguments: { x: 1 } } },
        { id: "call_2", function: { name: "g", arguments: { y: 2 } } },
      ],
    }),
    LAST,
  ]],
];

async function framesOf(
  source: Iterable<PredictPart | PredictResult> | AsyncIterable<PredictPart>,
): Promise<unknown[]> {
  const text = await new Response(encodeSse(normalise(source, OPTIONS), { includeUsage: true })).text();
  assertEventStream(text, true);
  const frames = text.split("\n\n").slice(0, -1).map((frame) => frame.slice("data: ".length));
  assertEquals(frames.pop(), "[DONE]");
  return frames.map((frame) => {
    const value: unknown = JSON.parse(frame);
    validateBody("CreateChatCompletionStreamResponse", value);
    return value;
  });
}

for (const [name, kind, stray] of STRAYS) {
  Deno.test(`normalise() gives OpenAI's frames of a ${kind} when a server sends ${name}`, async () => {
    const copy = structuredClone([...CANONICAL[kind] ?? []]);
    assertEquals(await framesOf(stray(copy) ?? copy), [...CANONICAL[kind] ?? []]);
  });
}

Deno.test("normalise() gives OpenAI's frames when a server sends a whole answer instead of a stream", async () => {
  const answer = { role: "assistant" as const, content: "Hello", refusal: null };
  const frames = await framesOf([{ choices: [{ index: 0, message: answer, finish_reason: "stop" }], usage: USAGE }]);
  const [first, , , ...rest] = CANONICAL.text ?? [];
  assertEquals(frames, [first, chunk({ content: "Hello" }), ...rest]);
});

Deno.test("normalise() makes ids when a server sends calls without any", async () => {
  const copy = structuredClone([...CANONICAL.calls ?? []]);
  eachCall((call) => delete call.id)(copy);
  const frames = await framesOf(copy);
  const ids = frames.flatMap((frame: Chunk) => frame.choices[0]?.delta.tool_calls?.[0]?.id ?? []);
  assertEquals(ids.length, 2);
  assert(ids[0] !== ids[1] && ids.every((id) => /^call_/.test(id)), `${ids}`);
  const named = frames.map((frame: Chunk) =>
    JSON.parse(JSON.stringify(frame).replace(ids[0], "call_1").replace(ids[1], "call_2"))
  );
  assertEquals(named, [...CANONICAL.calls ?? []]);
});

Deno.test("normalise() hands on what a server adds, in frames of its own", async () => {
  const copy = structuredClone([...CANONICAL.text ?? []]);
  copy[1].choices[0].delta.extra_content = { google: { thought_signature: "x" } };
  copy[1].provider = "someone";
  const expected = [...CANONICAL.text ?? []];
  expected.splice(2, 0, chunk({ extra_content: { google: { thought_signature: "x" } } }));
  assertEquals(await framesOf(copy), expected);
});

Deno.test("normalise() throws when a server puts an error into its stream, after what came before", async () => {
  const copy = [...(CANONICAL.text ?? []).slice(0, 2), { error: { message: "Out of memory", type: "server_error" } }];
  const given: unknown[] = [];
  const error = await assertRejects(
    async () => {
      for await (const { choices } of normalise(copy, OPTIONS)) given.push(choices[0]?.delta);
    },
    ChatModelError,
    "Out of memory",
  );
  assertEquals([error.code, given], ["upstream_error", [{ role: "assistant", content: "" }, { content: "Hel" }]]);
});

Deno.test("normalise() cuts what is too long for a line of 64 KiB", async () => {
  const text = "🦕".repeat(50_000);
  const frames = await framesOf([{ choices: [{ delta: { content: text } }] }]);
  assertEquals(frames.map((frame: Chunk) => frame.choices[0]?.delta.content ?? "").join(""), text);
  assert(frames.length > 10);
  const longest = Math.max(...frames.map((frame) => new TextEncoder().encode(`data: ${JSON.stringify(frame)}`).length));
  assert(longest < 65_536, `${longest} bytes`);
});

/** How bytes may stray, from OpenAI's own ones. */
const FRAMINGS: readonly (readonly [name: string, change: (text: string) => string])[] = [
  ["nothing", (text) => text],
  ["no [DONE]", (text) => text.replace("data: [DONE]\n\n", "")],
  ["[DONE] without a blank line", (text) => text.trimEnd()],
  ["CRLF", (text) => text.replaceAll("\n", "\r\n")],
  ["CR", (text) => text.replaceAll("\n", "\r")],
  ["no space after the colon", (text) => text.replaceAll("data: ", "data:")],
  ["comments", (text) => text.replaceAll("data: ", ": keep-alive\n\ndata: ")],
  ["names of events and ids", (text) => text.replaceAll("data: ", "event: message\nid: 1\ndata: ")],
  ["a byte order mark", (text) => `\ufeff${text}`],
];

for (const [name, change] of FRAMINGS) {
  Deno.test(`normalise() gives OpenAI's frames of what decodeSse() reads when a server sends ${name}`, async () => {
    const canonical = [...CANONICAL.text ?? []];
    const text = change(
      [...canonical.map((chunk) => JSON.stringify(chunk)), "[DONE]"]
        .map((data) => `data: ${data}\n\n`).join(""),
    );
    async function* read(): AsyncGenerator<PredictPart> {
      const bytes = new Blob([text]).stream();
      for await (const events of decodeSse(bytes)) {
        for (const { data } of events) if (data !== "[DONE]") yield JSON.parse(data);
      }
    }
    assertEquals(await framesOf(read()), canonical);
  });
}
