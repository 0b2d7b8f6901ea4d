import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RedisLimitStore } from "../../../serving/redis/mod.ts";
import { ChatModelError } from "../../../types/mod.ts";
import { startRedis, startRelay, until } from "./_redis_server.ts";

const ONE = { requests: 1, tokens: 10 };
const LIMITS = { requestsPerMinute: 3, tokensPerMinute: 1000 };

Deno.test("RedisLimitStore lets all through while Redis is lost, if it is to fail open", async () => {
  await using redis = await startRedis();
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = new RedisLimitStore({ url: redis.url, onLost: "open", commandTimeout: 5000, onWarning });
  const ask = () => store.reserve("a", ONE, LIMITS);
  assertEquals((await Promise.all([ask(), ask(), ask(), ask()])).map(({ granted }) => granted), [
    true,
    true,
    true,
    false,
  ]);
  const burst = Array.from({ length: 100 }, ask);
  await redis.kill();
  // Those under way when it died are decided one way or the other, and all that come later pass.
  await Promise.all(burst);
  const decisions = await Promise.all(Array.from({ length: 100 }, ask));
  assertEquals(decisions.filter(({ granted }) => granted).length, 100);
  const [passed] = decisions;
  assertEquals([passed?.usedRequests, passed?.resetTokens], [undefined, undefined]);
  assertEquals([warnings.length, store.lost], [1, true]);
  assertMatch(warnings[0] ?? "", /^Redis at 127\.0\.0\.1:\d+ is lost: .+\. Requests with limits are let through/);
  if (passed?.granted) {
    await store.settle(passed, 500);
    await store.refund(passed);
  }
  await redis.start();
  await until(() => warnings.length === 2);
  assertMatch(warnings[1] ?? "", /^Redis at 127\.0\.0\.1:\d+ is back: limits hold again$/);
  const again = await Promise.all([ask(), ask(), ask(), ask()]);
  assertEquals(again.filter(({ granted }) => granted).length, 3);
  assertEquals([warnings.length, store.lost], [2, false]);
  await store.close();
  assertEquals(warnings.length, 2);
});

Deno.test("RedisLimitStore refuses all while Redis is lost, if it is to fail closed", async () => {
  await using redis = await startRedis();
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = new RedisLimitStore({ url: redis.url, onLost: "closed", commandTimeout: 5000, onWarning });
  const ask = () => store.reserve("a", ONE, LIMITS);
  const reserved = await ask();
  await redis.kill();
  for (let i = 0; i < 20; i++) {
    const error = await assertRejects(ask, ChatModelError, "the store that counts them is lost");
    assertEquals([error.status, error.code, error.retryable, error.retryAfter], [503, "limit_store_lost", true, 1000]);
  }
  // What ended meanwhile is nobody's failure.
  if (reserved.granted) await store.settle(reserved, 50);
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0] ?? "", /refused until it is back$/);
  await redis.start();
  await until(() => warnings.length === 2);
  assertEquals((await ask()).usedRequests, 1);
  await store.close();
  await assertRejects(ask, ChatModelError, "is lost");
});

Deno.test("RedisLimitStore waits no longer than it may for a Redis that does not answer, and says so once", async () => {
  await using redis = await startRedis();
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = new RedisLimitStore({ url: redis.url, onLost: "open", commandTimeout: 300, onWarning });
  const limits = { requestsPerMinute: 1_000_000 };
  let counted = 0;
  const ask = async () => {
    const { granted, usedRequests } = await store.reserve("a", ONE, limits);
    assert(granted);
    if (usedRequests !== undefined) counted++;
    return usedRequests;
  };
  await until(async () => await ask() !== undefined);
  const before = warnings.length;
  redis.signal("SIGSTOP");
  assertEquals(await Promise.all([ask(), ask(), ask()]), [undefined, undefined, undefined]);
  // It is not asked again for a while, so these need not wait.
  await Promise.all(Array.from({ length: 1000 }, ask));
  assertEquals(warnings.length, before + 1);
  assertMatch(warnings[before] ?? "", /there was no answer within 300 ms/);
  redis.signal("SIGCONT");
  await until(async () => await ask() !== undefined);
  assertMatch(warnings[before + 1] ?? "", /is back/);
  // What it was asked while nobody could wait any more is given back.
  await until(async () => {
    const { usedRequests } = await store.reserve("a", { requests: 0, tokens: 0 }, limits);
    return usedRequests === counted;
  });
  await store.close();
});

Deno.test("RedisLimitStore connects anew when a connection leads nowhere any more", async () => {
  await using redis = await startRedis();
  await using relay = startRelay(redis.url);
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = new RedisLimitStore({ url: relay.url, onLost: "open", commandTimeout: 100, onWarning });
  const ask = () => store.reserve("a", ONE, { requestsPerMinute: 1_000_000 });
  await until(async () => (await ask()).usedRequests !== undefined);
  const before = warnings.length;
  relay.mute();
  assertEquals((await ask()).usedRequests, undefined);
  await until(async () => (await ask()).usedRequests !== undefined);
  assertEquals(warnings.length, before + 2);
  await store.close();
});

Deno.test("RedisLimitStore begins without Redis, and uses it when it is there", async () => {
  await using redis = await startRedis();
  await redis.kill();
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = new RedisLimitStore({ url: redis.url, onLost: "open", commandTimeout: 5000, onWarning });
  const { granted, usedRequests } = await store.reserve("a", ONE, LIMITS);
  assertEquals([granted, usedRequests, warnings.length], [true, undefined, 1]);
  await redis.start();
  await until(() => !store.lost);
  assertEquals((await store.reserve("a", ONE, LIMITS)).usedRequests, 1);
  await store.close();
});

Deno.test("RedisLimitStore.close() ends a store that never reached Redis", async () => {
  await using redis = await startRedis();
  await redis.kill();
  const store = new RedisLimitStore({ url: redis.url, onWarning: () => {} });
  await store.close();
  await store.close();
  await assertRejects(() => store.reserve("a", ONE, LIMITS), ChatModelError, "is lost");
});

Deno.test("RedisLimitStore does not show the password of Redis when it is lost", async () => {
  await using redis = await startRedis();
  await redis.kill();
  const warnings: string[] = [];
  const url = redis.url.replace("redis://", "redis://user:geheim@");
  const store = new RedisLimitStore({ url, onLost: "closed", onWarning: (message) => warnings.push(message) });
  const error = await assertRejects(() => store.reserve("a", ONE, LIMITS), ChatModelError);
  assertEquals(warnings.length, 1);
  assert(!`${warnings} ${Deno.inspect(error)}`.includes("geheim"));
  await store.close();
});
