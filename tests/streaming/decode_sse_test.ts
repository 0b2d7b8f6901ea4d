import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeSse } from "../../streaming/decode.ts";
import type { SseEvent } from "../../streaming/mod.ts";
import {
  assertDecodes,
  BAD_RECORD,
  concat,
  cut,
  encode,
  type Outcome,
  outcome,
  stalling,
  type StreamKind,
  streamOf,
} from "./_decoding.ts";

const SSE_CASES: readonly (readonly [string, Uint8Array<ArrayBuffer>, Outcome<SseEvent>])[] = [
  ["events", encode("data: ü\n\ndata: 2\n\n"), { items: [{ data: "ü" }, { data: "2" }] }],
  ["CRLF", encode("event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n"), {
    items: [{ event: "a", data: "1" }, { data: "2" }],
  }],
  ["CR", encode("data: 1\rdata: 2\r\rdata: 3\r\r"), { items: [{ data: "1\n2" }, { data: "3" }] }],
  ["mixed line ends", encode("data: 1\r\ndata: 2\n\r\ndata: 3\r\n\r"), { items: [{ data: "1\n2" }, { data: "3" }] }],
  ["fields with and without a space", encode("data:1\ndata:  2\ndata\nid:7\n\n"), {
    items: [{ data: "1\n 2\n", id: "7" }],
  }],
  ["an id that stays", encode("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"), {
    items: [{ data: "a", id: "1" }, { data: "b", id: "1" }, { data: "c" }],
  }],
  ["an id with a zero", encode("id: a\0b\ndata: 1\n\n"), { items: [{ data: "1" }] }],
  ["comments and unknown fields", encode(": hi\nretry: 5\nfoo: 1\n data: no\ndata: 1\n\n:\n\n"), {
    items: [{ data: "1" }],
  }],
  ["events without data", encode("event: a\n\ndata\n\ndata:\ndata\n\n"), { items: [{ data: "" }, { data: "\n" }] }],
  ["a byte order mark", encode("\ufeffdata: 1\n\n"), { items: [{ data: "1" }] }],
  ["an end without a blank line", encode("data: 1\n\ndata: [DONE]\n"), { items: [{ data: "1" }, { data: "[DONE]" }] }],
  ["an end without a line end", encode("data: 1\n\ndata: [DONE]"), { items: [{ data: "1" }, { data: "[DONE]" }] }],
  ["an end without data", encode("data: 1\n\nevent: x"), { items: [{ data: "1" }] }],
  ["invalid UTF-8", concat(encode("data: 1\n\ndata: "), new Uint8Array([0xff]), encode("\n\n")), {
    items: [{ data: "1" }],
    error: BAD_RECORD,
  }],
  ["a line over the limit", encode("data: 1\n\ndata: 12345678901234567890\n\n"), {
    items: [{ data: "1" }],
    error: BAD_RECORD,
  }],
  ["data over the limit", encode("data: 1\n\ndata: 1234567890\ndata: 1234567890\n\n"), {
    items: [{ data: "1" }],
    error: BAD_RECORD,
  }],
];

for (const [name, bytes, expected] of SSE_CASES) {
  Deno.test(`decodeSse() reads ${name} however the bytes are cut`, async () => {
    await assertDecodes((stream) => decodeSse(stream, { maxLineLength: 20 }), { bytes, expected });
  });
}

Deno.test("decodeSse() gives what was encoded, for every way of cutting", async () => {
  const data = fc.string({ unit: "binary", maxLength: 12 }).map((text) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(encode(text)).replaceAll("\r", "")
  );
  const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
  await fc.assert(
    fc.asyncProperty(
      fc.array(data),
      lineEnd,
      fc.array(fc.nat(300), { maxLength: 20 }),
      fc.constantFrom<StreamKind>("bytes", "default"),
      async (events, end, places, kind) => {
        const text = events.map((event) =>
          event.split("\n").map((line) => `data: ${line}${end}`).join("") + `: c${end}${end}`
        ).join("");
        const pieces = cut(encode(text), places);
        assertEquals(await outcome(decodeSse(streamOf(pieces, kind))), { items: events.map((data) => ({ data })) });
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("decodeSse() delivers an event whose last line ends with CR without waiting for more", async () => {
  const { stream, reasons } = stalling("data: 1\r\r", "bytes");
  const events = decodeSse(stream);
  assertEquals(await events.next(), { done: false, value: [{ data: "1" }] });
  await events.return?.();
  assertEquals(reasons.length, 1);
});
