import type { ChatCompletionChunk } from "../types/mod.ts";
import { type NormaliseOptions, Normaliser } from "./_normaliser.ts";

/** Most parts of a synchronous source that are taken at once. */
const MAX_BATCH = 32;

type Batch = readonly ChatCompletionChunk[];

const NONE: Batch = [];

/** What watches over a running call: it is told when its answer is waited for, and aborts it. */
export interface StreamGuard {
  /** Called when the call is aborted, with the reason. Set by the stream. */
  onAbort: ((reason: unknown) => void) | undefined;
  /** The model is waited for from now on. */
  wait(): void;
  /** The model gave something. */
  resume(): void;
  /** Surrounds a step of a synchronous source, or as many as are taken at once. */
  run?<T>(step: () => T): T;
  /** Chunks are ready, in canonical form; at least one. */
  chunks(chunks: readonly ChatCompletionChunk[]): void;
  /**
   * Nothing follows. Called exactly once; `completed` tells whether the model ended by itself, `failure` holds what it
   * failed with.
   */
  end(completed: boolean, failure?: { readonly reason: unknown }): void;
}

/**
 * A canonical stream in the making: iterate it, or take what is ready in batches.
 *
 * Written as an iterator by hand: an async generator costs a chain of promises for each chunk, and its `return()` waits
 * for a pending `next()`, so that leaving a `for await` loop could not stop a model that is thinking.
 */
export class ChatCompletionStream implements AsyncIterableIterator<ChatCompletionChunk> {
  readonly #iterator: AsyncIterator<unknown> | undefined;
  readonly #syncIterator: Iterator<unknown> | undefined;
  readonly #normaliser: Normaliser;
  readonly #guard: StreamGuard | undefined;
  /** What `next()` gives out, and how far it is. */
  #batch: Batch = NONE;
  #position = 0;
  #state: "open" | "closed" = "open";
  /** Whether the source has been asked and has not answered yet. */
  #asking = false;
  /** What has come and no one has taken yet. */
  #ready: Batch | undefined;
  #failure: { readonly reason: unknown } | undefined;
  #resolve: ((batch: Batch) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  /**
   * Begins to read a source; nothing is asked of it before the first `next()`.
   *
   * @param source What an author or upstream yields.
   * @param options What every chunk carries alike.
   * @param guard What watches over the call.
   */
  constructor(
    source: AsyncIterable<unknown> | Iterable<unknown>,
    options?: NormaliseOptions,
    guard?: StreamGuard,
  ) {
    if (Symbol.asyncIterator in source) this.#iterator = source[Symbol.asyncIterator]();
    else this.#syncIterator = source[Symbol.iterator]();
    this.#normaliser = new Normaliser(options);
    this.#guard = guard;
    if (guard) guard.onAbort = (reason) => this.#fail(reason);
  }

  /** The stream itself: it can be read once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next chunk.
   *
   * @returns The chunk, or that there is none.
   * @throws {ChatModelError} If the model failed, or gave what cannot be understood. Aborts reject with their reason.
   */
  next(): Promise<IteratorResult<ChatCompletionChunk, undefined>> {
    const chunk = this.#batch[this.#position];
    if (chunk !== undefined) {
      this.#position++;
      return Promise.resolve({ done: false, value: chunk });
    }
    try {
      const batch = this.nextBatch();
      return batch instanceof Promise ? batch.then((batch) => this.#take(batch)) : Promise.resolve(this.#take(batch));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #take(batch: Batch): IteratorResult<ChatCompletionChunk, undefined> {
    const [chunk] = batch;
    if (chunk === undefined) return { done: true, value: undefined };
    this.#batch = batch;
    this.#position = 1;
    return { done: false, value: chunk };
  }

  /**
   * All chunks that are ready: at least one, or none at the end. For consumers to whom an await for each chunk is too
   * dear; not to be mixed with `next()`.
   *
   * @returns The chunks; at once where they are there.
   * @throws {ChatModelError} As `next()`.
   */
  nextBatch(): readonly ChatCompletionChunk[] | Promise<readonly ChatCompletionChunk[]> {
    const batch = this.poll() ?? this.#late();
    if (batch !== undefined) return batch;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#guard?.wait();
    });
  }

