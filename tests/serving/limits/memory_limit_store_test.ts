import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type LimitDecision, type LimitReservation, MemoryLimitStore } from "../../../serving/limits/mod.ts";

/** A clock that stands until it is set. */
class Clock {
  time = 0;
  readonly now = (): number => this.time;
}

function granted(decision: LimitDecision): LimitReservation {
  if (!decision.granted) throw new Error("It was refused");
  return decision;
}

const ONE = { requests: 1, tokens: 0 };

interface Grant {
  readonly time: number;
  readonly tokens: number;
}

/** The most that was granted in any 60 seconds. */
function mostInAMinute(grants: readonly Grant[], weight: (grant: Grant) => number): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const grant of grants) {
    sum += weight(grant);
    for (let old = grants[first]; old !== undefined && old.time <= grant.time - 60_000; old = grants[++first]) {
      sum -= weight(old);
    }
    most = Math.max(most, sum);
  }
  return most;
}

/** What a limiter grants that remembers every single grant. */
function exactGrants(arrivals: readonly Grant[], limit: number, weight: (grant: Grant) => number): number {
  const grants: Grant[] = [];
  let total = 0;
  let sum = 0;
  let first = 0;
  for (const arrival of arrivals) {
    for (let old = grants[first]; old !== undefined && old.time <= arrival.time - 60_000; old = grants[++first]) {
      sum -= weight(old);
    }
    if (sum + weight(arrival) > limit) continue;
    grants.push(arrival);
    sum += weight(arrival);
    total += weight(arrival);
  }
  return total;
}

function arrivalsOf(gaps: readonly number[], tokens: readonly number[]): Grant[] {
  let time = 0;
  return gaps.map((gap, i) => ({ time: time += gap, tokens: tokens[i % tokens.length] ?? 1 }));
}

/** A steady stream for some seconds, then as many as want to come at once, and again. */
const WAVES = fc.array(
  fc.record({
    count: fc.integer({ min: 1, max: 400 }),
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200 })),
    pause: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30_000 })),
  }),
  { minLength: 2, maxLength: 12, size: "max" },
).map((waves) => waves.flatMap(({ count, gap, pause }) => [pause, ...Array.from({ length: count }, () => gap)]));

const GAPS = fc.oneof(
  WAVES,
  // Now and then, in bursts, and with pauses about as long as the window.
  fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300, size: "max" }),
  fc.array(fc.oneof({ arbitrary: fc.constant(0), weight: 9 }, fc.integer({ min: 0, max: 61_000 })), {
    maxLength: 400,
    size: "max",
  }),
  fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 300, maxLength: 1500, size: "max" }),
);

Deno.test("MemoryLimitStore.reserve() never grants more than the limit in any 60 seconds", () => {
  const tokens = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 20 });
  const limit = fc.integer({ min: 1, max: 400 });
  fc.assert(
    fc.property(GAPS, tokens, limit, limit, (gaps, tokens, requestsPerMinute, tokensPerMinute) => {
      const clock = new Clock();
      const store = new MemoryLimitStore({ now: clock.now });
      const grants: Grant[] = [];
      for (const arrival of arrivalsOf(gaps, tokens)) {
        clock.time = arrival.time;
        const amounts = { requests: 1, tokens: arrival.tokens };
        const decision = store.reserve("a", amounts, { requestsPerMinute, tokensPerMinute });
        if (decision.granted) grants.push(arrival);
      }
      assert(mostInAMinute(grants, () => 1) <= requestsPerMinute);
      assert(mostInAMinute(grants, ({ tokens }) => tokens) <= tokensPerMinute);
    }),
    { numRuns: 200 },
  );
});

Deno.test("MemoryLimitStore.reserve() frees nothing too early when many want what a slow stream used", () => {
  fc.assert(
    fc.property(fc.integer({ min: 130, max: 1000 }), fc.integer({ min: 1, max: 50 }), (requestsPerMinute, gap) => {
      const clock = new Clock();
      const store = new MemoryLimitStore({ now: clock.now });
      const grants: Grant[] = [];
      const ask = (time: number, count: number) => {
        clock.time = time;
        for (let i = 0; i < count; i++) {
          if (store.reserve("a", ONE, { requestsPerMinute }).granted) grants.push({ time, tokens: 0 });
        }
      };
      for (let i = 0; i < requestsPerMinute; i++) ask(i * gap, 1);
      for (let time = 60_000; time < 62_000; time += 3) ask(time, 20);
      assert(mostInAMinute(grants, () => 1) <= requestsPerMinute);
      assert(grants.length > requestsPerMinute);
    }),
    { numRuns: 20 },
  );
});

Deno.test("MemoryLimitStore.reserve() grants at least 95 % of what can be granted, however requests arrive", () => {
  fc.assert(
    fc.property(GAPS, fc.integer({ min: 1, max: 600 }), (gaps, requestsPerMinute) => {
      const clock = new Clock();
      const store = new MemoryLimitStore({ now: clock.now });
      const arrivals = arrivalsOf(gaps, [0]);
      let count = 0;
      for (const { time } of arrivals) {
        clock.time = time;
        if (store.reserve("a", ONE, { requestsPerMinute }).granted) count++;
      }
      assert(count >= exactGrants(arrivals, requestsPerMinute, () => 1) * 0.95);
    }),
    { numRuns: 200 },
  );
});

