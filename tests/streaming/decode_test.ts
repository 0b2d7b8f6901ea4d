import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { decodeNdjson, decodeSse, readText } from "../../streaming/decode.ts";
import type { SseEvent } from "../../streaming/mod.ts";
import { UpstreamError } from "../../types/mod.ts";

/** What a stream's decoding came to: all items, and the code of the error it ended with. */
interface Outcome<T> {
  readonly items: T[];
  readonly error?: unknown;
}

type StreamKind = "bytes" | "default";

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array<ArrayBuffer>, places: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    if (end > start) pieces.push(bytes.slice(start, end));
    start = end;
  }
  return pieces;
}

/** A stream of the pieces, one a read. */
function streamOf(pieces: readonly Uint8Array<ArrayBuffer>[], kind: StreamKind): ReadableStream<Uint8Array> {
  let next = 0;
  if (kind === "default") {
    return new ReadableStream({
      pull(controller) {
        const piece = pieces[next++];
        if (piece) controller.enqueue(piece.slice());
        else controller.close();
      },
    });
  }
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const piece = pieces[next++];
      if (piece) controller.enqueue(piece.slice());
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
  });
}

async function outcome<T>(batches: AsyncIterable<T[]>): Promise<Outcome<T>> {
  const items: T[] = [];
  try {
    for await (const batch of batches) {
      assert(batch.length > 0, "an empty batch");
      items.push(...batch);
    }
  } catch (error) {
    return { items, error: UpstreamError.isInstance(error) ? error.code : error };
  }
  return { items };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Checks a decoder over both kinds of stream and: in one piece, one byte a piece, every single cut. */
async function assertDecodes<T>(
  decode: (stream: ReadableStream<Uint8Array>) => AsyncIterable<T[]>,
  { bytes, expected }: { bytes: Uint8Array<ArrayBuffer>; expected: Outcome<T> },
): Promise<void> {
  const cuts = [[], [...bytes.keys()], ...[...bytes.keys()].map((place) => [place])];
  for (const kind of ["bytes", "default"] as const) {
    for (const places of cuts) {
      assertEquals(await outcome(decode(streamOf(cut(bytes, places), kind))), expected, `${kind}, cut at ${places}`);
    }
  }
}

/** A stream that never sends a further byte after `first`, and tells when it is cancelled. */
function stalling(first: string, kind: StreamKind) {
  const reasons: unknown[] = [];
  const source = {
    start(controller: { enqueue(bytes: Uint8Array<ArrayBuffer>): void }) {
      if (first !== "") controller.enqueue(encode(first));
    },
    pull: () => new Promise<void>(() => {}),
    cancel: (reason: unknown) => {
      reasons.push(reason);
    },
  };
  const stream: ReadableStream<Uint8Array> = kind === "bytes"
    ? new ReadableStream({ type: "bytes", ...source })
    : new ReadableStream<Uint8Array>(source);
  return { stream, reasons };
}

const BAD_RECORD = "upstream_bad_record";

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

for (const kind of ["bytes", "default"] as const) {
  Deno.test(`decodeNdjson() cancels a ${kind} stream at once when aborted while a read waits`, async () => {
    const { stream, reasons } = stalling("1\n2", kind);
    const controller = new AbortController();
    const lines = decodeNdjson(stream, { signal: controller.signal });
    assertEquals(await lines.next(), { done: false, value: ["1"] });
    const waiting = lines.next();
    const reason = { why: "enough" };
    controller.abort(reason);
    assertEquals(reasons, [reason]);
    assertStrictEquals(await waiting.catch((error) => error), reason);
    assertEquals(await lines.next(), { done: true, value: undefined });
  });

  Deno.test(`decodeNdjson() cancels a ${kind} stream at once when aborted while no one reads`, async () => {
    const { stream, reasons } = stalling("1\n", kind);
    const controller = new AbortController();
    const lines = decodeNdjson(stream, { signal: controller.signal });
    controller.abort("enough");
    assertEquals(reasons, ["enough"]);
    assertStrictEquals(await lines.next().catch((error) => error), "enough");
  });

  Deno.test(`decodeNdjson() cancels a ${kind} stream when its signal was aborted before`, async () => {
    const { stream, reasons } = stalling("1\n", kind);
    const lines = decodeNdjson(stream, { signal: AbortSignal.abort("before") });
    assertEquals(reasons, ["before"]);
    assertStrictEquals(await lines.next().catch((error) => error), "before");
  });

  Deno.test(`decodeNdjson() cancels a ${kind} stream at once on return() while a read waits`, async () => {
    const { stream, reasons } = stalling("1\n", kind);
    const lines = decodeNdjson(stream);
    await lines.next();
    const waiting = lines.next();
    const returned = lines.return?.();
    assertEquals(reasons, [undefined]);
    assertEquals(await returned, { done: true, value: undefined });
    assertEquals(await waiting, { done: true, value: undefined });
    assertEquals(await lines.next(), { done: true, value: undefined });
  });

  Deno.test(`decodeNdjson() cancels a ${kind} stream on break, and once a line is bad`, async () => {
    const broken = stalling("1\n2\n", kind);
    for await (const batch of decodeNdjson(broken.stream)) {
      assertEquals(batch, ["1", "2"]);
      break;
    }
    assertEquals(broken.reasons, [undefined]);
    const bad = stalling("1\n22\n", kind);
    assertEquals(await outcome(decodeNdjson(bad.stream, { maxLineLength: 1 })), { items: ["1"], error: BAD_RECORD });
    assertEquals(bad.reasons, [undefined]);
  });

  Deno.test(`readText() cancels a ${kind} stream at once on abort and beyond its limit`, async () => {
    const aborted = stalling("abc", kind);
    const controller = new AbortController();
    const text = readText(aborted.stream, { signal: controller.signal });
    controller.abort("enough");
    assertEquals(aborted.reasons, ["enough"]);
    assertStrictEquals(await text.catch((error) => error), "enough");

    const before = stalling("abc", kind);
    assertStrictEquals(await readText(before.stream, { signal: AbortSignal.abort("no") }).catch((e) => e), "no");
    assertEquals(before.reasons, ["no"]);

    const long = stalling("abcd", kind);
    await assertRejects(() => readText(long.stream, { maxLength: 3 }), UpstreamError, "longer than 3 bytes");
    assertEquals(long.reasons, [undefined]);
  });
}

Deno.test("decodeNdjson() leaves no listener on its signal", async () => {
  const counts = { added: 0, removed: 0 };
  class CountingController extends AbortController {
    override get signal(): AbortSignal {
      const signal = super.signal;
      const { addEventListener, removeEventListener } = signal;
      Object.defineProperties(signal, {
        addEventListener: {
          configurable: true,
          value: (...parameters: Parameters<typeof addEventListener>) => {
            counts.added++;
            addEventListener.apply(signal, parameters);
          },
        },
        removeEventListener: {
          configurable: true,
          value: (...parameters: Parameters<typeof removeEventListener>) => {
            counts.removed++;
            removeEventListener.apply(signal, parameters);
          },
        },
      });
      return signal;
    }
  }
  const ends: ((stream: ReadableStream<Uint8Array>, signal: AbortSignal) => Promise<unknown>)[] = [
    (stream, signal) => outcome(decodeNdjson(stream, { signal })),
    (stream, signal) => outcome(decodeNdjson(stream, { signal, maxLineLength: 1 })),
    (stream, signal) => decodeNdjson(stream, { signal }).return?.() ?? Promise.reject(new Error("no return()")),
    (stream, signal) => readText(stream, { signal }),
  ];
  for (const [index, end] of ends.entries()) {
    await end(streamOf([encode("12\n")], "bytes"), new CountingController().signal);
    assertEquals(counts.added, index + 1);
    assert(counts.removed >= counts.added, "a listener was left");
  }
});

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

Deno.test("readText() reads a body however it is cut", async () => {
  const text = "\ufeffü€😀\r\n".repeat(3);
  const bytes = encode(text);
  for (const kind of ["bytes", "default"] as const) {
    for (const places of [[], [...bytes.keys()], [1], [4]]) {
      assertEquals(await readText(streamOf(cut(bytes, places), kind)), text.slice(1));
    }
    assertEquals(await readText(streamOf([], kind)), "");
    assertEquals(await readText(streamOf([new Uint8Array([0x61, 0xff])], kind)), "a\ufffd");
    assertEquals((await readText(streamOf([new Uint8Array(1_000_000).fill(97)], kind))).length, 1_000_000);
  }
  assertEquals(await readText(null), "");
});

Deno.test("decodeNdjson(), decodeSse() and readText() read a fetched body", async () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `{"index":${index},"text":"ü€😀"}`);
  const sent = new Map([
    ["/ndjson", lines.join("\n")],
    ["/sse", lines.map((line) => `data: ${line}\n\n`).join("")],
  ]);
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      new Response(ReadableStream.from(cut(encode(sent.get(new URL(request.url).pathname) ?? ""), [7, 999]))),
  );
  const get = async (path: string) => {
    const { body } = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
    assert(body !== null);
    return body;
  };
  assertEquals(await outcome(decodeNdjson(await get("/ndjson"))), { items: lines });
  assertEquals(await outcome(decodeSse(await get("/sse"))), { items: lines.map((data) => ({ data })) });
  assertEquals(await readText(await get("/ndjson")), sent.get("/ndjson"));
});
