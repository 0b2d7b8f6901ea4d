/**
 * Runs work under a signal of its own, which fires when the given one does.
 *
 * @param signal The given signal.
 * @param work The work.
 * @returns What the work returns.
 */
async function withOwnSignal<T>(
  signal: AbortSignal,
  work: (controller: AbortController) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await work(controller);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Does several things at once. The first failure ends the others, and is thrown when all have ended.
 *
 * @param count How many.
 * @param signal Ends them all.
 * @param work The work by its number.
 * @returns Their results, in order.
 */
export async function runAll<T>(
  count: number,
  signal: AbortSignal,
  work: (index: number, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  return await withOwnSignal(signal, async (controller) => {
    let failed: { readonly error: unknown } | undefined;
    const tasks = Array.from({ length: count }, async (_, index) => {
      try {
        return await work(index, controller.signal);
      } catch (error) {
        failed ??= { error };
        controller.abort(error);
        throw error;
      }
    });
    const results = await Promise.allSettled(tasks);
    // All but the first failed only because they were ended.
    if (failed !== undefined) throw failed.error;
    return results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  });
}

/** An item, and which source it came from. */
export interface Merged<T> {
  /** Number of the source. */
  readonly index: number;
  /** What came; absent at the source's end. */
  readonly item?: T;
}

type Arrival<T> =
  | { readonly index: number; readonly result: IteratorResult<T, unknown> }
  | { readonly index: number; readonly error: unknown };

/**
 * Merges sources as their items come. Of each source, one item at most waits to be taken. However it ends, all
 * sources are ended.
 *
 * @param sources The sources.
 * @param end Makes the sources stop what they are doing: a source that waits for its next item cannot return before.
 * @returns Their items, and an entry without item at the end of each.
 */
export async function* merge<T>(
  sources: readonly AsyncIterator<T, unknown, void>[],
  end: () => void,
): AsyncGenerator<Merged<T>, void, void> {
  const arrivals: Arrival<T>[] = [];
  let wake = () => {};
  const advance = async (index: number) => {
    try {
      const result = await sources[index]?.next();
      if (result !== undefined) arrivals.push({ index, result });
    } catch (error) {
      arrivals.push({ index, error });
    }
    wake();
  };
  let open = sources.length;
  sources.forEach((_, index) => void advance(index));
  try {
    while (open > 0) {
      const arrival = arrivals.shift();
      if (arrival === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
        continue;
      }
      if ("error" in arrival) throw arrival.error;
      if (arrival.result.done) {
        open--;
        yield { index: arrival.index };
      } else {
        yield { index: arrival.index, item: arrival.result.value };
        void advance(arrival.index);
      }
    }
  } finally {
    end();
    await Promise.allSettled(sources.map((source) => source.return?.()));
  }
}
