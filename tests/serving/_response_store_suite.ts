/** What every store of answers must do. */
import { assertEquals } from "@std/assert";
import type { ResponseStore, StoredAnswer } from "../../serve.ts";

/** Bounds of a store. */
export interface StoreBounds {
  readonly maxEntries?: number;
  readonly maxBytes?: number;
}

/** Makes an answer. */
export function answer(id: string, rest: Partial<StoredAnswer> = {}): StoredAnswer {
  return { id, object: "response", created: 1, model: "m", metadata: {}, body: {}, input: [], ...rest };
}

const SIZE = JSON.stringify(answer("a")).length;

/** The ids of all responses that a store has. */
export async function ids(store: ResponseStore): Promise<string[]> {
  const { data } = await store.list({ object: "response", limit: 100, order: "asc" });
  return data.map(({ id }) => id);
}

/**
 * Tests a store.
 *
 * @param name Name of its class.
 * @param use Makes an empty one with such bounds, has it used, and closes it.
 */
export function testResponseStore(
  name: string,
  use: (bounds: StoreBounds, action: (store: ResponseStore) => Promise<void>) => Promise<void>,
): void {
  Deno.test(`${name} gives what was kept, and forgets what is to be deleted`, () =>
    use({}, async (store) => {
      const body = { text: "Grüße 🎉", list: [1, null], nested: { empty: {} } };
      await store.set(answer("a", { body, input: [{ role: "user" }], metadata: { x: "1" } }));
      assertEquals(await store.get("a"), answer("a", { body, input: [{ role: "user" }], metadata: { x: "1" } }));
      assertEquals(await store.get("b"), undefined);
      assertEquals([await store.delete("a"), await store.delete("a"), await store.get("a")], [true, false, undefined]);
    }));

  Deno.test(`${name} forgets the oldest when there are too many`, () =>
    use({ maxEntries: 2 }, async (store) => {
      for (const id of ["a", "b", "c"]) await store.set(answer(id));
      assertEquals(await ids(store), ["b", "c"]);
    }));

  Deno.test(`${name} forgets the oldest when they are too large together`, () =>
    use({ maxBytes: SIZE * 3 }, async (store) => {
      for (const id of ["a", "b", "c"]) await store.set(answer(id));
      assertEquals(await ids(store), ["a", "b", "c"]);
      await store.set(answer("d", { model: "é" }));
      assertEquals(await ids(store), ["c", "d"]);
      // The room of what is gone is free again.
      await store.delete("d");
      await store.set(answer("e"));
      await store.set(answer("f"));
      assertEquals(await ids(store), ["c", "e", "f"]);
    }));

  Deno.test(`${name} does not keep what is too large by itself, and forgets nothing for it`, () =>
    use({ maxBytes: SIZE }, async (store) => {
      await store.set(answer("a"));
      await store.set(answer("b", { model: "m".repeat(10) }));
      assertEquals(await ids(store), ["a"]);
      await store.set(answer("a", { model: "m".repeat(10) }));
      assertEquals(await ids(store), []);
    }));

  Deno.test(`${name} puts an answer in the place of one of the same id`, () =>
    use({ maxBytes: SIZE * 2 + 10 }, async (store) => {
      await store.set(answer("a"));
      await store.set(answer("b"));
      for (let i = 0; i < 5; i++) await store.set(answer("a", { created: 2 }));
      assertEquals([await ids(store), (await store.get("a"))?.created], [["b", "a"], 2]);
    }));

  Deno.test(`${name} lists by kind, model and labels, page by page`, () =>
    use({}, async (store) => {
      await store.set(answer("late", { created: 3 }));
      await store.set(answer("early", { created: 1, metadata: { x: "1", y: "2" } }));
      await store.set(answer("chat", { object: "chat.completion" }));
      await store.set(answer("other", { created: 2, model: "n", metadata: { x: "1" } }));
      const list = async (query: Partial<Parameters<ResponseStore["list"]>[0]>) => {
        const { data, hasMore } = await store.list({ object: "response", limit: 10, order: "asc", ...query });
        return [data.map(({ id }) => id), hasMore];
      };
      assertEquals(await list({}), [["early", "other", "late"], false]);
      assertEquals(await list({ order: "desc" }), [["late", "other", "early"], false]);
      assertEquals(await list({ object: "chat.completion" }), [["chat"], false]);
      assertEquals(await list({ model: "n" }), [["other"], false]);
      assertEquals(await list({ metadata: { x: "1" } }), [["early", "other"], false]);
      assertEquals(await list({ metadata: { x: "1", y: "2" } }), [["early"], false]);
      assertEquals(await list({ metadata: { constructor: "1" } }), [[], false]);
      assertEquals(await list({ limit: 1 }), [["early"], true]);
      assertEquals(await list({ limit: 2, after: "early" }), [["other", "late"], false]);
      assertEquals(await list({ after: "late", order: "desc" }), [["other", "early"], false]);
      assertEquals(await list({ after: "gone" }), [[], false]);
    }));

  Deno.test(`${name} keeps whose answers they are, and lists those of one owner`, () =>
    use({}, async (store) => {
      await store.set(answer("a", { owner: "x" }));
      await store.set(answer("b", { owner: "y" }));
      await store.set(answer("c"));
      assertEquals((await store.get("a"))?.owner, "x");
      assertEquals(await store.get("c"), answer("c"));
      const { data } = await store.list({ object: "response", owner: "x", limit: 10, order: "asc" });
      assertEquals(data, [answer("a", { owner: "x" })]);
      assertEquals(await ids(store), ["a", "b", "c"]);
    }));

  Deno.test(`${name} lists those of one second in the order they were kept`, () =>
    use({}, async (store) => {
      const names = Array.from({ length: 20 }, (_, i) => `answer ${(i * 7) % 20}`);
      for (const id of names) await store.set(answer(id));
      assertEquals(await ids(store), names);
    }));

  Deno.test(`${name} keeps nothing with a limit of 0`, async () => {
    for (const bounds of [{ maxEntries: 0 }, { maxBytes: 0 }]) {
      await use(bounds, async (store) => {
        await store.set(answer("a"));
        assertEquals(await ids(store), []);
      });
    }
  });
}
