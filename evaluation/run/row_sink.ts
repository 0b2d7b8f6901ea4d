import type { RowResult } from "./row_result.ts";

/** Where results of rows go as they come, and are read from again in the order of the rows. */
export interface RowSink {
  /** Whether there is a result of a row already. */
  has(index: number): boolean;
  /** Takes a result. */
  add(result: RowResult): Promise<void>;
  /** All results, in the order of their rows. */
  rows(): AsyncGenerator<RowResult>;
}

/** Keeps all results in memory. */
export class MemorySink implements RowSink {
  readonly #results = new Map<number, RowResult>();

  has(index: number): boolean {
    return this.#results.has(index);
  }

  add(result: RowResult): Promise<void> {
    this.#results.set(result.index, result);
    return Promise.resolve();
  }

  async *rows(): AsyncGenerator<RowResult> {
    const sorted = [...this.#results.values()].sort((a, b) => a.index - b.index);
    for (const result of sorted) yield await Promise.resolve(result);
  }
}
