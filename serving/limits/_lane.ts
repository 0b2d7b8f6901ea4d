import { queueFull, queueTimeout, retryIn } from "./_refusals.ts";
import type { AdmittedTicket } from "./_ticket.ts";

/** How many requests a model runs at once, and how many wait. */
export interface QueueOptions {
  /** Most requests to run at once. @default {Infinity} */
  readonly maxConcurrency?: number;
  /** Most requests that wait for those to end. @default {100} */
  readonly maxQueue?: number;
  /** Milliseconds that a request waits at most. @default {30_000} */
  readonly queueTimeout?: number;
}

/** The longest that a timer can run: a longer one fires at once. In milliseconds, about 25 days. */
const MAX_TIMER = 2 ** 31 - 1;
/** Share of the newest time in the average of them. */
const NEWEST_SHARE = 0.2;
/** What is taken for the time of a request while none has ended, in milliseconds. */
const FIRST_GUESS = 1000;

/** A request that waits. */
interface Waiter {
  readonly ticket: AdmittedTicket;
  /** Lets it run. */
  readonly admit: () => void;
}

/** One model's requests: some run, those after them wait in the order they came. */
export class Lane {
  readonly model: string;
  readonly #options: Required<QueueOptions>;
  readonly #waiting = new Set<Waiter>();
  #running = 0;
  /** Milliseconds. */
  #averageTime = FIRST_GUESS;
  #hasTime = false;

  constructor(model: string, options: Required<QueueOptions>) {
    this.model = model;
    this.#options = options;
  }

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  /** How many wait. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** Takes a place for a request if one is free, and nobody waits for it. */
  tryEnter(): boolean {
    if (this.#running >= this.#options.maxConcurrency || this.#waiting.size > 0) return false;
    this.#running++;
    return true;
  }

  /**
   * Waits for a place.
   *
   * @throws {OverloadedError} At once if too many wait; by rejecting, if it takes too long.
   * @throws The signal's reason.
   */
  wait(ticket: AdmittedTicket, signal: () => AbortSignal): Promise<AdmittedTicket> {
    const { maxQueue, queueTimeout: limit } = this.#options;
    if (this.#waiting.size >= maxQueue) {
      throw queueFull(this.model, this.#running, this.#waiting.size, this.retryAfter());
    }
    const leaving = signal();
    leaving.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (reason: unknown) => {
        settle();
        ticket.refund();
        reject(reason);
      };
      const waiter: Waiter = {
        ticket,
        admit: () => {
          settle();
          resolve(ticket);
        },
      };
      const onAbort = () => leave(leaving.reason);
      const onTimeout = () => leave(queueTimeout(this.model, limit, this.retryAfter()));
      const timer = setTimeout(onTimeout, Math.min(limit, MAX_TIMER));
      const settle = () => {
        clearTimeout(timer);
        leaving.removeEventListener("abort", onAbort);
        this.#waiting.delete(waiter);
      };
      leaving.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** Gives a place back, after so many milliseconds; whoever waits longest gets it. */
  leave(time: number): void {
    this.#averageTime = this.#hasTime ? this.#averageTime + (time - this.#averageTime) * NEWEST_SHARE : time;
    this.#hasTime = true;
    this.#running--;
    for (const { ticket, admit } of this.#waiting) {
      if (this.#running >= this.#options.maxConcurrency) return;
      this.#running++;
      ticket.start();
      admit();
    }
  }

  /** Milliseconds that a request takes, as far as is known. */
  get typicalTime(): number {
    return this.#averageTime;
  }

  /** Milliseconds after which those that wait now have likely been served. */
  retryAfter(): number {
    return retryIn(this.#averageTime * (this.#waiting.size + 1) / this.#options.maxConcurrency);
  }
}
