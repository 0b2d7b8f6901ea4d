/**
 * Work that several callers wait for. It goes on as long as one of them waits: a caller that is aborted leaves
 * alone, the last to leave ends the work.
 */
export class SharedTask<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;
  #settled = false;

  /**
   * Begins the work.
   *
   * @param work The work; it must heed the signal.
   */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    // Not at once, so that the work may refer to the task.
    this.#result = Promise.resolve().then(() => work(this.#controller.signal));
    const settle = () => {
      this.#settled = true;
    };
    this.#result.then(settle, settle);
  }

  /** Whether the last caller left before the end, so that there will be no result. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  /**
   * Waits for the result.
   *
   * @param signal Ends the wait.
   * @returns The result.
   * @throws The work's error, or `signal.reason`.
   */
  async wait(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#waiting++;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([this.#result, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#waiting--;
      if (this.#waiting === 0 && !this.#settled) {
        this.#controller.abort(signal.reason);
        // So that nothing is left open once the caller knows. How the work ends no longer matters to anyone.
        await this.#result.catch(() => {});
      }
    }
  }
}
