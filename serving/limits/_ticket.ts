import type { KeyCounts } from "./_key_counts.ts";
import type { Lane } from "./_lane.ts";
import { addLimitHeaders, type HeaderTarget, type LimitHeader, limitHeaders } from "./_format.ts";
import type { LimitReservation, Limits, LimitStore } from "./_limit_store.ts";

/** A request that was admitted: what it holds, until it is released or refunded. */
export interface Ticket {
  /** The `x-ratelimit-…` headers of the answer, as OpenAI writes them; none without limits. */
  readonly headers: LimitHeader[];
  /**
   * Adds those headers to an answer's, without a list of them.
   *
   * @param target What they are added to, their names in lower case.
   */
  addHeaders(target: { add(name: string, value: string): void }): void;
  /**
   * Gives back what the request holds when it has ended, well or not. Whatever comes after that does nothing.
   *
   * @param usage What it used; absent where that is not known: what was estimated counts.
   */
  release(usage?: { readonly totalTokens: number }): void;
  /**
   * Gives back what the request holds, and its share of the limits too: for one that the model never worked on, such as
   * one that an upstream refused. Whatever comes after that does nothing.
   */
  refund(): void;
}

/** Who limits whom in one admission. */
export interface TicketContext {
  readonly store: LimitStore;
  readonly keys: KeyCounts;
  readonly onError: (error: unknown) => void;
}

/** A ticket, which may wait yet for a place in its lane. */
export class AdmittedTicket implements Ticket {
  readonly #context: TicketContext;
  readonly #lane: Lane;
  readonly #key: (Limits & { readonly name: string }) | undefined;
  readonly #reservation: LimitReservation | undefined;
  #open = true;
  /** When it got its place; `undefined` before that. */
  #startedAt: number | undefined;

  constructor(
    context: TicketContext,
    lane: Lane,
    key?: Limits & { readonly name: string },
    reservation?: LimitReservation,
  ) {
    this.#context = context;
    this.#lane = lane;
    this.#key = key;
    this.#reservation = reservation;
  }

  get headers(): LimitHeader[] {
    return this.#key === undefined || this.#reservation === undefined ? [] : limitHeaders(this.#key, this.#reservation);
  }

  addHeaders(target: HeaderTarget): void {
    if (this.#key !== undefined && this.#reservation !== undefined) {
      addLimitHeaders(target, this.#key, this.#reservation);
    }
  }

  /** It has its place in the lane. */
  start(): void {
    this.#startedAt = performance.now();
  }

  release(usage?: { readonly totalTokens: number }): void {
    const reservation = this.#reservation;
    if (!this.#close() || reservation === undefined || usage === undefined) return;
    // The request has ended: nobody is there any more to hear of the store's failure.
    const { store, onError } = this.#context;
    try {
      store.settle(reservation, usage.totalTokens)?.catch(onError);
    } catch (error) {
      onError(error);
    }
  }

  refund(): void {
    const reservation = this.#reservation;
    if (!this.#close() || reservation === undefined) return;
    const { store, onError } = this.#context;
    try {
      store.refund(reservation)?.catch(onError);
    } catch (error) {
      onError(error);
    }
  }

  /** Gives up the places, whatever the store says. */
  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    if (this.#key !== undefined) this.#context.keys.leave(this.#key.name);
    if (this.#startedAt !== undefined) this.#lane.leave(performance.now() - this.#startedAt);
    return true;
  }
}
