/** Answers of servers that do things differently: canonical ones come out. */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AnswerConverter, convertAnswer } from "../../../adapters/openai/convert_response.ts";
import type { AnswerSetup } from "../../../adapters/openai/convert_response.ts";
import { type OpenAIAnswer, OpenAIChatModel } from "../../../adapters/openai/mod.ts";
import { type ChatCompletionChunk, loadChatModel, UpstreamError } from "../../../mod.ts";
import { accumulate } from "../../../streaming/mod.ts";
import { parseChatChunk } from "../../../types/mod.ts";
import { json, startFakeUpstream, text } from "../../support/fake_upstream.ts";
import { chunk, DONE, finish, sse, token, USAGE, USAGE_CHUNK, whole } from "./_stack.ts";

const SETUP: AnswerSetup = { model: "asked", url: "http://up.test/v1" };
const MESSAGES = [{ role: "user", content: "hi" }] as const;

/** What our own users get of a stream of the upstream's, chunk by chunk. */
async function canonical(answer: ReturnType<typeof sse>): Promise<ChatCompletionChunk[]> {
  await using upstream = await startFakeUpstream([answer]);
  const model = await loadChatModel(new OpenAIChatModel({ model: "asked", baseUrl: upstream.url }));
  return await Array.fromAsync(model.predictStream({ messages: MESSAGES }));
}

/** Each choice's delta, or its finish reason where it ends. */
function told(chunks: readonly ChatCompletionChunk[]): unknown[] {
  return chunks.flatMap(({ choices, usage }): unknown[] =>
    choices.length === 0 ? [usage] : choices.map(({ delta, finish_reason }) => finish_reason ?? delta)
  );
}

const START = { role: "assistant", content: "" };
const CALL_START = { role: "assistant", content: null };
const frame = (value: unknown) => `data: ${JSON.stringify(value)}\n`;
const TEXT = [token("One "), token("two")];
const TEXT_TOLD = [START, { content: "One " }, { content: "two" }, "stop"];

const call = (index: number | undefined, rest: Readonly<Record<string, unknown>>) =>
  chunk({ tool_calls: [{ ...(index !== undefined && { index }), ...rest }] });
const CALL_TOLD = [
  CALL_START,
  { tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "f", arguments: "" } }] },
  { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] },
  { tool_calls: [{ index: 0, function: { arguments: "1}" } }] },
  "tool_calls",
];
const FIRST = { id: "c1", type: "function", function: { name: "f", arguments: "" } };

