import type { ChunkBatches } from "./_transport.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** Who is told how a stream fares. */
export interface StreamObserver {
  /** It has begun, or has come to a good end. */
  readonly succeeded: () => void;
  /** It broke after it had begun. */
  readonly failed: (error: unknown) => void;
  /** It is over, in whatever way. Told once. */
  readonly ended: () => void;
}

/** A stream whose first pieces are held back until it is sure that the answer has begun. */
export class HeldBatches implements AsyncIterableIterator<OpenAIAnswer[], undefined, void> {
  readonly #batches: ChunkBatches;
  readonly #observer: StreamObserver;
  readonly #held: OpenAIAnswer[][] = [];
  #isOver = false;

  constructor(batches: ChunkBatches, observer: StreamObserver) {
    this.#batches = batches;
    this.#observer = observer;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads until the answer has begun or ended. What it throws, no one was told: the call is not counted as begun. */
  async hold(hasBegun: (piece: OpenAIAnswer) => boolean): Promise<void> {
    for (;;) {
      const { done, value } = await this.#batches.next();
      if (done) break;
      this.#held.push(value);
      if (value.some(hasBegun)) break;
    }
    this.#observer.succeeded();
  }

  async next(): Promise<IteratorResult<OpenAIAnswer[], undefined>> {
    const held = this.#held.shift();
    if (held !== undefined) return { done: false, value: held };
    try {
      const result = await this.#batches.next();
      if (result.done) this.#end();
      return result;
    } catch (error) {
      if (!this.#isOver) this.#observer.failed(error);
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<OpenAIAnswer[], undefined>> {
    this.#held.length = 0;
    this.#end();
    return await this.#batches.return?.() ?? { done: true, value: undefined };
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#observer.ended();
  }
}