  /** What asking the source has brought about at once: its failure, most often. */
  #late(): Batch | undefined {
    return this.#state === "closed" ? this.poll() : undefined;
  }

  /**
   * As {@linkcode ChatCompletionStream.nextBatch}, but does not wait, and does not have time limits count: asks the
   * source if need be, and gives `undefined` as long as it has not answered.
   *
   * @returns The chunks, if they are there.
   * @throws {ChatModelError} As `next()`.
   */
  poll(): readonly ChatCompletionChunk[] | undefined {
    const ready = this.#ready;
    if (ready !== undefined) {
      this.#ready = undefined;
      return ready;
    }
    if (this.#failure !== undefined) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      throw reason;
    }
    if (this.#state === "closed") return NONE;
    if (this.#syncIterator !== undefined) return this.#nextSync(this.#syncIterator);
    if (!this.#asking) this.#ask();
    return undefined;
  }

  /**
   * Asks for the first batch without taking it, so that a failure is seen before anything is sent.
   *
   * @returns Resolves when it is there, or rejects if there is none; `undefined` if it is there at once.
   * @throws {ChatModelError} As `next()`.
   */
  peek(): Promise<void> | undefined {
    const batch = this.nextBatch();
    if (batch instanceof Promise) return batch.then((batch) => void (this.#ready = batch));
    this.#ready = batch;
    return undefined;
  }

  #nextSync(iterator: Iterator<unknown>): Batch {
    const guard = this.#guard;
    return guard?.run === undefined ? this.#takeSync(iterator) : guard.run(() => this.#takeSync(iterator));
  }

  #takeSync(iterator: Iterator<unknown>): Batch {
    const out: ChatCompletionChunk[] = [];
    try {
      while (out.length < MAX_BATCH) {
        const result = iterator.next();
        if (result.done) {
          this.#normaliser.end(out);
          this.#tell(out);
          this.#close(true);
          return out;
        }
        this.#normaliser.push(result.value, out);
      }
    } catch (error) {
      this.#tell(out);
      this.#fail(error);
      // What came before the failure is given first; the failure with the next call.
      if (out.length > 0) return out;
      this.#failure = undefined;
      throw error;
    }
    this.#tell(out);
    return out;
  }

  #tell(chunks: Batch): void {
    if (chunks.length > 0) this.#guard?.chunks(chunks);
  }

  #ask(): void {
    this.#asking = true;
    try {
      this.#iterator?.next().then(this.#onResult, this.#onError);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #onError = (error: unknown): void => this.#fail(error);

  readonly #onResult = (result: IteratorResult<unknown>): void => {
    if (this.#state === "closed") return;
    const out: ChatCompletionChunk[] = [];
    try {
      if (result.done) {
        this.#normaliser.end(out);
        this.#tell(out);
        this.#close(true);
      } else {
        this.#normaliser.push(result.value, out);
        if (out.length === 0) return this.#ask();
        this.#guard?.resume();
        this.#tell(out);
      }
    } catch (error) {
      return this.#fail(error);
    }
    this.#asking = false;
    const resolve = this.#resolve;
    if (resolve === undefined) {
      this.#ready = out;
    } else {
      this.#resolve = this.#reject = undefined;
      resolve(out);
    }
  };

  /**
   * Stops the model, also one that is thinking, and ends the stream.
   *
   * @returns That there is nothing more.
   */
  return(): Promise<IteratorResult<ChatCompletionChunk, undefined>> {
    const resolve = this.#resolve;
    this.#resolve = this.#reject = undefined;
    this.#batch = NONE;
    this.#ready = undefined;
    this.#failure = undefined;
    if (this.#state !== "closed") {
      this.#close(false);
      this.#stopSource();
    }
    resolve?.(NONE);
    return Promise.resolve({ done: true, value: undefined });
  }

  #fail(reason: unknown): void {
    if (this.#state === "closed") return;
    const reject = this.#reject;
    this.#resolve = this.#reject = undefined;
    const failure = { reason };
    if (reject === undefined) this.#failure = failure;
    this.#close(false, failure);
    // A source that threw has ended by itself, which makes this harmless; one that was aborted or gave nonsense has not.
    this.#stopSource();
    reject?.(reason);
  }

  #close(completed: boolean, failure?: { readonly reason: unknown }): void {
    this.#state = "closed";
    this.#guard?.end(completed, failure);
  }

  #stopSource(): void {
    // Not awaited: a generator finishes its pending await first, and no one needs to wait for that. Nor does anyone
    // care any more how it ends; its own failure has nowhere to go.
    try {
      this.#iterator?.return?.().catch(() => {});
      this.#syncIterator?.return?.();
    } catch {
      // As above.
    }
  }
}
