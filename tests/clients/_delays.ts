/** What waits a client asks for: looked at instead of the time that passes, and not waited for. */

/** Waits of clients before they try again, in milliseconds; limits of time are longer. */
const OWN_WAITS = { from: 500, to: 10_000 };

/**
 * Runs a function, and records how long the timers run that are set meanwhile. Those that are as long as clients wait
 * before they try again run 1 ms instead.
 *
 * @param run The function.
 * @returns What it gives, and the delays that were asked for in milliseconds, in order.
 */
export async function recordDelays<T>(
  run: () => Promise<T>,
): Promise<{ readonly value: T; readonly delays: readonly unknown[] }> {
  const delays: unknown[] = [];
  const original = globalThis.setTimeout;
  globalThis.setTimeout = new Proxy(original, {
    apply(target, receiver, [callback, delay, ...rest]: unknown[]) {
      delays.push(delay);
      const isOwnWait = typeof delay === "number" && delay >= OWN_WAITS.from && delay <= OWN_WAITS.to;
      return Reflect.apply(target, receiver, [callback, isOwnWait ? 1 : delay, ...rest]);
    },
  });
  try {
    return { value: await run(), delays };
  } finally {
    globalThis.setTimeout = original;
  }
}
