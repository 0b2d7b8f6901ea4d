import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ServerSentEventParseStream } from "@std/http/server-sent-event-parse-stream";
import fc from "fast-check";
import { accumulate, encodeSse, type EncodeSseOptions, normalise, type PredictPart } from "../../streaming/mod.ts";
import { parseChatChunk, UpstreamError } from "../../types/mod.ts";

const OPTIONS = { id: "chatcmpl-1", created: 1_700_000_000, model: "m" };

async function encode(
  parts: Iterable<PredictPart> | AsyncIterable<PredictPart>,
  options?: EncodeSseOptions,
): Promise<string> {
  return await new Response(encodeSse(normalise(parts, OPTIONS), options)).text();
}

/** The data of every event, by the parser of Deno's standard library. */
async function events(text: string): Promise<string[]> {
  const stream = new Response(text).body?.pipeThrough(new ServerSentEventParseStream());
  assert(stream);
  return (await Array.fromAsync(stream)).map(({ data }) => data ?? "");
}

Deno.test("encodeSse() writes OpenAI's frames", async () => {
  const chunk = (delta: unknown, finish: string | null = null) =>
    `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":${
      JSON.stringify(delta)
    },"logprobs":null,"finish_reason":${JSON.stringify(finish)}}]}\n\n`;
  assertEquals(
    await encode(["Hé", ' "\n<'], {}),
    chunk({ role: "assistant", content: "" }) + chunk({ content: "Hé" }) + chunk({ content: ' "\n<' }) +
      chunk({}, "stop") +
      "data: [DONE]\n\n",
  );
});

Deno.test("encodeSse() sends usage only when asked, and then null before it", async () => {
  const parts: PredictPart[] = ["a", { usage: { prompt_tokens: 1, completion_tokens: 2 } }];
  const without = (await events(await encode(parts))).slice(0, -1).map((data) => JSON.parse(data));
  assertEquals(without.map((chunk) => [chunk.choices.length, "usage" in chunk]), [[1, false], [1, false], [1, false]]);
  const included = (await events(await encode(parts, { includeUsage: true }))).slice(0, -1).map((data) =>
    JSON.parse(data)
  );
  assertEquals(included.map((chunk) => chunk.usage), [null, null, null, {
    prompt_tokens: 1,
    completion_tokens: 2,
    total_tokens: 3,
  }]);
  assertEquals(included.at(-1)?.choices, []);
});

Deno.test("encodeSse() ends a failed stream with one error frame and without [DONE]", async () => {
  const text = await encode((function* (): Generator<PredictPart> {
    yield "a";
    throw new UpstreamError("Cannot finish", { code: "upstream_lost" });
  })());
  const all = await events(text);
  assertEquals(JSON.parse(all.at(-1) ?? ""), {
    error: { message: "Cannot finish", type: "server_error", param: null, code: "upstream_lost" },
  });
  assertEquals(all.length, 3);
  assert(!text.includes("[DONE]"));
});

Deno.test("encodeSse() writes no line over 64 KiB, whatever the model gives", async () => {
  const values = Array.from({ length: 5000 }, (_, i) => `value ${i} \u0001`);
  const text = await encode([
    { content: "\u0001".repeat(100_000), reasoning: "ü".repeat(100_000) },
    { tool_calls: [{ function: { name: "f", arguments: { values } } }] },
    { custom_outputs: { values } },
  ]);
  for (const line of text.split("\n")) assert(new TextEncoder().encode(line).length <= 65_536);
  const chunks = (await events(text)).slice(0, -1).map((data) => parseChatChunk(JSON.parse(data)));
  const response = await accumulate(chunks);
  assertEquals(response.choices[0]?.message.content, "\u0001".repeat(100_000));
  assertEquals(response.choices[0]?.message.reasoning, "ü".repeat(100_000));
  assertEquals(response.choices[0]?.message.tool_calls?.[0]?.type, "function");
  assertEquals(response.custom_outputs, { values });
});

Deno.test("encodeSse() reports a value that fits no line", async () => {
  const text = await encode(["a", { custom_outputs: { value: "x".repeat(70_000) } }]);
  assertStringIncludes(text, '"code":"chunk_too_long"');
  assert(!text.includes("[DONE]"));
});

Deno.test("encodeSse() sends comments while the model thinks", async () => {
  const gate = Promise.withResolvers<void>();
  const stream = encodeSse(
    normalise((async function* (): AsyncGenerator<PredictPart> {
      yield "a";
      await gate.promise;
      yield "b";
    })()),
    { keepAliveInterval: 5 },
  );
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes(": keep-alive\n\n")) gate.resolve();
  }
  assertStringIncludes(text, ": keep-alive\n\n");
  assertEquals((await events(text)).filter((data) => data.includes('"content":"b"')).length, 1);
  assertEquals((await events(text)).at(-1), "[DONE]");
});

Deno.test("encodeSse() asks for nothing before it is read, and stops the model at once when the reader leaves", async () => {
  let asked = 0;
  const stopped = Promise.withResolvers<void>();
  const source: AsyncIterable<PredictPart> = {
    [Symbol.asyncIterator]: () => ({
      next: () => ++asked > 3 ? new Promise(() => {}) : Promise.resolve({ done: false, value: "a" }),
      return: () => {
        stopped.resolve();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  let closed = 0;
  const reader = encodeSse(normalise(source), { onClose: () => closed++ }).getReader();
  await reader.read();
  const waiting = reader.read();
  await reader.cancel();
  await stopped.promise;
  await waiting;
  assertEquals(closed, 1);
});

Deno.test("encodeSse() and a parser of event streams undo each other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "binary" })), fc.boolean(), async (words, includeUsage) => {
      const all = await events(await encode(words, { includeUsage }));
      assertEquals(all.at(-1), "[DONE]");
      const response = await accumulate(all.slice(0, -1).map((data) => parseChatChunk(JSON.parse(data))));
      assertEquals(response.choices[0]?.message.content, words.join(""));
    }),
    { numRuns: 200 },
  );
});
