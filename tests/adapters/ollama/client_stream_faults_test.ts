import { assertEquals, assertStringIncludes } from "@std/assert";
import { OllamaClient } from "../../../adapters/ollama/client.ts";
import { type Answer, garbage, json, ndjson, startFakeUpstream, text } from "../../support/fake_upstream.ts";
import { A, B, DONE, REQUEST, stream } from "./_chat_outcome.ts";

/** Streams: the answer, how many records come through, code of the error, and a piece of its message. */
const STREAMS: readonly (readonly [string, Answer, number, string | null, string])[] = [
  ["a good answer", ndjson([A, B, DONE]), 3, null, ""],
  ["one byte a packet", ndjson([A, B, DONE], { packet: 1 }), 3, null, ""],
  ["slow headers", ndjson([A, DONE], { slowHeaders: 50 }), 2, null, ""],
  ["no last line end", ndjson([A, DONE], { lastLineEnd: "" }), 2, null, ""],
  ["CRLF and blank lines", ndjson([JSON.stringify(A) + "\r", "", "\r", DONE]), 2, null, ""],
  ["done twice", ndjson([A, DONE, DONE]), 2, null, ""],
  ["garbage after done", ndjson([A, DONE, "<html>"]), 2, null, ""],
  ["an error after done", ndjson([A, DONE, { error: "late" }]), 2, null, ""],
  ["a stall after done", ndjson([A, DONE], { end: "stall" }), 2, null, ""],
  ["a cut after done", ndjson([A, DONE], { end: "cut" }), 2, null, ""],
  ["a record of 300 kB", ndjson([{ ...A, message: { content: "ü".repeat(150_000) } }, DONE]), 2, null, ""],
  [
    "nulls for what is absent",
    ndjson(['{"message":{"content":"a","thinking":null,"tool_calls":null}}', DONE]),
    2,
    null,
    "",
  ],
  ["one JSON object", json(DONE), 1, null, ""],
  ["an error line", ndjson([A, { error: "boom" }]), 1, "upstream_error", "says: boom"],
  ["an error line at first", ndjson([{ error: "boom" }]), 0, "upstream_error", "says: boom"],
  [
    "a nested error line",
    ndjson([A, { error: '{"error":{"code":500,"message":"deep","type":"x"}}' }]),
    1,
    "upstream_error",
    "says: deep",
  ],
  [
    "a context error as line",
    ndjson([{ error: "the prompt is longer than the context length currently available" }]),
    0,
    "context_length_exceeded",
    "num_ctx",
  ],
  ["an end without done", ndjson([A, B]), 2, "upstream_incomplete", "ended without 'done'"],
  ["an empty answer", ndjson([""]), 0, "upstream_incomplete", "ended without 'done'"],
  ["a cut", ndjson([A, B], { end: "cut" }), 2, "upstream_lost", "in the middle of the answer"],
  ["a cut inside a record", ndjson([A, '{"model":"pl'], { end: "cut", lastLineEnd: "" }), 1, "upstream_lost", "broke"],
  ["garbage", ndjson([A, "{garbage", DONE]), 1, "upstream_bad_record", "record 2 of the answer"],
  ["no object", ndjson([A, B, "5"]), 2, "upstream_bad_record", "record 3"],
  [
    "a wrong shape",
    ndjson([{ message: { content: 5 } }]),
    0,
    "upstream_bad_record",
    '"message.content": expected string, got number',
  ],
  ["an array for a record", ndjson([A, "[1,2]"]), 1, "upstream_bad_record", '"": expected Object, got an array'],
  [
    "an array of a record",
    ndjson([[DONE]]),
    0,
    "upstream_bad_record",
    '"": expected Object, got an array',
  ],
  [
    "an array for a message",
    ndjson(['{"message":["a"],"done":false}', DONE]),
    0,
    "upstream_bad_record",
    '"message": expected Object, got an array',
  ],
  [
    "an array for a function",
    ndjson([{ message: { tool_calls: [{ function: [] }] } }]),
    0,
    "upstream_bad_record",
    '"message.tool_calls.0.function": expected Object, got an array',
  ],
  ["a record of nothing", ndjson([A, {}, DONE]), 1, "upstream_bad_record", '"message" or "done"'],
  ["a record of what is unknown", ndjson([A, { x: 1 }, DONE]), 1, "upstream_bad_record", '"message" or "done"'],
  ["a record of nulls", ndjson([A, { message: null }, DONE]), 1, "upstream_bad_record", '"message" or "done"'],
  [
    "arguments as text",
    ndjson([{ message: { tool_calls: [{ function: { name: "f", arguments: "{}" } }] } }]),
    0,
    "upstream_bad_record",
    '"message.tool_calls.0.function.arguments"',
  ],
  [
    "arguments as array",
    ndjson([{ message: { tool_calls: [{ function: { name: "f", arguments: [] } }] } }]),
    0,
    "upstream_bad_record",
    '"message.tool_calls.0.function.arguments"',
  ],
  [
    "bytes that are no UTF-8",
    [...ndjson([A]).slice(0, 2), { send: new Uint8Array([0x33, 13, 10, 34, 0xff, 10, 13, 10]) }, { send: "0\r\n\r\n" }],
    1,
    "upstream_bad_record",
    "UTF-8",
  ],
  [
    "an HTML page with 200",
    text("<html><b>Log in</b></html>", { headers: { "content-type": "text/html" } }),
    0,
    "upstream_error",
    "status 200 (text/html): Log in",
  ],
  ["no HTTP", garbage(), 0, "upstream_unreachable", "invalid HTTP version"],
];