Deno.test("MemoryLimitStore.reserve() grants at least 95 % of a large limit over ten minutes of saturation", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 40 }), (requestsPerMinute, gap) => {
      const clock = new Clock();
      const store = new MemoryLimitStore({ now: clock.now });
      const grants: Grant[] = [];
      for (let time = 0; time < 600_000; time += gap) {
        clock.time = time;
        if (store.reserve("a", ONE, { requestsPerMinute }).granted) grants.push({ time, tokens: 0 });
      }
      assert(mostInAMinute(grants, () => 1) <= requestsPerMinute);
      const possible = Math.min(requestsPerMinute, Math.ceil(60_000 / gap)) * 10;
      assert(grants.length >= possible * 0.95, `${grants.length} of ${possible}`);
    }),
    { numRuns: 12 },
  );
});

Deno.test("MemoryLimitStore.reserve() grants as much as the limit when 100 come at once", () => {
  for (const limit of [1, 50, 99, 100, 101]) {
    const store = new MemoryLimitStore({ now: () => 0 });
    const decisions = Array.from({ length: 100 }, () => store.reserve("a", ONE, { requestsPerMinute: limit }));
    assertEquals(decisions.filter(({ granted }) => granted).length, Math.min(100, limit));
  }
  const store = new MemoryLimitStore({ now: () => 0 });
  const amounts = { requests: 1, tokens: 7 };
  const decisions = Array.from({ length: 100 }, () => store.reserve("a", amounts, { tokensPerMinute: 500 }));
  assertEquals(decisions.filter(({ granted }) => granted).length, 71);
});

Deno.test("MemoryLimitStore.reserve() takes all or nothing, and nothing of what is refused counts", () => {
  const clock = new Clock();
  const store = new MemoryLimitStore({ now: clock.now });
  const limits = { requestsPerMinute: 10, tokensPerMinute: 100 };
  assertEquals(store.reserve("a", { requests: 1, tokens: 90 }, limits).granted, true);
  clock.time = 1000;
  for (let i = 0; i < 20; i++) {
    const { retryAfter, ...rest } = { retryAfter: 0, ...store.reserve("a", { requests: 1, tokens: 20 }, limits) };
    assertEquals([rest.granted, rest.usedRequests, rest.usedTokens, retryAfter], [false, 1, 90, 59_000]);
  }
  assertEquals(store.reserve("a", { requests: 9, tokens: 10 }, limits).granted, true);
  // Subjects do not share.
  assertEquals(store.reserve("b", { requests: 10, tokens: 100 }, limits).granted, true);
});

Deno.test("MemoryLimitStore.reserve() says when the same will be granted, and then it is", () => {
  const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 60 })), {
    minLength: 20,
    maxLength: 300,
    size: "max",
  });
  const limits = { requestsPerMinute: 8, tokensPerMinute: 120 };
  fc.assert(fc.property(arrivals, (arrivals) => {
    const clock = new Clock();
    const store = new MemoryLimitStore({ now: clock.now });
    for (const [gap, tokens] of arrivals) {
      clock.time += gap;
      const decision = store.reserve("a", { requests: 1, tokens }, limits);
      if (decision.granted) continue;
      clock.time += decision.retryAfter - 1;
      assertEquals(store.reserve("a", { requests: 1, tokens }, limits).granted, false);
      clock.time += 1;
      assertEquals(store.reserve("a", { requests: 1, tokens }, limits).granted, true);
    }
  }));
});

Deno.test("MemoryLimitStore.reserve() tells what is used, and when nothing will be", () => {
  const clock = new Clock();
  const store = new MemoryLimitStore({ now: clock.now });
  const limits = { requestsPerMinute: 10, tokensPerMinute: 100 };
  store.reserve("a", { requests: 1, tokens: 30 }, limits);
  clock.time = 10_000;
  const second = store.reserve("a", ONE, limits);
  assertEquals(
    [second.usedRequests, second.usedTokens, second.resetRequests, second.resetTokens],
    [2, 30, 60_000, 50_000],
  );
  clock.time = 70_000;
  const third = store.reserve("a", ONE, limits);
  assertEquals([third.usedRequests, third.usedTokens, third.resetTokens], [1, 0, 0]);
});

Deno.test("MemoryLimitStore.reserve() refuses for ever what is more than the whole limit", () => {
  const store = new MemoryLimitStore({ now: () => 0 });
  for (const limits of [{ tokensPerMinute: 99 }, { requestsPerMinute: 0 }, { requestsPerMinute: NaN }]) {
    const decision = store.reserve("a", { requests: 1, tokens: 100 }, limits);
    assertEquals(decision.granted || decision.retryAfter, Infinity);
  }
});

