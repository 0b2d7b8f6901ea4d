import {
  checkAmount,
  checkAmounts,
  exceededAlone,
  LIMIT_WINDOW,
  type LimitAmounts,
  type LimitDecision,
  type LimitRefusal,
  type LimitReservation,
  type Limits,
  type LimitStore,
} from "./_limit_store.ts";
import { SlidingWindow, type Span } from "./_sliding_window.ts";

/** Options for {@linkcode MemoryLimitStore}. */
export interface MemoryLimitStoreOptions {
  /** The time in milliseconds, from whenever on; it should never step back. Default: `performance.now`. */
  readonly now?: () => number;
}

/** What was granted, with what is needed to give it back. */
class MemoryReservation implements LimitReservation {
  readonly granted = true;
  readonly usedRequests: number;
  readonly usedTokens: number;
  readonly resetRequests: number;
  readonly resetTokens: number;
  readonly subject: string;
  readonly amounts: LimitAmounts;
  readonly window: SlidingWindow;
  readonly span: Span;
  /** Whether it is neither settled nor refunded yet. */
  open = true;

  constructor(subject: string, amounts: LimitAmounts, window: SlidingWindow, now: number) {
    this.subject = subject;
    this.amounts = amounts;
    this.window = window;
    this.span = window.add(now, amounts);
    this.usedRequests = window.requests;
    this.usedTokens = window.tokens;
    this.resetRequests = resetIn(window.requests, window.requestsUntil, now);
    this.resetTokens = resetIn(window.tokens, window.tokensUntil, now);
  }
}

/**
 * Counts in the memory of this process: several processes count each for itself. Subjects that were not used for a
 * minute are forgotten; each of the others takes 20 kB at most.
 *
 * Exact up to 128 grants a minute, beyond that up to 1 % too strict, never too lax.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #now: () => number;
  readonly #windows = new Map<string, SlidingWindow>();
  #sweepAt: number;

  /**
   * Makes a store in which nothing counts yet.
   *
   * @param options Its clock.
   */
  constructor(options: MemoryLimitStoreOptions = {}) {
    const { now = () => performance.now() } = options;
    this.#now = now;
    this.#sweepAt = now() + LIMIT_WINDOW;
  }

  /** How many subjects are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  /**
   * Reserves what a request will use, as far as is known.
   *
   * @param subject Whose limits they are.
   * @param amounts What the request will use.
   * @param limits What is allowed; one that is no number allows nothing.
   * @returns Whether it may run.
   * @throws {RangeError} If an amount is negative or no number.
   */
  reserve(subject: string, amounts: LimitAmounts, limits: Limits): LimitDecision {
    checkAmounts(amounts);
    const now = this.#now();
    if (now >= this.#sweepAt) this.#sweep(now);
    const window = this.#window(subject, now);
    if (!window.allows(amounts, limits)) return refusal(window, amounts, limits, now);
    return new MemoryReservation(subject, amounts, window, now);
  }

  /**
   * Corrects a reservation to what was really used.
   *
   * @param reservation What this store granted.
   * @param actualTokens Tokens that were really used.
   * @throws {RangeError} If that is negative or no number.
   * @throws {TypeError} If another kind of store made the reservation.
   */
  settle(reservation: LimitReservation, actualTokens: number): void {
    checkAmount("tokens", actualTokens);
    const own = this.#own(reservation);
    if (!own.open) return;
    own.open = false;
    const excess = actualTokens - own.amounts.tokens;
    if (excess < 0) {
      own.window.subtractTokens(own.span, -excess);
    } else if (excess > 0) {
      // It counts from now on: the reservation itself may be older than a minute.
      const now = this.#now();
      this.#window(own.subject, now).addTokens(now, excess);
    }
  }

  /**
   * Gives a whole reservation back.
   *
   * @param reservation What this store granted.
   * @throws {TypeError} If another kind of store made the reservation.
   */
  refund(reservation: LimitReservation): void {
    const own = this.#own(reservation);
    if (!own.open) return;
    own.open = false;
    own.window.subtract(own.span, own.amounts);
  }

  #own(reservation: LimitReservation): MemoryReservation {
    if (reservation instanceof MemoryReservation) return reservation;
    throw new TypeError("Cannot change a reservation that another kind of store made: hand it to that store");
  }

  #window(subject: string, now: number): SlidingWindow {
    let window = this.#windows.get(subject);
    if (window === undefined) this.#windows.set(subject, window = new SlidingWindow());
    else window.advance(now);
    return window;
  }

  #sweep(now: number): void {
    this.#sweepAt = now + LIMIT_WINDOW;
    for (const [subject, window] of this.#windows) {
      window.advance(now);
      if (window.length === 0) this.#windows.delete(subject);
    }
  }
}

function refusal(window: SlidingWindow, amounts: LimitAmounts, limits: Limits, now: number): LimitRefusal {
  const isFinal = exceededAlone(amounts, limits) !== undefined;
  return {
    granted: false,
    usedRequests: window.requests,
    usedTokens: window.tokens,
    resetRequests: resetIn(window.requests, window.requestsUntil, now),
    resetTokens: resetIn(window.tokens, window.tokensUntil, now),
    retryAfter: isFinal ? Infinity : Math.max(0, window.allowedAt(amounts, limits) - now),
  };
}

function resetIn(used: number, until: number, now: number): number {
  return used > 0 ? Math.max(0, until - now) : 0;
}
