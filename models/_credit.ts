/** How many more pieces a reader is ready for. Whoever writes waits here until there are any. */
export class Credit {
  #count: number;
  #resume: (() => void) | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  /** Makes it more. */
  add(count: number): void {
    this.#count += count;
    this.#resume?.();
  }

  /**
   * Uses one up, as soon as there is one.
   *
   * @throws The signal's reason.
   */
  async take(signal: AbortSignal): Promise<void> {
    while (this.#count === 0) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resume = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
      await promise;
    }
    signal.throwIfAborted();
    this.#count--;
  }
}
