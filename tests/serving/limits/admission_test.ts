import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  Admission,
  type AdmissionRequest,
  limitHeadersOf,
  type LimitStore,
  MemoryLimitStore,
  type Ticket,
} from "../../../serving/limits/mod.ts";
import { ChatModelError, OverloadedError } from "../../../types/mod.ts";

function noSignal(): AbortSignal {
  throw new Error("Nobody was to wait");
}

function request(rest: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return { model: "m", tokens: 10, signal: () => new AbortController().signal, ...rest };
}

/** A ticket that is there at once. */
function now(ticket: Ticket | Promise<Ticket>): Ticket {
  if (ticket instanceof Promise) throw new Error("It has to wait");
  return ticket;
}

/** A ticket for which one has to wait. */
function later(ticket: Ticket | Promise<Ticket>): Promise<Ticket> {
  if (ticket instanceof Promise) return ticket;
  throw new Error("It need not wait");
}

/** The same as a store across the network: it takes a while. */
function slow(store: MemoryLimitStore): LimitStore {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
  return {
    reserve: async (...given) => {
      await pause();
      return store.reserve(...given);
    },
    settle: async (...given) => {
      await pause();
      store.settle(...given);
    },
    refund: async (...given) => {
      await pause();
      store.refund(...given);
    },
  };
}

/** What a key has used. */
function used(store: MemoryLimitStore, name: string): unknown {
  const { usedRequests, usedTokens } = store.reserve(name, { requests: 0, tokens: 0 }, {});
  return [usedRequests, usedTokens];
}

function refusalOf(enter: () => unknown): ChatModelError {
  return assertThrows(enter, ChatModelError);
}

Deno.test("Admission.enter() lets all run without limits", () => {
  const admission = new Admission();
  const tickets = Array.from({ length: 100 }, () => now(admission.enter(request({ signal: noSignal }))));
  assertEquals(admission.stats(), [{ model: "m", running: 100, queued: 0 }]);
  assertEquals(tickets[0]?.headers, []);
  for (const ticket of tickets) ticket.release();
  assertEquals(admission.stats(), [{ model: "m", running: 0, queued: 0 }]);
});

Deno.test("Admission.enter() makes requests wait for a place, in the order they came", async () => {
  const admission = new Admission({ maxConcurrency: 2 });
  const order: number[] = [];
  const running = [now(admission.enter(request())), now(admission.enter(request()))];
  const waiting = [0, 1, 2, 3].map(async (i) => {
    const ticket = await admission.enter(request());
    order.push(i);
    running.push(ticket);
  });
  assertEquals(admission.stats(), [{ model: "m", running: 2, queued: 4 }]);
  // Other models have places of their own.
  now(admission.enter(request({ model: "other" }))).release();
  while (running.length > 0) {
    running.shift()?.release();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert((admission.stats()[0]?.running ?? 9) <= 2);
  }
  await Promise.all(waiting);
  assertEquals(order, [0, 1, 2, 3]);
  assertEquals(admission.stats()[0], { model: "m", running: 0, queued: 0 });
});

Deno.test("Admission.enter() lets nobody overtake those that wait", async () => {
  const admission = new Admission({ maxConcurrency: 1 });
  const first = now(admission.enter(request()));
  const second = later(admission.enter(request()));
  first.release();
  const third = later(admission.enter(request()));
  (await second).release();
  (await third).release();
});

Deno.test("Admission.enter() refuses with 503 when too many wait", async () => {
  const admission = new Admission({ maxConcurrency: 1, maxQueue: 1 });
  const first = now(admission.enter(request()));
  const second = later(admission.enter(request()));
  const error = assertThrows(() => admission.enter(request()), OverloadedError, '"m" has 1 running and 1 waiting');
  assertEquals([error.status, error.code, error.retryable], [503, "overloaded", true]);
  // Nothing has ended yet: a second is guessed for each.
  assertEquals(error.retryAfter, 2000);
  first.release();
  (await second).release();
});

Deno.test("Admission.enter() says when to come back by the time that requests took", async () => {
  const admission = new Admission({ maxConcurrency: 1, maxQueue: 0 });
  const ticket = now(admission.enter(request()));
  await new Promise((resolve) => setTimeout(resolve, 200));
  ticket.release();
  const other = now(admission.enter(request()));
  const { retryAfter = 0 } = assertThrows(() => admission.enter(request()), OverloadedError);
  assert(retryAfter >= 190 && retryAfter !== 1000, String(retryAfter));
  other.release();
});

