import { ChatModelError } from "../../types/mod.ts";
import type { CallLimit } from "./call_limit.ts";

/** Milliseconds that the end of the stream may come after the last item for the connection to be kept. */
const END_GRACE = 25;

/** What comes, and how it is read. */
export interface ItemSource<Raw, Item> {
  /** What comes, in batches. */
  readonly batches: AsyncIterableIterator<Raw[], undefined, void>;
  /** Limits of the call; its clock runs until the first item. */
  readonly limit: CallLimit;
  /** Appends to the batch what something raw is. Gives whether nothing follows; throws if it is an error. */
  readonly read: (raw: Raw, batch: Item[]) => boolean;
  /** Throws if the stream must not end here, where nothing said that it was the last. */
  readonly checkEnd: () => void;
  /** Makes the error for a connection that broke. */
  readonly lost: (cause: unknown) => Error;
}

/**
 * Reads items, in the batches that they came in, up to the last one; whatever follows that one is ignored.
 *
 * Any other end is an error, which comes after the good items before it.
 */
export class ItemBatches<Raw, Item> implements AsyncIterableIterator<Item[], undefined, void> {
  #source: ItemSource<Raw, Item>;
  #state: "open" | "complete" | "failed" | "ended" = "open";
  #failure: unknown;

  constructor(source: ItemSource<Raw, Item>) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Item[], undefined>> {
    while (this.#state === "open") {
      const batch = await this.#read();
      if (batch.length > 0) return { done: false, value: batch };
    }
    if (this.#state === "failed") {
      this.#state = "ended";
      throw this.#failure;
    }
    return await this.return();
  }

  async return(): Promise<IteratorResult<Item[], undefined>> {
    const state = this.#state;
    this.#state = "ended";
    if (state === "complete") await this.#awaitEnd();
    await this.#close();
    return { done: true, value: undefined };
  }

  async #close(): Promise<void> {
    this.#source.limit.end();
    await this.#source.batches.return?.();
  }

  async #read(): Promise<Item[]> {
    const { batches, limit, lost } = this.#source;
    const batch: Item[] = [];
    try {
      const result = await batches.next();
      if (this.#state !== "open") return batch; // return() came meanwhile
      if (result.done) {
        this.#source.checkEnd();
        this.#state = "complete";
        return batch;
      }
      for (const raw of result.value) {
        const isLast = this.#source.read(raw, batch);
        if (batch.length > 0) limit.reached();
        if (isLast) {
          this.#state = "complete";
          break;
        }
      }
    } catch (error) {
      this.#failure = limit.signal?.aborted
        ? limit.signal.reason
        : ChatModelError.isInstance(error)
        ? error
        : lost(error);
      this.#state = "failed";
      limit.fail(this.#failure);
      await this.#close();
    }
    return batch;
  }

  /** Reads up to the stream's end if that comes at once, as only then the connection can be used again. */
  async #awaitEnd(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise((resolve) => timer = setTimeout(resolve, END_GRACE));
    // The answer is complete: it does not matter any more how its connection fares.
    await Promise.race([this.#source.batches.next().catch(() => {}), grace]);
    clearTimeout(timer);
  }
}
