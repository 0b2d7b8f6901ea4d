import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type LimitDecision, type LimitReservation, MemoryLimitStore } from "../../../serving/limits/mod.ts";
import { RedisLimitStore, type RedisLimitStoreOptions } from "../../../serving/redis/mod.ts";
import { ChatModelError } from "../../../types/mod.ts";
import { startRedis, until, withClient } from "./_redis_server.ts";

const ONE = { requests: 1, tokens: 0 };

function granted(decision: LimitDecision): LimitReservation {
  if (!decision.granted) throw new Error("It was refused");
  return decision;
}

/** A store that fails the test if it loses Redis. */
function openStore(url: string, options: Partial<RedisLimitStoreOptions> = {}): RedisLimitStore {
  const onWarning = (message: string) => {
    throw new Error(message);
  };
  // A busy machine is not what these tests are about.
  return new RedisLimitStore({ url, onWarning, onLost: "closed", commandTimeout: 5000, ...options });
}

/** Starts a process of its own, which asks when it is told to. */
async function startProcess(args: readonly (string | number)[]) {
  const script = fromFileUrl(new URL("./_process.ts", import.meta.url));
  const root = fromFileUrl(new URL("../../../", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-net=127.0.0.1", "--allow-env", script, ...args.map(String)],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assertStringIncludes((await lines.read()).value ?? "", "ready");
  return {
    async ask(): Promise<number> {
      const writer = child.stdin.getWriter();
      await writer.write(new Uint8Array([10]));
      await writer.close();
      let text = "";
      for (let read = await lines.read(); !read.done; read = await lines.read()) text += read.value;
      assertEquals((await child.status).code, 0);
      return Number(text);
    },
  };
}

Deno.test("RedisLimitStore grants three processes that ask 100 times each no more than the limit, and all of that", async () => {
  await using redis = await startRedis();
  const processes = await Promise.all([1, 2, 3].map(() => startProcess([redis.url, 100, 150, 1_000_000, 1])));
  const counts = await Promise.all(processes.map((process) => process.ask()));
  assertEquals(counts.reduce((sum, count) => sum + count), 150);
  // The same by tokens: 1000 are there, 7 are asked for each time.
  await redis.kill();
  await redis.start();
  const others = await Promise.all([1, 2, 3].map(() => startProcess([redis.url, 100, 1_000_000, 1000, 7])));
  const more = await Promise.all(others.map((process) => process.ask()));
  assertEquals(more.reduce((sum, count) => sum + count), 142);
});

/** Lets time pass for a subject, backward if negative: Redis' own clock cannot be set. */
async function age(url: string, subject: string, milliseconds: number): Promise<void> {
  const key = `chat-model:limit:${subject}`;
  const earlier = (microseconds: string) => String(Number(microseconds) - milliseconds * 1000);
  await withClient(url, async (client) => {
    for (const [field, value] of Object.entries(await client.hGetAll(key))) {
      if (field === "ru" || field === "tu") {
        await client.hSet(key, field, earlier(value));
      } else if (/^\d+$/.test(field)) {
        const [from = "", to = "", ...rest] = value.split(" ");
        await client.hSet(key, field, [earlier(from), earlier(to), ...rest].join(" "));
      }
    }
  });
}

Deno.test("RedisLimitStore decides as MemoryLimitStore does", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  // Time passes in steps of ten seconds, so that the few milliseconds between both decide nothing.
  let passed = 0;
  const memory = new MemoryLimitStore({ now: () => performance.now() + passed });
  const limits = { requestsPerMinute: 300, tokensPerMinute: 9000 };
  const open: [LimitReservation, LimitReservation][] = [];
  let seed = 1;
  const random = (limit: number) => (seed = seed * 16807 % 2147483647) % limit;
  let refused = 0;
  for (let i = 0; i < 1500; i++) {
    if (i % 100 === 0) {
      await age(redis.url, "a", 10_000);
      passed += 10_000;
    }
    const amounts = { requests: 1, tokens: random(100) };
    const [ours, theirs] = [await store.reserve("a", amounts, limits), memory.reserve("a", amounts, limits)];
    assertEquals(
      [ours.granted, ours.usedRequests, ours.usedTokens],
      [theirs.granted, theirs.usedRequests, theirs.usedTokens],
    );
    if (ours.granted && theirs.granted) open.push([ours, theirs]);
    if (!ours.granted && !theirs.granted) {
      refused++;
      assert(Math.abs(ours.retryAfter - theirs.retryAfter) < 1000, `${ours.retryAfter} ${theirs.retryAfter}`);
    }
    const [ended] = random(4) === 0 ? open.splice(random(open.length + 1), 1) : [];
    if (ended === undefined) continue;
    const actual = random(120);
    if (random(3) === 0) {
      await store.refund(ended[0]);
      memory.refund(ended[1]);
    } else {
      await store.settle(ended[0], actual);
      memory.settle(ended[1], actual);
    }
  }
  assert(refused > 50 && refused < 1400, String(refused));
  await age(redis.url, "a", 60_000);
  assertEquals((await store.reserve("a", { requests: 0, tokens: 0 }, limits)).usedTokens, 0);
});

Deno.test("RedisLimitStore keeps no more of a subject than a few hundred spans, and forgets it after a minute", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  const limits = { requestsPerMinute: 10_000 };
  for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 500 }, () => store.reserve("a", ONE, limits)));
  const key = "chat-model:limit:a";
  const [length, lifetime] = await withClient(
    redis.url,
    async (client) => [await client.hLen(key), await client.pTTL(key)] as const,
  );
  assert(length > 100 && length < 7 + 128 + 121, String(length));
  assert(lifetime > 0 && lifetime <= 61_000, String(lifetime));
});

