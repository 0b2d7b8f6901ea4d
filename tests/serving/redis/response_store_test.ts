import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RedisResponseStore, type RedisResponseStoreOptions } from "../../../serving/redis/mod.ts";
import { ChatModelError } from "../../../types/mod.ts";
import { answer, ids, testResponseStore } from "../_response_store_suite.ts";
import { startRedis, until, withClient } from "./_redis_server.ts";

/** A store that fails the test if it loses Redis. */
function openStore(
  url: string,
  options: Partial<RedisResponseStoreOptions> = {},
): RedisResponseStore {
  const onWarning = (message: string) => {
    throw new Error(message);
  };
  return new RedisResponseStore({ url, onWarning, commandTimeout: 5000, ...options });
}

testResponseStore("RedisResponseStore", async (bounds, action) => {
  await using redis = await startRedis();
  await using store = openStore(redis.url, bounds);
  await action(store);
});

Deno.test("RedisResponseStore shares answers and their bounds between processes", async () => {
  await using redis = await startRedis();
  await using one = openStore(redis.url, { maxEntries: 10 });
  await using other = openStore(redis.url, { maxEntries: 10 });
  await using foreign = openStore(redis.url, { prefix: "foreign:" });
  await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? one : other).set(answer(`id ${i}`))));
  assertEquals([(await ids(one)).length, await ids(one)], [10, await ids(other)]);
  assertEquals(await ids(foreign), []);
  const [id = ""] = await ids(one);
  assertEquals([await one.delete(id), await other.get(id)], [true, undefined]);
});

Deno.test("RedisResponseStore forgets each answer after its lifetime, and leaves nothing in Redis", async () => {
  await using redis = await startRedis();
  const onWarning = () => {};
  await using store = openStore(redis.url, { lifetime: 300, onWarning });
  await using long = openStore(redis.url, { lifetime: 60_000, onWarning });
  await long.set(answer("long"));
  await store.set(answer("short"));
  await until(async () => await store.get("short") === undefined);
  assertEquals([await ids(store), await store.delete("short")], [["long"], false]);
  await redis.kill();
  await redis.start();
  await using another = openStore(redis.url, { lifetime: 1000 });
  await withClient(redis.url, async (client) => {
    await another.set(answer("short"));
    assert(await client.dbSize() > 0);
    await until(async () => await client.dbSize() === 0);
  });
});

Deno.test("RedisResponseStore fails while Redis is lost, and works when it is back", async () => {
  await using redis = await startRedis();
  const warnings: string[] = [];
  await using store = openStore(redis.url, { onWarning: (message) => warnings.push(message) });
  await store.set(answer("a"));
  await redis.kill();
  const actions = [
    () => store.get("a"),
    () => store.set(answer("b")),
    () => store.delete("a"),
    () => store.list({ object: "response", limit: 1, order: "asc" }),
  ];
  for (const action of actions) {
    const error = await assertRejects(action, ChatModelError, "Redis is lost");
    assertEquals([error.code, error.retryable], ["store_error", true]);
  }
  assertEquals([warnings.length, store.lost], [1, true]);
  await redis.start();
  await until(() => warnings.length === 2);
  await store.set(answer("c"));
  assertEquals(await ids(store), ["c"]);
});

Deno.test("RedisResponseStore tells what it did not write itself", async () => {
  await using redis = await startRedis();
  await using store = openStore(redis.url);
  await store.set(answer("a"));
  for (const text of ["no JSON", "[]", '{"id":"a"}', JSON.stringify({ ...answer("a"), metadata: { x: 1 } })]) {
    await withClient(redis.url, (client) => client.hSet("chat-model:{answers}:bodies", "a", text));
    const error = await assertRejects(() => store.get("a"), ChatModelError, "was not written by this package");
    assertEquals(error.code, "invalid_stored_response");
  }
});

Deno.test("RedisResponseStore refuses limits that are none", () => {
  const url = "redis://127.0.0.1:1";
  for (const options of [{ maxEntries: -1 }, { maxBytes: NaN }]) {
    assertThrows(() => new RedisResponseStore({ url, ...options }), RangeError, "must be at least 0");
  }
  for (const lifetime of [0, -1, 1.5, Infinity]) {
    assertThrows(() => new RedisResponseStore({ url, lifetime }), RangeError, '"lifetime" must be a whole number');
  }
});
