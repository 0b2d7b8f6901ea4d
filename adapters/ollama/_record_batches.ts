import { ChatModelError } from "../../types/mod.ts";
import type { CallLimit } from "./_call_limit.ts";
import { badRecord, type Call, connectionLost, errorOfLine, incomplete } from "./_errors.ts";
import { type Checked, isObject, parseJson } from "./_json_value.ts";

/** Milliseconds that the end of the stream may come after the last record for the connection to be kept. */
const END_GRACE = 25;

/** What records are and how they come. */
export interface RecordSource<T> {
  /** The lines, in batches. */
  readonly lines: AsyncIterableIterator<string[], undefined, void>;
  /** The call they answer. */
  readonly call: Call;
  /** Limits of the call; its clock runs until the first record. */
  readonly limit: CallLimit;
  /** Checks a record's shape. */
  readonly check: (value: unknown) => Checked<T>;
  /** Whether none follows. */
  readonly isLast: (record: T) => boolean;
  /** What an answer lacks that ends without a last record, as it stands behind "without". */
  readonly lastRecord: string;
}

/**
 * Reads records from lines, in the lines' batches, up to the last one; whatever follows that one is ignored.
 *
 * Any other end is an error, which comes after the good records before it.
 */
export class RecordBatches<T> implements AsyncIterableIterator<T[], undefined, void> {
  #source: RecordSource<T>;
  #count = 0;
  #state: "open" | "complete" | "failed" | "ended" = "open";
  #failure: unknown;

  constructor(source: RecordSource<T>) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T[], undefined>> {
    if (this.#state === "open") {
      const batch = await this.#read();
      if (batch.length > 0) return { done: false, value: batch };
    }
    if (this.#state === "failed") {
      this.#state = "ended";
      throw this.#failure;
    }
    return await this.return();
  }

  async return(): Promise<IteratorResult<T[], undefined>> {
    const state = this.#state;
    this.#state = "ended";
    if (state === "complete") await this.#awaitEnd();
    await this.#close();
    return { done: true, value: undefined };
  }

  async #close(): Promise<void> {
    this.#source.limit.end();
    await this.#source.lines.return?.();
  }

  async #read(): Promise<T[]> {
    const { lines, limit, call } = this.#source;
    const batch: T[] = [];
    try {
      const result = await lines.next();
      if (this.#state !== "open") return batch; // return() came meanwhile
      if (result.done) throw incomplete(call, this.#source.lastRecord);
      limit.reached();
      for (const line of result.value) {
        const record = this.#parse(line);
        batch.push(record);
        if (this.#source.isLast(record)) {
          this.#state = "complete";
          break;
        }
      }
    } catch (error) {
      this.#failure = limit.signal?.aborted
        ? limit.signal.reason
        : ChatModelError.isInstance(error)
        ? error
        : connectionLost(call, error);
      this.#state = "failed";
      await this.#close();
    }
    return batch;
  }

  #parse(line: string): T {
    const { call, check } = this.#source;
    this.#count++;
    const value = parseJson(line);
    if (value === undefined) throw badRecord(call, this.#count, "no JSON");
    if (isObject(value) && value["error"] !== undefined && value["error"] !== null) throw errorOfLine(call, line);
    const result = check(value);
    if (result.issues !== undefined) throw badRecord(call, this.#count, result.issues);
    return result.value;
  }

  /** Reads up to the stream's end if that comes at once, as only then the connection can be used again. */
  async #awaitEnd(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise((resolve) => timer = setTimeout(resolve, END_GRACE));
    // The answer is complete: it does not matter any more how its connection fares.
    await Promise.race([this.#source.lines.next().catch(() => {}), grace]);
    clearTimeout(timer);
  }
}
