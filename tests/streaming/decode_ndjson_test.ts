import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { decodeNdjson } from "../../streaming/decode.ts";
import { UpstreamError } from "../../types/mod.ts";
import {
  assertDecodes,
  BAD_RECORD,
  concat,
  cut,
  encode,
  type Outcome,
  outcome,
  type StreamKind,
  streamOf,
} from "./_decoding.ts";

const NDJSON_CASES: readonly (readonly [string, Uint8Array<ArrayBuffer>, Outcome<string>])[] = [
  ["lines", encode('{"a":1}\n["ü€😀"]\n'), { items: ['{"a":1}', '["ü€😀"]'] }],
  ["a last line without its line end", encode("1\n2"), { items: ["1", "2"] }],
  ["CRLF", encode("1\r\n2\r\n3\r"), { items: ["1", "2", "3"] }],
  ["blank lines", encode("\n\r\n1\n \t\r\n\n2\n\n"), { items: ["1", "2"] }],
  ["space before a value", encode("  1\n"), { items: ["  1"] }],
  ["a byte order mark", encode("\ufeff1\n\ufeff2"), { items: ["1", "\ufeff2"] }],
  ["a byte order mark alone", encode("\ufeff"), { items: [] }],
  ["a carriage return inside", encode('{"a":\r1}\n'), { items: ['{"a":\r1}'] }],
  ["a genuine U+FFFD", encode("\ufffd\n"), { items: ["\ufffd"] }],
  ["nothing", encode(""), { items: [] }],
  [
    "invalid UTF-8",
    concat(encode("1\n2\n"), new Uint8Array([0xc3, 0x28]), encode("\n3\n")),
    { items: ["1", "2"], error: BAD_RECORD },
  ],
  ["a cut character at the end", concat(encode("1\n2"), new Uint8Array([0xc3])), { items: ["1"], error: BAD_RECORD }],
  ["a line of the limit", encode("123456789012345\nüüüüüüü1\n"), { items: ["123456789012345", "üüüüüüü1"] }],
  ["a line over the limit", encode("1\nüüüüüüüü\n3\n"), { items: ["1"], error: BAD_RECORD }],
  ["an unended line over the limit", encode("1\n1234567890123456"), { items: ["1"], error: BAD_RECORD }],
];

for (const [name, bytes, expected] of NDJSON_CASES) {
  Deno.test(`decodeNdjson() reads ${name} however the bytes are cut`, async () => {
    await assertDecodes((stream) => decodeNdjson(stream, { maxLineLength: 15 }), { bytes, expected });
  });
}

Deno.test("decodeNdjson() gives all lines of one packet in one batch", async () => {
  const stream = streamOf([encode("1\n2\n3"), encode("3\n4\n"), encode("5")], "bytes");
  const batches: string[][] = [];
  for await (const batch of decodeNdjson(stream)) batches.push(batch);
  assertEquals(batches, [["1", "2"], ["33", "4"], ["5"]]);
});

Deno.test("decodeNdjson() gives the same lines for every text and every way of cutting", async () => {
  const line = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.json({ maxDepth: 1 }),
    fc.constantFrom("ü", "\ufffd", "\ufeff", " ", "\r"),
  ).map((text) => text.replaceAll("\n", ""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\n\n"))),
      fc.array(fc.nat(200), { maxLength: 20 }),
      fc.constantFrom<StreamKind>("bytes", "default"),
      async (lines, places, kind) => {
        const text = new TextDecoder().decode(encode(lines.flat().join("")));
        const expected = text.split("\n").map((item) => item.replace(/\r$/, "")).filter((item) =>
          !/^[ \t\r]*$/.test(item)
        );
        const bytes = encode(text.length > 0 ? `\ufeff${text}` : "");
        assertEquals(await outcome(decodeNdjson(streamOf(cut(bytes, places), kind))), { items: expected });
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("decodeNdjson() comes to the same with broken bytes and a limit for every way of cutting", async () => {
  const byte = fc.constantFrom(0x0a, 0x0d, 0x20, 0x31, 0xc3, 0xbc, 0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x98, 0x80);
  await fc.assert(
    fc.asyncProperty(
      fc.array(byte, { maxLength: 40 }),
      fc.array(fc.nat(40), { maxLength: 10 }),
      async (values, places) => {
        const bytes = new Uint8Array(values);
        const whole = await outcome(decodeNdjson(streamOf([bytes], "default"), { maxLineLength: 6 }));
        for (const kind of ["bytes", "default"] as const) {
          const pieces = await outcome(decodeNdjson(streamOf(cut(bytes, places), kind), { maxLineLength: 6 }));
          assertEquals(pieces, whole);
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("decodeNdjson() reads lines far longer than its buffer", async () => {
  const lines = [300_000, 10, 16_384, 16_383, 5_000_000, 1].map((length) => "ü".repeat(length));
  const bytes = encode(lines.join("\n"));
  for (const kind of ["bytes", "default"] as const) {
    const places = Array.from({ length: 400 }, (_, index) => index * 30_011);
    const { items } = await outcome(decodeNdjson(streamOf(cut(bytes, places), kind), { maxLineLength: 10_000_000 }));
    assertEquals(items.map((item) => item.length), lines.map((line) => line.length));
    assert(items.every((item, index) => item === lines[index]));
  }
});

Deno.test("decodeNdjson() names its default limit, 8 MiB", async () => {
  const stream = streamOf(cut(new Uint8Array(8_388_609).fill(49), [1_000_000, 8_388_608]), "bytes");
  await assertRejects(async () => await decodeNdjson(stream).next(), UpstreamError, "longer than 8388608 bytes");
});

Deno.test("decodeNdjson() hands on what the stream failed with, after the lines before it", async () => {
  const broken = new Error("broken");
  for (const type of ["bytes", undefined] as const) {
    let pulled = 0;
    const pull = (controller: { enqueue(bytes: Uint8Array<ArrayBuffer>): void; error(reason: unknown): void }) =>
      pulled++ === 0 ? controller.enqueue(encode("1\n2")) : controller.error(broken);
    const stream: ReadableStream<Uint8Array> = type ? new ReadableStream({ type, pull }) : new ReadableStream({ pull });
    const result = await outcome(decodeNdjson(stream));
    assertEquals(result.items, ["1"]);
    assertStrictEquals(result.error, broken);
  }
});

Deno.test("decodeNdjson() answers calls of next() made at the same time in their order", async () => {
  const lines = decodeNdjson(streamOf([encode("1\n"), encode("2\n"), encode("3\n")], "bytes"));
  const results = await Promise.all([lines.next(), lines.next(), lines.next(), lines.next(), lines.next()]);
  assertEquals(results.map((result) => result.value), [["1"], ["2"], ["3"], undefined, undefined]);
});
