import { assertEquals, assertRejects } from "@std/assert";
import { merge, runAll } from "../../../adapters/ollama/_several.ts";
import { SharedTask } from "../../../adapters/ollama/_shared_task.ts";

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

Deno.test("runAll() gives results in order", async () => {
  const { signal } = new AbortController();
  assertEquals(await runAll(3, signal, (i) => Promise.resolve(i * 2)), [0, 2, 4]);
});

Deno.test("runAll() ends the others when one fails, and throws the first failure", async () => {
  const ended: number[] = [];
  const failure = new Error("first");
  const work = async (index: number, signal: AbortSignal) => {
    if (index === 1) throw failure;
    await aborted(signal).catch(() => ended.push(index));
    throw new Error("ended");
  };
  await assertRejects(() => runAll(3, new AbortController().signal, work), Error, "first");
  assertEquals(ended, [0, 2]);
});

Deno.test("runAll() ends all when its signal fires", async () => {
  const controller = new AbortController();
  const running = runAll(2, controller.signal, (_, signal) => aborted(signal));
  const reason = new Error("leave");
  controller.abort(reason);
  assertEquals(await running.catch((error) => error), reason);
});

Deno.test("merge() gives items as they come and tells when a source ends", async () => {
  async function* source(items: readonly string[]) {
    yield* items;
  }
  const got: string[] = [];
  for await (const { index, item } of merge([source(["a", "b"]), source([]), source(["c"])], () => {})) {
    got.push(`${index}${item ?? "."}`);
  }
  assertEquals(got.filter((entry) => entry.startsWith("0")), ["0a", "0b", "0."]);
  assertEquals(got.toSorted(), ["0.", "0a", "0b", "1.", "2.", "2c"]);
});

Deno.test("merge() ends sources that wait when another fails or no one reads on", async () => {
  for (const fails of [true, false]) {
    const controller = new AbortController();
    let ended = false;
    const waiting = async function* () {
      try {
        yield await aborted(controller.signal);
      } finally {
        ended = true;
      }
    };
    const other = async function* () {
      if (fails) throw new Error("broken");
      yield "x";
    };
    const read = async () => {
      for await (const _ of merge<string>([waiting(), other()], () => controller.abort())) break;
    };
    if (fails) await assertRejects(read, Error, "broken");
    else await read();
    assertEquals(ended, true);
  }
});

Deno.test("SharedTask goes on while one caller waits, and ends with the last", async () => {
  let ended = false;
  const result = Promise.withResolvers<string>();
  const start = () =>
    new SharedTask(async (signal) => {
      try {
        return await Promise.race([result.promise, aborted(signal)]);
      } catch (error) {
        ended = true;
        throw error;
      }
    });
  const [first, second] = [new AbortController(), new AbortController()];
  const shared = start();
  const waits = [shared.wait(first.signal).catch((error) => error), shared.wait(second.signal)];
  first.abort("gone");
  assertEquals(await waits[0], "gone");
  assertEquals([ended, shared.abandoned], [false, false]);
  result.resolve("done");
  assertEquals(await waits[1], "done");
  assertEquals(await shared.wait(new AbortController().signal), "done");

  const pending = Promise.withResolvers<string>();
  const lonely = new SharedTask((signal) =>
    Promise.race([
      pending.promise,
      aborted(signal).catch((error) => {
        ended = true;
        throw error;
      }),
    ])
  );
  const wait = lonely.wait(second.signal).catch((error) => error);
  second.abort("gone too");
  assertEquals(await wait, "gone too");
  assertEquals([ended, lonely.abandoned], [true, true]);
});