/** What servers do differently in streams, and what comes of it. */
const STREAMS: Record<string, readonly [answer: ReturnType<typeof sse>, told: readonly unknown[]]> = {
  "all as it should be": [sse([chunk(START), ...TEXT, finish(), USAGE_CHUNK, DONE]), [...TEXT_TOLD, USAGE]],
  "no role anywhere": [sse([...TEXT, finish(), DONE]), TEXT_TOLD],
  "the role on every chunk": [
    sse([...TEXT.map((_, i) => chunk({ role: "assistant", content: ["One ", "two"][i] })), finish(), DONE]),
    TEXT_TOLD,
  ],
  "an empty role": [sse([chunk({ role: "", content: "One " }), token("two"), finish(), DONE]), TEXT_TOLD],
  "no finish reason": [sse([...TEXT, DONE]), TEXT_TOLD],
  "empty finish reasons midway": [
    sse([chunk({ content: "One " }, { finish_reason: "" }), token("two"), finish(), DONE]),
    TEXT_TOLD,
  ],
  "usage without choices": [sse([...TEXT, finish(), { usage: USAGE }, DONE]), [...TEXT_TOLD, USAGE]],
  "usage and choices that are null": [
    sse([...TEXT, finish(), { ...USAGE_CHUNK, choices: null }, DONE]),
    [...TEXT_TOLD, USAGE],
  ],
  "usage in every chunk": [
    sse([...TEXT.map((each) => ({ ...each, usage: { ...USAGE, completion_tokens: 1 } })), {
      ...finish(),
      usage: USAGE,
    }, DONE]),
    [...TEXT_TOLD, USAGE],
  ],
  "no index of the choice": [sse([...[...TEXT, finish()].map(dropIndex), DONE]), TEXT_TOLD],
  "no delta at the finish": [sse([...TEXT, chunk(null, { finish_reason: "stop" }), DONE]), TEXT_TOLD],
  "errors that are null": [sse([...[...TEXT, finish()].map((each) => ({ ...each, error: null })), DONE]), TEXT_TOLD],
  "the finish on the last piece": [
    sse([token("One "), chunk({ content: "two" }, { finish_reason: "stop" }), DONE]),
    TEXT_TOLD,
  ],
  "message in place of delta": [
    sse([{ choices: [{ message: { content: "One " } }] }, { choices: [{ message: { content: "two" } }] }, DONE]),
    TEXT_TOLD,
  ],
  "no ids, and ids that change": [
    sse([{ ...token("One "), id: undefined }, { ...token("two"), id: "other" }, finish(), DONE]),
    TEXT_TOLD,
  ],
  "comments, events, carriage returns and no space": [
    sse([
      `: hello\r\n\r\nevent: message\r\nid: 1\r\n${frame(token("One ")).replace(": ", ":").trim()}\r\n\r`,
      frame(token("two")),
      frame(finish()),
      "data:[DONE]\n",
    ]),
    TEXT_TOLD,
  ],
  "a byte order mark": [sse([`\ufeff${frame(token("One "))}`, token("two"), finish(), DONE]), TEXT_TOLD],
  "data without text": [sse(["data:\n", ...TEXT, "data: \n", finish(), DONE]), TEXT_TOLD],
  "[DONE] without a blank line": [sse([...TEXT, finish(), "data: [DONE]"], { lastEnd: "" }), TEXT_TOLD],
  "plain text as its type": [sse([...TEXT, finish(), DONE], { contentType: "text/plain" }), TEXT_TOLD],
  "JSON as its type, a byte a packet": [
    sse(["\n", ...TEXT, finish(), DONE], { contentType: "application/json", packet: 1 }),
    TEXT_TOLD,
  ],
  "a whole answer": [json(whole("One two")), [START, { content: "One two" }, "stop", USAGE]],
  "a whole answer as plain text": [
    text(` ${JSON.stringify(whole("One two"))}`, { headers: { "content-type": "text/plain" } }),
    [START, { content: "One two" }, "stop", USAGE],
  ],
  "thinking under its other name": [
    sse([chunk({ reasoning_content: "Hm" }), token("One"), finish(), DONE]),
    [START, { reasoning: "Hm", reasoning_content: "Hm" }, { content: "One" }, "stop"],
  ],
  "two answers at once": [
    sse([
      {
        choices: [{ index: 0, delta: { content: "a" } }, {
          index: 1,
          delta: { content: "b" },
          finish_reason: "length",
        }],
      },
      finish(),
    ]),
    [START, { content: "a" }, START, { content: "b" }, "stop", "length"],
  ],
  "a call as it should be": [
    sse([
      call(0, FIRST),
      call(0, { function: { arguments: '{"a":' } }),
      call(0, { function: { arguments: "1}" } }),
      finish("tool_calls"),
      DONE,
    ]),
    CALL_TOLD,
  ],
  "a call without index and type, with finish stop": [
    sse([
      call(undefined, { id: "c1", function: { name: "f" } }),
      call(undefined, { function: { arguments: '{"a":' } }),
      call(undefined, { function: { arguments: "1}" } }),
      finish("stop"),
      DONE,
    ]),
    CALL_TOLD,
  ],
  "id, type and name on every piece of a call": [
    sse([
      call(0, FIRST),
      call(0, { ...FIRST, function: { name: "f", arguments: '{"a":' } }),
      call(0, { ...FIRST, function: { name: "f", arguments: "1}" } }),
      finish("tool_calls"),
      DONE,
    ]),
    CALL_TOLD,
  ],
  "nulls on later pieces of a call": [
    sse([
      call(0, FIRST),
      call(0, { id: null, type: null, function: { name: null, arguments: '{"a":' } }),
      call(0, { id: null, type: null, function: { name: null, arguments: "1}" } }),
      finish("tool_calls"),
      DONE,
    ]),
    CALL_TOLD,
  ],
  "arguments as an object": [
    sse([call(0, { ...FIRST, function: { name: "f", arguments: { a: 1 } } }), finish("tool_calls"), DONE]),
    [CALL_START, CALL_TOLD[1], { tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }, "tool_calls"],
  ],
  "two calls with index 0": [
    sse([
      call(0, { ...FIRST, function: { name: "f", arguments: "{}" } }),
      call(0, { id: "c2", type: "function", function: { name: "g", arguments: "{}" } }),
      finish("tool_calls"),
      DONE,
    ]),
    [
      CALL_START,
      CALL_TOLD[1],
      { tool_calls: [{ index: 0, function: { arguments: "{}" } }] },
      { tool_calls: [{ index: 1, id: "c2", type: "function", function: { name: "g", arguments: "" } }] },
      { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
      "tool_calls",
    ],
  ],
};

function dropIndex({ choices, ...rest }: Record<string, unknown>): unknown {
  const [choice] = Array.isArray(choices) ? choices : [];
  const { index: _, ...own } = choice;
  return { ...rest, choices: [own] };
}

for (const [name, [answer, expected]] of Object.entries(STREAMS)) {
  Deno.test(`OpenAIChatModel streams in canonical form when the upstream gives ${name}`, async () => {
    const chunks = await canonical(answer);
    assertEquals(told(chunks), expected);
    assertEquals(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size, 1);
  });
}

Deno.test("AnswerConverter keeps id, time and model of the server, and gives its own where there are none", () => {
  const converter = new AnswerConverter(SETUP);
  const [first] = converter.push(token("a"));
  assertEquals([first?.id, first?.created, first?.model], ["chatcmpl-up", 1_700_000_000, "plain-1"]);
  const [other] = new AnswerConverter(SETUP).push({ choices: [{ delta: { content: "a" } }] });
  assertEquals([other?.id.startsWith("chatcmpl-"), other?.model], [true, "asked"]);
});

Deno.test("AnswerConverter and convertAnswer() hand on what OpenAI's API has no place for", async () => {
  const extras = {
    timings: { predicted_ms: 5 },
    citations: ["x"],
    choices: { 0: { stop_reason: 7, finish_reason: "eos" }, 1: { token_ids: [1] } },
    usage: { cost: 0.5 },
  };
  const usage = { ...USAGE, cost: 0.5, nothing: null };
  const converter = new AnswerConverter(SETUP);
  const chunks = [
    { choices: [{ index: 0, delta: { content: "a", x_delta: 1 }, stop_reason: null }], timings: { predicted_ms: 1 } },
    { choices: [{ index: 1, delta: { content: "b" }, token_ids: [1] }], citations: ["x"], obfuscation: "zzz" },
    { choices: [{ index: 0, delta: {}, finish_reason: "eos", stop_reason: 7 }], custom_outputs: { own: true } },
    { choices: [], usage, timings: { predicted_ms: 5 } },
  ].flatMap((chunk) => converter.push(chunk)).concat(converter.end());
  const streamed = await accumulate(chunks);
  const response = convertAnswer({
    ...whole(""),
    choices: [
      { index: 0, message: { content: "a", x_delta: 1 }, finish_reason: "eos", stop_reason: 7 },
      { index: 1, message: { content: "b" }, finish_reason: "stop", token_ids: [1] },
    ],
    timings: { predicted_ms: 5 },
    citations: ["x"],
    system_fingerprint: null,
    prompt_logprobs: null,
    usage,
    custom_outputs: { own: true },
  }, SETUP);
  for (const answer of [streamed, response]) {
    assertEquals(answer.custom_outputs, { own: true, openai: extras });
    assertEquals(answer.usage, USAGE);
    assertEquals(answer.choices.map(({ finish_reason }) => finish_reason), ["stop", "stop"]);
    assertEquals(Object.entries(answer.choices[0]?.message ?? {}).find(([name]) => name === "x_delta"), ["x_delta", 1]);
  }
});

Deno.test("convertAnswer() knows what others call OpenAI's finish reasons", () => {
  const reasons = {
    max_tokens: "length",
    MAX_TOKENS: "length",
    STOP: "stop",
    tool_use: "tool_calls",
    constructor: "stop",
  };
  for (const [given, expected] of Object.entries(reasons)) {
    const answer = convertAnswer({ choices: [{ message: { content: "a" }, finish_reason: given }] }, SETUP);
    assertEquals(answer.choices[0]?.finish_reason, expected);
    assertEquals(answer.custom_outputs, { openai: { choices: { 0: { finish_reason: given } } } });
  }
});

Deno.test("convertAnswer() makes up no usage when the server tells only half of it", () => {
  const answer = convertAnswer({ ...whole("a"), usage: { prompt_tokens: 3 } }, SETUP);
  assertEquals([answer.usage, answer.custom_outputs], [undefined, { openai: { usage: { prompt_tokens: 3 } } }]);
});

Deno.test("AnswerConverter blames the server, without quoting it, when a chunk cannot be read", () => {
  for (
    const bad of [
      { choices: "SECRET" },
      { choices: ["SECRET"] },
      { choices: [{ delta: { content: { SECRET: 1 }, role: "assistant" } }] },
      { choices: [{ delta: { content: 5 } }] },
      { choices: [{ delta: { tool_calls: [{ function: 5 }] } }] },
      { choices: [{ message: null }] },
      { content: "SECRET" },
      {},
    ]
  ) {
    const error = assertThrows(() => new AnswerConverter(SETUP).push(bad), UpstreamError);
    assertEquals([error.code, error.status], ["upstream_bad_record", 502]);
    assertEquals(error.message.startsWith('Cannot chat with model "asked": the answer of the server'), true);
  }
});

/** Values that look a little like those of a chunk, so that most of them are read to some depth. */
const junk = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, "", "stop", "assistant", "x", 0, 1, -1, 1.5, true),
    fc.array(tie("value"), { maxLength: 2 }),
    tie("object"),
  ),
  object: fc.dictionary(
    fc.constantFrom(
      ...["choices", "delta", "message", "index", "finish_reason", "content", "role", "tool_calls", "function", "name"],
      ...["arguments", "id", "type", "usage", "prompt_tokens", "completion_tokens", "logprobs", "error", "object"],
      ...["created", "model", "custom_outputs", "reasoning", "function_call", "__proto__", "constructor", "x"],
    ),
    tie("value"),
    { maxKeys: 5 },
  ),
  chunk: fc.record({ choices: fc.oneof(tie("value"), fc.array(tie("object"), { maxLength: 2 })) }),
}));

Deno.test("AnswerConverter gives canonical chunks or one typed error, whatever it is given", () => {
  const given = fc.oneof(
    junk.chunk,
    junk.object,
    fc.record({ choices: fc.array(fc.record({ delta: junk.object, finish_reason: junk.value }), { maxLength: 2 }) }),
  );
  let answered = 0;
  fc.assert(
    fc.property(fc.array(given, { maxLength: 3 }), (chunks) => {
      const converter = new AnswerConverter(SETUP);
      const out: ChatCompletionChunk[] = [];
      try {
        for (const chunk of chunks) if (isAnswer(chunk)) out.push(...converter.push(chunk));
        out.push(...converter.end());
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        return;
      }
      answered++;
      for (const chunk of out) parseChatChunk(JSON.parse(JSON.stringify(chunk)));
      assertEquals(new Set(out.map(({ id }) => id)).size, 1);
    }),
    { numRuns: 2_000 },
  );
  assertEquals(answered > 100, true, `only ${answered} answers`);
});

function isAnswer(value: unknown): value is OpenAIAnswer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