for (const [name, answer, count, code, message] of STREAMS) {
  Deno.test(`OllamaClient.chatStream() reads ${name}`, async () => {
    await using upstream = await startFakeUpstream([answer]);
    const { records, error } = await stream(upstream);
    assertEquals(records.length, count);
    if (count > 1 && name !== "a record of 300 kB" && !name.startsWith("nulls")) assertEquals(records[0], A);
    assertEquals(error?.code ?? null, code, error?.message);
    assertStringIncludes(error?.message ?? "", message);
  });
}

Deno.test("OllamaClient.chatStream() tells a reset from an end", async () => {
  await using upstream = await startFakeUpstream([[
    ...ndjson([A], { end: "stall" }).slice(0, -1),
    { wait: 30 },
    "reset",
  ]]);
  const { records, error } = await stream(upstream);
  assertEquals(records, [A]);
  assertEquals([error?.code, error?.retryable], ["upstream_lost", true]);
});

Deno.test("OllamaClient.chatStream() takes a reason without done for the end, and says done", async () => {
  await using upstream = await startFakeUpstream([ndjson([A, { ...B, done: undefined, done_reason: "length" }])]);
  assertEquals(await stream(upstream), { records: [A, { ...B, done: true, done_reason: "length" }] });
});

Deno.test("OllamaClient.chatStream() keeps members it does not know, and null in arguments", async () => {
  const record = {
    extra: { a: [null] },
    message: { tool_calls: [{ function: { name: "f", arguments: { b: null } } }] },
  };
  await using upstream = await startFakeUpstream([ndjson([{ ...record, model: null }, DONE])]);
  const { records } = await stream(upstream);
  assertEquals<unknown>(records[0], { ...record, extra: { a: [null] } });
});

Deno.test("OllamaClient uses a connection again once an answer is complete, streamed or not", async () => {
  await using upstream = await startFakeUpstream([ndjson([A, DONE]), ndjson([A, DONE]), json(DONE), ndjson([A, DONE])]);
  const client = new OllamaClient({ host: upstream.url });
  // The runtime takes a moment to see that the connection is free.
  const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals((await stream(upstream)).records, [A, DONE]);
  await pause();
  // Also for those who stop at the last record.
  for await (const batch of await client.chatStream(REQUEST)) if (batch.at(-1)?.done) break;
  await pause();
  assertEquals(await client.chat(REQUEST), DONE);
  await pause();
  assertEquals((await stream(upstream)).records, [A, DONE]);
  assertEquals(upstream.requests.length, 4);
  assertEquals(upstream.connections.length, 1);
});