Deno.test("Admission.enter() refuses with 503 when a request waited too long", async () => {
  const store = new MemoryLimitStore();
  const admission = new Admission({ maxConcurrency: 1, queueTimeout: 20, store });
  const first = now(admission.enter(request()));
  const key = { name: "a", tokensPerMinute: 100 };
  const error = await assertRejects(() => later(admission.enter(request({ key }))), OverloadedError, "20 ms");
  assertEquals([error.status, error.retryable], [503, true]);
  assertEquals(used(store, "a"), [0, 0]);
  assertEquals(admission.stats(), [{ model: "m", running: 1, queued: 0 }]);
  first.release();
  now(admission.enter(request())).release();
});

Deno.test("Admission.enter() takes a client that leaves out of the queue, and refunds what it had reserved", async () => {
  for (const withPause of [false, true]) {
    const store = new MemoryLimitStore();
    const admission = new Admission({ maxConcurrency: 1, store: withPause ? slow(store) : store });
    const first = now(admission.enter(request()));
    const client = new AbortController();
    const key = { name: "a", tokensPerMinute: 100, maxConcurrency: 1 };
    const second = later(admission.enter(request({ key, signal: () => client.signal })));
    const third = later(admission.enter(request()));
    while (admission.stats()[0]?.queued !== 2) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(used(store, "a"), [1, 10]);
    client.abort(new DOMException("Gone", "AbortError"));
    assertEquals(await assertRejects(() => second), client.signal.reason);
    first.release();
    (await third).release();
    // A store across the network needs a moment.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(used(store, "a"), [0, 0]);
    // Its place among those of the key is free, too.
    (await admission.enter(request({ key }))).release();
  }
});

Deno.test("Admission.enter() does not let a client wait that has left already", () => {
  const store = new MemoryLimitStore();
  const admission = new Admission({ maxConcurrency: 1, store });
  const first = now(admission.enter(request()));
  const reason = new DOMException("Gone", "AbortError");
  const key = { name: "a", requestsPerMinute: 1 };
  const left = request({ key, signal: () => AbortSignal.abort(reason) });
  assertEquals(assertThrows(() => admission.enter(left), DOMException), reason);
  assertEquals(used(store, "a"), [0, 0]);
  assertEquals(admission.stats(), [{ model: "m", running: 1, queued: 0 }]);
  first.release();
});

Deno.test("Admission.enter() refuses with 429 when a key has used up its requests or tokens", () => {
  const clock = { time: 0 };
  const store = new MemoryLimitStore({ now: () => clock.time });
  const admission = new Admission({ store });
  const key = { name: "team", requestsPerMinute: 2, tokensPerMinute: 1000 };
  const enter = (tokens: number) => admission.enter(request({ key, tokens, signal: noSignal }));
  now(enter(700)).release();
  clock.time = 30_000;
  const tokens = refusalOf(() => enter(400));
  assertEquals(
    tokens.message,
    'Rate limit reached for key "team" on tokens per min (TPM): Limit 1000, Used 700, Requested 400. ' +
      "Please try again in 30s",
  );
  assertEquals([tokens.status, tokens.code, tokens.retryable], [429, "rate_limit_exceeded", true]);
  assertEquals([tokens.type, tokens.retryAfter], ["rate_limit_error", 30_000]);
  now(enter(100)).release();
  clock.time = 59_987.5;
  const requests = refusalOf(() => enter(1));
  assertStringIncludes(requests.message, "on requests per min (RPM): Limit 2, Used 2, Requested 1");
  assertStringIncludes(requests.message, "Please try again in 0.013s");
  assertEquals(Object.fromEntries(limitHeadersOf(requests)), {
    "x-ratelimit-limit-requests": "2",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "30.013s",
    "x-ratelimit-limit-tokens": "1000",
    "x-ratelimit-remaining-tokens": "200",
    "x-ratelimit-reset-tokens": "30.013s",
  });
  clock.time = 60_000;
  now(enter(1)).release();
});

