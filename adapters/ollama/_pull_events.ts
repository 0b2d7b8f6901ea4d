import type { OllamaPullProgress } from "./api_types.ts";
import { CallLimit } from "../_http/call_limit.ts";

type Batches = AsyncIterableIterator<OllamaPullProgress[], undefined, void>;

/** Events of a download one by one. The download begins with the first call of `next()` and ends with `return()`. */
export class PullEvents implements AsyncIterableIterator<OllamaPullProgress, undefined, void> {
  #open: (limit: CallLimit) => Promise<Batches>;
  #signal: AbortSignal | undefined;
  #limit: CallLimit | undefined;
  #batches: Promise<Batches> | undefined;
  #waiting: OllamaPullProgress[] = [];
  #isOver = false;

  constructor(open: (limit: CallLimit) => Promise<Batches>, signal: AbortSignal | undefined) {
    this.#open = open;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<OllamaPullProgress, undefined>> {
    while (!this.#isOver) {
      const event = this.#waiting.shift();
      if (event !== undefined) return { done: false, value: event };
      try {
        const batches = await (this.#batches ??= this.#start());
        const result = await batches.next();
        if (result.done) this.#end();
        else this.#waiting.push(...result.value);
      } catch (error) {
        if (this.#isOver) break; // return() ended the call, which therefore failed
        this.#end();
        throw error;
      }
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<OllamaPullProgress, undefined>> {
    this.#end();
    this.#limit?.abort();
    return Promise.resolve({ done: true, value: undefined });
  }

  #start(): Promise<Batches> {
    this.#limit = new CallLimit({ signal: this.#signal, isOwn: true });
    return this.#open(this.#limit);
  }

  #end(): void {
    this.#isOver = true;
    this.#limit?.end();
  }
}
