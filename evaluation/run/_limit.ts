import { TimeoutError } from "../../types/mod.ts";

/**
 * Does work within a time limit, and gives it up when a signal fires, also if the work does not heed either.
 *
 * @param work The work; its signal fires in both cases.
 * @param options The limit in ms, 0 for none; the signal; and what is done, for the error.
 * @returns What the work gives.
 * @throws {TimeoutError} If the limit passes. The signal's reason if that fires.
 */
export async function withinLimit<T>(
  work: (signal: AbortSignal) => T | Promise<T>,
  { limit, signal, action, option }: {
    readonly limit: number;
    readonly signal: AbortSignal;
    readonly action: string;
    readonly option: string;
  },
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
    stop = () => controller.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (limit > 0) {
      timer = setTimeout(() => {
        controller.abort(
          new TimeoutError(`Cannot ${action}: it took longer than ${limit} ms. Raise "${option}"`, { code: "timeout" }),
        );
      }, limit);
    }
  });
  // If the work ends first, no one waits for this.
  aborted.catch(() => {});
  try {
    return await Promise.race([Promise.resolve().then(() => work(controller.signal)), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