Deno.test("Admission.enter() admits as many as the limit when 100 come at once, waiting or not", async () => {
  for (const store of [new MemoryLimitStore(), slow(new MemoryLimitStore())]) {
    const admission = new Admission({ store, maxConcurrency: 7, maxQueue: 100 });
    const key = { name: "team", requestsPerMinute: 60, tokensPerMinute: 100_000 };
    const ends = await Promise.allSettled(Array.from({ length: 100 }, async () => {
      const ticket = await admission.enter(request({ key }));
      assert((admission.stats()[0]?.running ?? 9) <= 7);
      await new Promise((resolve) => setTimeout(resolve, 1));
      ticket.release({ totalTokens: 10 });
    }));
    const refused = ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []);
    assertEquals(refused.length, 40);
    assert(refused.every((error) => ChatModelError.isInstance(error) && error.code === "rate_limit_exceeded"));
    assertEquals(admission.stats(), [{ model: "m", running: 0, queued: 0 }]);
    // A store across the network needs a moment to settle the last ones.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

Deno.test("Admission.enter() refuses for good what is more than the key may ever use", () => {
  const admission = new Admission();
  const key = { name: "team", tokensPerMinute: 1000 };
  const error = refusalOf(() => admission.enter(request({ key, tokens: 1001 })));
  assertMatch(
    error.message,
    /^Request too large for key "team" on tokens per min \(TPM\): Limit 1000, Requested 1001\. /,
  );
  assertEquals([error.status, error.code, error.retryable], [400, "request_over_limit", false]);
  assertEquals(limitHeadersOf(error)[1], ["x-ratelimit-remaining-tokens", "1000"]);
});

Deno.test("Admission.enter() refuses with 429 when a key has too many requests at once, queued ones with them", async () => {
  const store = new MemoryLimitStore();
  const admission = new Admission({ maxConcurrency: 1, store });
  const key = { name: "team", maxConcurrency: 2, requestsPerMinute: 100 };
  const first = now(admission.enter(request({ key })));
  const second = later(admission.enter(request({ key })));
  const error = refusalOf(() => admission.enter(request({ key, model: "other" })));
  assertStringIncludes(error.message, "on concurrent requests: Limit 2, Used 2, Requested 1");
  assertEquals([error.status, error.code, error.retryAfter], [429, "rate_limit_exceeded", 1000]);
  assertEquals(used(store, "team"), [2, 20]);
  first.release();
  (await second).release();
  now(admission.enter(request({ key, model: "other" }))).release();
});

Deno.test("Admission.enter() waits for a store that takes time", async () => {
  const admission = new Admission({ store: slow(new MemoryLimitStore()) });
  const key = { name: "team", requestsPerMinute: 1, maxConcurrency: 5 };
  const ticket = await later(admission.enter(request({ key, signal: noSignal })));
  assertEquals(Object.fromEntries(ticket.headers)["x-ratelimit-remaining-requests"], "0");
  const error = await assertRejects(() => later(admission.enter(request({ key }))), ChatModelError, "try again in");
  assertEquals(error.status, 429);
  ticket.release();
});

Deno.test("Admission.enter() fails with 503 when the store cannot decide, and keeps no place for it", async () => {
  const cause = new Error("it is on fire");
  const nothing = () => {};
  const stores: LimitStore[] = [
    { settle: nothing, refund: nothing, reserve: () => Promise.reject(cause) },
    {
      settle: nothing,
      refund: nothing,
      reserve: () => {
        throw cause;
      },
    },
  ];
  for (const store of stores) {
    const admission = new Admission({ store });
    const key = { name: "team", requestsPerMinute: 1, maxConcurrency: 1 };
    for (let i = 0; i < 2; i++) {
      const error = await assertRejects(
        async () => await admission.enter(request({ key })),
        ChatModelError,
        "Cannot check the limits: the store failed: it is on fire",
      );
      assertEquals([error.status, error.code, error.cause], [503, "limit_store_lost", cause]);
    }
    assertEquals(admission.stats(), [{ model: "m", running: 0, queued: 0 }]);
  }
});

Deno.test("Ticket.release() settles with what was used, once, and keeps the estimate where that is not known", () => {
  const store = new MemoryLimitStore();
  const admission = new Admission({ store });
  const key = { name: "team", tokensPerMinute: 1000 };
  const first = now(admission.enter(request({ key, tokens: 500 })));
  assertEquals(Object.fromEntries(first.headers)["x-ratelimit-remaining-tokens"], "500");
  first.release({ totalTokens: 100 });
  first.release({ totalTokens: 900 });
  first.refund();
  assertEquals(used(store, "team"), [1, 100]);
  assertEquals(admission.stats(), [{ model: "m", running: 0, queued: 0 }]);
  now(admission.enter(request({ key, tokens: 200 }))).release();
  assertEquals(used(store, "team"), [2, 300]);
  now(admission.enter(request({ key, tokens: 200 }))).release({ totalTokens: 800 });
  assertEquals(used(store, "team"), [3, 1100]);
  assertEquals(refusalOf(() => admission.enter(request({ key }))).status, 429);
});

Deno.test("Ticket.refund() gives the request back, too", () => {
  const store = new MemoryLimitStore();
  const admission = new Admission({ store });
  const ticket = now(admission.enter(request({ key: { name: "team", requestsPerMinute: 1 } })));
  ticket.refund();
  ticket.release({ totalTokens: 5 });
  assertEquals(used(store, "team"), [0, 0]);
  assertEquals(admission.stats()[0]?.running, 0);
});

Deno.test("Ticket gives its places back and tells, when the store fails to settle or refund", async () => {
  const told: unknown[] = [];
  const memory = new MemoryLimitStore();
  const store: LimitStore = {
    reserve: (...given) => memory.reserve(...given),
    settle: () => Promise.reject(new Error("no settling")),
    refund: () => {
      throw new Error("no refund");
    },
  };
  const admission = new Admission({ store, onError: (error) => told.push(error) });
  const key = { name: "team", requestsPerMinute: 9, maxConcurrency: 2 };
  now(admission.enter(request({ key }))).release({ totalTokens: 1 });
  now(admission.enter(request({ key }))).refund();
  await Promise.resolve();
  assertEquals(told.map(String).sort(), ["Error: no refund", "Error: no settling"]);
  now(admission.enter(request({ key })));
  now(admission.enter(request({ key })));
  assertEquals(admission.stats()[0]?.running, 2);
});

Deno.test("Admission takes what is different for single models", async () => {
  const admission = new Admission({ maxConcurrency: 5, models: { small: { maxConcurrency: 1, maxQueue: 0 } } });
  const ticket = now(admission.enter(request({ model: "small" })));
  assertThrows(() => admission.enter(request({ model: "small" })), OverloadedError);
  ticket.release();
  const tickets = Array.from({ length: 5 }, () => now(admission.enter(request({ model: "constructor" }))));
  const sixth = later(admission.enter(request({ model: "constructor" })));
  for (const ticket of tickets) ticket.release();
  (await sixth).release();
});

Deno.test("Admission remembers a bounded number of models that nobody asks", () => {
  const admission = new Admission();
  const ticket = now(admission.enter(request({ model: "busy" })));
  for (let i = 0; i < 5000; i++) now(admission.enter(request({ model: `model ${i}` }))).release();
  assert(admission.stats().length <= 1000);
  assertEquals(admission.stats()[0], { model: "busy", running: 1, queued: 0 });
  ticket.release();
});

Deno.test("Admission refuses limits that are none", () => {
  const cases = [
    [{ maxConcurrency: 0 }, '"maxConcurrency" must be a whole number of at least 1, or Infinity: it is 0'],
    [{ maxConcurrency: 1.5 }, '"maxConcurrency"'],
    [{ maxQueue: -1 }, '"maxQueue"'],
    [{ queueTimeout: NaN }, '"queueTimeout" must be at least 0: it is NaN'],
    [{ models: { m: { maxQueue: NaN } } }, '"models.m.maxQueue"'],
  ] as const;
  for (const [options, message] of cases) assertThrows(() => new Admission(options), RangeError, message);
});

Deno.test("Admission gives a model its places under each of its names", async () => {
  const admission = new Admission({ models: { "Qwen2.5:latest": { maxConcurrency: 1 } }, maxQueue: 0 });
  const enter = (model: string) => admission.enter({ model, tokens: 0, signal: () => new AbortController().signal });
  const ticket = await enter("qwen2.5");
  for (const name of ["qwen2.5:latest", "QWEN2.5", "Qwen2.5:LATEST"]) {
    assertThrows(() => enter(name), OverloadedError);
  }
  ticket.release();
  (await enter("QWEN2.5")).release();
  assertEquals(admission.stats(), [{ model: "qwen2.5", running: 0, queued: 0 }]);
});
