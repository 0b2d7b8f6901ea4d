/** Doing many things, a few at a time. */

/**
 * Does several things, no more than so many at a time. The first failure ends the others, and is thrown when those that
 * run have ended.
 *
 * @param items What to do something with.
 * @param work Does it.
 * @param options How many at a time, and what ends them all.
 * @returns The results, in order.
 */
export async function runBounded<Item, Result>(
  items: readonly Item[],
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: { readonly limit: number; readonly signal: AbortSignal },
): Promise<Result[]> {
  const { limit, signal } = options;
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const results = new Array<Result>(items.length);
  const left = items.entries();
  const runOneByOne = async () => {
    // One iterator for all, so that each takes the next that no one has taken.
    for (const [index, item] of left) {
      controller.signal.throwIfAborted();
      try {
        results[index] = await work(item, controller.signal);
      } catch (error) {
        controller.abort(error);
        throw error;
      }
    }
  };
  try {
    await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, runOneByOne));
    // The first reason is the cause; what the others failed with only follows from it.
    controller.signal.throwIfAborted();
    return results;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
