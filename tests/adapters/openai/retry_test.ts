import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readRetryAfter, retryDelay } from "../../../adapters/_http/retry.ts";

Deno.test("retryDelay() never comes back earlier than was asked for, nor all at the same time", () => {
  fc.assert(fc.property(fc.nat(5), fc.integer({ min: 1, max: 10_000 }), (attempt, asked) => {
    const delays = Array.from({ length: 20 }, () => retryDelay(attempt, asked) ?? NaN);
    assert(delays.every((delay) => delay >= asked && delay <= asked * 1.25), delays.join());
    assert(new Set(delays).size > 1);
  }));
});

Deno.test("retryDelay() doubles up to a bound, and gives up where it would have to wait for long", () => {
  fc.assert(fc.property(fc.nat(30), (attempt) => {
    const delay = retryDelay(attempt, undefined) ?? NaN;
    const most = Math.min(4_000, 250 * 2 ** attempt);
    assert(delay >= most / 2 && delay <= most, `${delay}`);
  }));
  assertEquals(retryDelay(0, 10_001), undefined);
});

Deno.test("readRetryAfter() reads seconds and dates, and nothing else", () => {
  const read = (value: string) => readRetryAfter(new Headers({ "retry-after": value }));
  assertEquals([read("2"), read("0.5"), read("soon"), read("-1 s")], [2_000, 500, undefined, undefined]);
  assertEquals(read("Thu, 01 Jan 2026 00:00:00 GMT"), 0, "it has passed");
  const later = read(new Date(Date.now() + 60_000).toUTCString()) ?? NaN;
  assert(later > 50_000 && later <= 60_000, `${later}`);
  assertEquals(readRetryAfter(new Headers()), undefined);
});
