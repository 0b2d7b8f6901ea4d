import { bodiesFull } from "./limits/mod.ts";

/** Milliseconds after which there is likely room again. */
const RETRY_AFTER = 1_000;

/** Bounds the bytes of all bodies together that are being read, so that many large ones do not fill the memory. */
export class BodyBudget {
  readonly #max: number;
  #used = 0;

  /**
   * Begins with nothing in use.
   *
   * @param max Most bytes at a time.
   */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Takes some bytes, to be given back.
   *
   * @throws {OverloadedError} If there are not so many left.
   */
  take(bytes: number): void {
    // One that is alone is let in, however large: its own bound is another.
    if (this.#used > 0 && this.#used + bytes > this.#max) {
      throw bodiesFull(RETRY_AFTER);
    }
    this.#used += bytes;
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#used -= bytes;
  }
}
