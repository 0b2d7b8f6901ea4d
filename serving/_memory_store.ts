import { matches } from "./_answer_query.ts";
import type { ResponseStore, StoredAnswer, StoredAnswerPage, StoredAnswerQuery } from "./response_store.ts";

/** Options for {@linkcode MemoryResponseStore}. */
export interface MemoryResponseStoreOptions {
  /** Most answers to keep. @default {1000} */
  readonly maxEntries?: number;
  /** Most bytes to keep, counted as JSON in UTF-8. @default {67_108_864} */
  readonly maxBytes?: number;
}

/** An answer and its size in bytes. */
interface Entry {
  readonly answer: StoredAnswer;
  readonly size: number;
}

const encoder = new TextEncoder();

/**
 * Keeps answers in memory: they are gone when the process ends. When there are too many, or they are too large together,
 * those that were kept first are forgotten. An answer that is too large by itself is not kept.
 *
 * @example Usage
 * ```ts
 * import { createApp, MemoryResponseStore } from "@chatmodel/chat-model/serve";
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 * import { assertEquals } from "@std/assert";
 *
 * const responseStore = new MemoryResponseStore({ maxEntries: 10 });
 * const app = createApp({ demo: DemoChatModel }, { responseStore });
 * const body = JSON.stringify({ model: "demo", input: "Hello" });
 * const response = await app.fetch(new Request("http://localhost/v1/responses", { method: "POST", body }));
 * const { id } = await response.json();
 * assertEquals(responseStore.get(id)?.model, "demo");
 * ```
 */
export class MemoryResponseStore implements ResponseStore {
  readonly #entries = new Map<string, Entry>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #bytes = 0;

  /**
   * Makes an empty store.
   *
   * @param options Its limits.
   * @throws {RangeError} If a limit is negative or no number.
   */
  constructor(options: MemoryResponseStoreOptions = {}) {
    const { maxEntries = 1000, maxBytes = 67_108_864 } = options;
    for (const [name, value] of Object.entries({ maxEntries, maxBytes })) {
      if (!(value >= 0)) throw new RangeError(`Cannot make a store as "${name}" must be at least 0: it is ${value}`);
    }
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /**
   * Gets an answer.
   *
   * @param id Its id.
   * @returns The answer; `undefined` if there is none, or none any more.
   */
  get(id: string): StoredAnswer | undefined {
    return this.#entries.get(id)?.answer;
  }

  /**
   * Keeps an answer, in the place of one of the same id, and forgets the oldest ones if there is no room.
   *
   * @param answer The answer.
   */
  set(answer: StoredAnswer): void {
    const known = this.#entries.get(answer.id);
    const size = encoder.encode(JSON.stringify(answer)).length;
    if (size > this.#maxBytes) {
      // What is kept under this id is out of date.
      this.delete(answer.id);
      return;
    }
    this.#bytes += size - (known?.size ?? 0);
    this.#entries.set(answer.id, { answer, size });
    for (const id of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) break;
      this.delete(id);
    }
  }

  /**
   * Forgets an answer.
   *
   * @param id Its id.
   * @returns Whether there was one.
   */
  delete(id: string): boolean {
    const known = this.#entries.get(id);
    if (known === undefined) return false;
    this.#bytes -= known.size;
    return this.#entries.delete(id);
  }

  /**
   * Lists answers by the time they were made; those of one second in the order they were kept.
   *
   * @param query Which ones.
   * @returns A page of them; an empty one if `after` is unknown.
   */
  list(query: StoredAnswerQuery): StoredAnswerPage {
    const { after, limit, order } = query;
    const found = [...this.#entries.values()].map(({ answer }) => answer).filter((answer) => matches(answer, query))
      .sort((a, b) => a.created - b.created);
    if (order === "desc") found.reverse();
    const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0) return { data: [], hasMore: false };
    return { data: found.slice(start, start + limit), hasMore: found.length > start + limit };
  }
}