Deno.test("RedisLimitStore lets nothing count shorter when the clock steps back, nor for ever", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  const limits = { requestsPerMinute: 2 };
  const used = async () => (await store.reserve("a", ONE, limits)).usedRequests;
  assertEquals(await used(), 1);
  await age(redis.url, "a", -30_000);
  assertEquals([await used(), await used()], [2, 2]);
  await age(redis.url, "a", -3_600_000);
  assertEquals(await used(), 1);
});

Deno.test("RedisLimitStore.reserve() tells what is used, when it will be free, and when to come back", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  const limits = { requestsPerMinute: 2, tokensPerMinute: 100 };
  const empty = await store.reserve("a", { requests: 0, tokens: 0 }, limits);
  assertEquals([empty.usedRequests, empty.usedTokens, empty.resetRequests, empty.resetTokens], [0, 0, 0, 0]);
  const first = await store.reserve("a", { requests: 1, tokens: 80 }, limits);
  assertEquals([first.usedRequests, first.usedTokens, first.resetRequests, first.resetTokens], [1, 80, 60_000, 60_000]);
  const refused = await store.reserve("a", { requests: 1, tokens: 21 }, limits);
  assertEquals([refused.granted, refused.usedRequests, refused.usedTokens], [false, 1, 80]);
  assert(!refused.granted && refused.retryAfter > 0 && refused.retryAfter <= 60_000);
  // Subjects do not share, and neither do prefixes.
  assertEquals((await store.reserve("b", { requests: 1, tokens: 100 }, limits)).granted, true);
  await using other = openStore(redis.url, { prefix: "other:" });
  assertEquals((await other.reserve("a", { requests: 1, tokens: 100 }, limits)).granted, true);
  // Never, without asking.
  const tooLarge = await store.reserve("a", { requests: 1, tokens: 101 }, limits);
  assertEquals(tooLarge.granted || tooLarge.retryAfter, Infinity);
});

Deno.test("RedisLimitStore settles or refunds a reservation once", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  const limits = { requestsPerMinute: 3, tokensPerMinute: 100 };
  const used = async () => {
    const { usedRequests, usedTokens } = await store.reserve("a", { requests: 0, tokens: 0 }, limits);
    return [usedRequests, usedTokens];
  };
  const first = granted(await store.reserve("a", { requests: 1, tokens: 50 }, limits));
  const second = granted(await store.reserve("a", { requests: 1, tokens: 50 }, limits));
  await Promise.all([store.refund(first), store.refund(first), store.settle(first, 1000)]);
  assertEquals(await used(), [1, 50]);
  await store.settle(second, 20);
  assertEquals(await used(), [1, 20]);
  await store.settle(second, 0);
  await store.refund(second);
  assertEquals(await used(), [1, 20]);
});

Deno.test("RedisLimitStore gives nothing back to counts that were begun anew", async () => {
  await using redis = await startRedis();
  const warnings: string[] = [];
  await using store = openStore(redis.url, { onWarning: (message) => warnings.push(message) });
  const limits = { requestsPerMinute: 3 };
  const old = granted(await store.reserve("a", ONE, limits));
  await redis.kill();
  await redis.start();
  await until(() => warnings.length === 2);
  for (let i = 0; i < 3; i++) granted(await store.reserve("a", ONE, limits));
  await store.refund(old);
  assertEquals((await store.reserve("a", ONE, limits)).granted, false);
});

Deno.test("RedisLimitStore refuses amounts that are none, and options that are not right", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  await assertRejects(() => store.reserve("a", { requests: 1, tokens: NaN }, {}), RangeError, "tokens");
  const reservation = granted(await store.reserve("a", ONE, { requestsPerMinute: 1 }));
  await assertRejects(() => store.settle(reservation, -1), RangeError, "tokens");
  const foreign = granted(new MemoryLimitStore().reserve("a", ONE, {}));
  await assertRejects(() => store.refund(foreign), TypeError, "another kind of store");
  for (const url of ["http://127.0.0.1", "127.0.0.1:6379", "redis:secret"]) {
    const error = assertThrows(() => new RedisLimitStore({ url }), ChatModelError, "redis://127.0.0.1:6379");
    assert(!error.message.includes("secret"));
  }
  assertThrows(() => new RedisLimitStore({ url: redis.url, commandTimeout: 0 }), ChatModelError, "commandTimeout");
});
