import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { accumulate, expand } from "../../streaming/mod.ts";
import { type ChatCompletionChunk, ChatModelError, parseChatChunk, parseChatResponse } from "../../types/mod.ts";

const logprob = fc.record({
  token: fc.string({ unit: "grapheme" }),
  logprob: fc.double({ max: 0, min: -9999, noNaN: true }),
  bytes: fc.option(fc.array(fc.nat(255), { maxLength: 4 })),
});
const tokens = fc.option(fc.array(
  fc.tuple(logprob, fc.array(logprob, { maxLength: 3 })).map(([own, top]) => ({ ...own, top_logprobs: top })),
  { maxLength: 40 },
));
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }).map((text) => text.repeat(4000)),
);
const count = fc.nat(100_000);

const toolCall = fc.oneof(
  fc.record({ name: fc.string({ minLength: 1 }), arguments: text }).map((call) => ({
    type: "function" as const,
    function: call,
  })),
  fc.record({ name: fc.string({ minLength: 1 }), input: text }).map((call) => ({
    type: "custom" as const,
    custom: call,
  })),
);

const message = fc.record({
  content: text,
  refusal: fc.option(fc.string({ minLength: 1 })),
  reasoning: fc.string(),
  calls: fc.array(toolCall, { maxLength: 3 }),
  annotations: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 2 }),
}).map(({ content, refusal, reasoning, calls, annotations }) => ({
  role: "assistant" as const,
  content: content === "" && (calls.length > 0 || refusal !== null) ? null : content,
  refusal,
  ...(calls.length > 0 && { tool_calls: calls.map((call, i) => ({ id: `call_${i}`, ...call })) }),
  ...(reasoning !== "" && { reasoning, reasoning_content: reasoning }),
  ...(annotations.length > 0 && { annotations }),
}));

const response = fc.record({
  id: fc.string({ minLength: 1 }),
  created: fc.integer({ min: 1, max: 2 ** 40 }),
  model: fc.string({ minLength: 1 }),
  answers: fc.array(fc.tuple(message, fc.constantFrom("stop", "length", "content_filter"), tokens, tokens), {
    minLength: 1,
    maxLength: 3,
  }),
  usage: fc.option(fc.tuple(count, count, fc.option(count))),
  system_fingerprint: fc.option(fc.string({ minLength: 1 })),
  custom_outputs: fc.option(fc.dictionary(fc.string(), fc.jsonValue())),
}).map(({ id, created, model, answers, usage, system_fingerprint, custom_outputs }) => ({
  id,
  object: "chat.completion" as const,
  created,
  model,
  choices: answers.map(([message, reason, content, refusal], index) => ({
    index,
    message,
    logprobs: content || refusal ? { content, refusal } : null,
    finish_reason: reason === "stop" && message.tool_calls
      ? "tool_calls" as const
      : reason as "stop" | "length" | "content_filter",
  })),
  ...(usage && {
    usage: {
      prompt_tokens: usage[0],
      completion_tokens: usage[1],
      total_tokens: usage[0] + usage[1],
      ...(usage[2] !== null && { prompt_tokens_details: { cached_tokens: usage[2] } }),
    },
  }),
  ...(system_fingerprint !== null && { system_fingerprint }),
  ...(custom_outputs !== null && { custom_outputs }),
}));

Deno.test("accumulate() undoes expand() for every response", async () => {
  await fc.assert(
    fc.asyncProperty(response, async (response) => {
      const chunks = expand(response);
      assertEquals(await accumulate(chunks), response);
    }),
    { numRuns: 300 },
  );
});

Deno.test("expand() gives chunks, accumulate() a response, that pass validation", () => {
  fc.assert(
    fc.property(response, (response) => {
      parseChatResponse(response);
      for (const chunk of expand(response)) parseChatChunk(chunk);
    }),
    { numRuns: 100 },
  );
});

Deno.test("accumulate() throws on a stream that is not canonical", async () => {
  const unfinished: ChatCompletionChunk = {
    id: "a",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { content: "a" }, logprobs: null, finish_reason: null }],
  };
  await assertRejects(() => accumulate([]), ChatModelError, "it has no chunk");
  await assertRejects(() => accumulate([unfinished]), ChatModelError, "choice 0 has no finish_reason");
});
