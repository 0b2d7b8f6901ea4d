import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { decodeNdjson, readText } from "../../streaming/decode.ts";
import { UpstreamError } from "../../types/mod.ts";
import { BAD_RECORD, encode, outcome, stalling, streamOf } from "./_decoding.ts";

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
