import { assertEquals, assertThrows } from "@std/assert";
import { MemoryResponseStore, type StoredAnswer } from "../../serve.ts";

function answer(id: string, rest: Partial<StoredAnswer> = {}): StoredAnswer {
  return { id, object: "response", created: 1, model: "m", metadata: {}, body: {}, input: [], ...rest };
}

const SIZE = JSON.stringify(answer("a")).length;

function ids(store: MemoryResponseStore): string[] {
  return store.list({ object: "response", limit: 100, order: "asc" }).data.map(({ id }) => id);
}

Deno.test("MemoryResponseStore gives what was kept, and forgets what is to be deleted", () => {
  const store = new MemoryResponseStore();
  store.set(answer("a"));
  assertEquals([store.get("a"), store.get("b")], [answer("a"), undefined]);
  assertEquals([store.delete("a"), store.delete("a"), store.get("a")], [true, false, undefined]);
});

Deno.test("MemoryResponseStore forgets the oldest when there are too many", () => {
  const store = new MemoryResponseStore({ maxEntries: 2 });
  for (const id of ["a", "b", "c"]) store.set(answer(id));
  assertEquals(ids(store), ["b", "c"]);
});

Deno.test("MemoryResponseStore forgets the oldest when they are too large together", () => {
  const store = new MemoryResponseStore({ maxBytes: SIZE * 3 });
  for (const id of ["a", "b", "c"]) store.set(answer(id));
  assertEquals(ids(store), ["a", "b", "c"]);
  store.set(answer("d", { model: "é" }));
  assertEquals(ids(store), ["c", "d"]);
  // The room of what is gone is free again.
  store.delete("d");
  store.set(answer("e"));
  store.set(answer("f"));
  assertEquals(ids(store), ["c", "e", "f"]);
});

Deno.test("MemoryResponseStore does not keep what is too large by itself, and forgets nothing for it", () => {
  const store = new MemoryResponseStore({ maxBytes: SIZE });
  store.set(answer("a"));
  store.set(answer("b", { model: "m".repeat(10) }));
  assertEquals(ids(store), ["a"]);
  store.set(answer("a", { model: "m".repeat(10) }));
  assertEquals(ids(store), []);
});

Deno.test("MemoryResponseStore puts an answer in the place of one of the same id", () => {
  const store = new MemoryResponseStore({ maxBytes: SIZE * 2 + 10 });
  store.set(answer("a"));
  store.set(answer("b"));
  for (let i = 0; i < 5; i++) store.set(answer("a", { created: 2 }));
  assertEquals([ids(store), store.get("a")?.created], [["b", "a"], 2]);
});

Deno.test("MemoryResponseStore lists by kind, model and labels, page by page", () => {
  const store = new MemoryResponseStore();
  store.set(answer("late", { created: 3 }));
  store.set(answer("early", { created: 1, metadata: { x: "1", y: "2" } }));
  store.set(answer("chat", { object: "chat.completion" }));
  store.set(answer("other", { created: 2, model: "n", metadata: { x: "1" } }));
  const list = (query: Partial<Parameters<MemoryResponseStore["list"]>[0]>) => {
    const { data, hasMore } = store.list({ object: "response", limit: 10, order: "asc", ...query });
    return [data.map(({ id }) => id), hasMore];
  };
  assertEquals(list({}), [["early", "other", "late"], false]);
  assertEquals(list({ order: "desc" }), [["late", "other", "early"], false]);
  assertEquals(list({ object: "chat.completion" }), [["chat"], false]);
  assertEquals(list({ model: "n" }), [["other"], false]);
  assertEquals(list({ metadata: { x: "1" } }), [["early", "other"], false]);
  assertEquals(list({ metadata: { x: "1", y: "2" } }), [["early"], false]);
  assertEquals(list({ metadata: { constructor: "1" } }), [[], false]);
  assertEquals(list({ limit: 1 }), [["early"], true]);
  assertEquals(list({ limit: 2, after: "early" }), [["other", "late"], false]);
  assertEquals(list({ after: "late", order: "desc" }), [["other", "early"], false]);
  assertEquals(list({ after: "gone" }), [[], false]);
});

Deno.test("MemoryResponseStore keeps nothing with a limit of 0, and refuses one that is no limit", () => {
  for (const options of [{ maxEntries: 0 }, { maxBytes: 0 }]) {
    const store = new MemoryResponseStore(options);
    store.set(answer("a"));
    assertEquals(ids(store), []);
  }
  for (const options of [{ maxEntries: -1 }, { maxBytes: NaN }]) {
    assertThrows(() => new MemoryResponseStore(options), RangeError, "must be at least 0");
  }
});