Deno.test("MemoryLimitStore.reserve() refuses amounts that are none", () => {
  const store = new MemoryLimitStore();
  for (const tokens of [-1, NaN, Infinity]) {
    assertThrows(() => store.reserve("a", { requests: 1, tokens }, {}), RangeError, "tokens");
  }
  assertThrows(() => store.reserve("a", { requests: -1, tokens: 1 }, {}), RangeError, "requests");
});

Deno.test("MemoryLimitStore.settle() frees what was reserved too much, and counts what was used beyond it", () => {
  const clock = new Clock();
  const store = new MemoryLimitStore({ now: clock.now });
  const limits = { tokensPerMinute: 100 };
  const use = (tokens: number) => store.reserve("a", { requests: 1, tokens }, limits);
  const first = granted(use(100));
  assertEquals(use(1).granted, false);
  store.settle(first, 40);
  const second = granted(use(60));
  assertEquals(use(1).granted, false);
  clock.time = 30_000;
  store.settle(second, 110);
  // 40 + 60 at 0 s, 50 more at 30 s.
  clock.time = 60_000;
  assertEquals([use(51).granted, use(50).granted], [false, true]);
  clock.time = 90_000;
  assertEquals([use(51).granted, use(50).granted], [false, true]);
});

Deno.test("MemoryLimitStore.settle() counts in full what ends after its minute is over", () => {
  const clock = new Clock();
  const store = new MemoryLimitStore({ now: clock.now });
  const limits = { tokensPerMinute: 100 };
  const long = granted(store.reserve("a", { requests: 1, tokens: 10 }, limits));
  const other = granted(store.reserve("a", { requests: 1, tokens: 10 }, limits));
  // Others come meanwhile, so that the subject was forgotten.
  for (clock.time = 60_000; clock.time < 300_000; clock.time += 60_000) store.reserve("b", ONE, limits);
  store.settle(long, 110);
  assertEquals(store.reserve("a", ONE, limits).usedTokens, 100);
  // What is older than a minute cannot be given back.
  store.refund(other);
  assertEquals(store.reserve("a", ONE, limits).usedTokens, 100);
});

Deno.test("MemoryLimitStore settles or refunds a reservation once", () => {
  const store = new MemoryLimitStore({ now: () => 0 });
  const limits = { requestsPerMinute: 3, tokensPerMinute: 100 };
  const used = () => {
    const { usedRequests, usedTokens } = store.reserve("a", { requests: 0, tokens: 0 }, limits);
    return [usedRequests, usedTokens];
  };
  const first = granted(store.reserve("a", { requests: 1, tokens: 50 }, limits));
  const second = granted(store.reserve("a", { requests: 1, tokens: 50 }, limits));
  store.refund(first);
  assertEquals(used(), [1, 50]);
  store.refund(first);
  store.settle(first, 1000);
  store.settle(second, 20);
  assertEquals(used(), [1, 20]);
  store.settle(second, 0);
  store.refund(second);
  assertEquals(used(), [1, 20]);
});

Deno.test("MemoryLimitStore never counts wrong, whatever is settled and refunded in between", () => {
  const step = fc.record({
    gap: fc.integer({ min: 0, max: 8000 }),
    tokens: fc.integer({ min: 0, max: 50 }),
    actual: fc.integer({ min: 0, max: 80 }),
    refund: fc.boolean(),
    end: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
    const clock = new Clock();
    const store = new MemoryLimitStore({ now: clock.now });
    const open: LimitReservation[] = [];
    for (const { gap, tokens, actual, refund, end } of steps) {
      clock.time += gap;
      const decision = store.reserve("a", { requests: 1, tokens }, { requestsPerMinute: 20, tokensPerMinute: 300 });
      assert((decision.usedRequests ?? -1) >= 0 && (decision.usedTokens ?? -1) >= 0);
      if (decision.granted) open.push(decision);
      const [ended] = open.splice(end, 1);
      if (ended === undefined) continue;
      if (refund) store.refund(ended);
      else store.settle(ended, actual);
    }
    for (const reservation of open) store.refund(reservation);
    clock.time += 60_000;
    const rest = store.reserve("a", { requests: 0, tokens: 0 }, {});
    assertEquals([rest.usedRequests, rest.usedTokens], [0, 0]);
  }));
});

Deno.test("MemoryLimitStore forgets subjects that were not used for a minute", () => {
  const clock = new Clock();
  const store = new MemoryLimitStore({ now: clock.now });
  for (let i = 0; i < 1000; i++) store.reserve(`subject ${i}`, ONE, {});
  assertEquals(store.size, 1000);
  clock.time = 59_999;
  store.reserve("late", ONE, {});
  clock.time = 60_000;
  store.reserve("now", ONE, {});
  assertEquals(store.size, 2);
});

Deno.test("MemoryLimitStore refuses reservations that another kind of store made", () => {
  const store = new MemoryLimitStore();
  const foreign = {
    granted: true,
    usedRequests: 0,
    usedTokens: 0,
    resetRequests: 0,
    resetTokens: 0,
  } as const;
  assertThrows(() => store.settle(foreign, 1), TypeError, "another kind of store");
  assertThrows(() => store.refund(foreign), TypeError, "another kind of store");
});
