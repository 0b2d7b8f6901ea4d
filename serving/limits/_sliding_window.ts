import { LIMIT_WINDOW, type LimitAmounts, type Limits } from "./_limit_store.ts";

/** Up to so many grants are remembered one by one; more are put together. */
export const FINE_SPANS = 128;
/** Longest time between grants that are put together, in milliseconds. */
export const SPAN = 500;

/** What was granted at one time, or within {@linkcode SPAN}. */
export class Span {
  readonly start: number;
  /** When the last of it was granted: from then on it counts for a minute. */
  end: number;
  requests = 0;
  tokens = 0;
  next: Span | undefined;
  /** Whether it counts no more. */
  expired = false;

  constructor(now: number) {
    this.start = now;
    this.end = now;
  }

  /** When it counts no more. */
  get until(): number {
    return this.end + LIMIT_WINDOW;
  }
}

/**
 * What one subject was granted in the last minute.
 *
 * A log of grants would be exact and without bound; a ring of slots would be small, and up to a slot's length too strict
 * for everyone. This is a log that grows coarse: exact up to {@linkcode FINE_SPANS} grants, beyond that in spans of
 * {@linkcode SPAN}, of which each counts until its last grant is a minute old. So it never allows too much, at most 1 %
 * too little, and holds at most 128 + 121 spans.
 */
export class SlidingWindow {
  /** Requests that count now; after {@linkcode SlidingWindow.advance}. */
  requests = 0;
  /** Tokens that count now; after {@linkcode SlidingWindow.advance}. */
  tokens = 0;
  /** When no request counts any more. */
  requestsUntil = 0;
  /** When no tokens count any more. */
  tokensUntil = 0;
  #first: Span | undefined;
  #last: Span | undefined;
  #length = 0;

  /** How many spans it holds. */
  get length(): number {
    return this.#length;
  }

  /** Drops what is older than a minute. */
  advance(now: number): void {
    for (let span = this.#first; span !== undefined && span.until <= now; span = span.next) {
      span.expired = true;
      this.requests -= span.requests;
      this.tokens -= span.tokens;
      this.#first = span.next;
      this.#length--;
    }
    if (this.#first === undefined) this.#last = undefined;
  }

  /** Whether so much more stays within the limits; a limit that is no number allows nothing. */
  allows({ requests, tokens }: LimitAmounts, { requestsPerMinute, tokensPerMinute }: Limits): boolean {
    return (requestsPerMinute === undefined || this.requests + requests <= requestsPerMinute) &&
      (tokensPerMinute === undefined || this.tokens + tokens <= tokensPerMinute);
  }

  /** Counts what is granted. */
  add(now: number, { requests, tokens }: LimitAmounts): Span {
    const span = this.#spanAt(now);
    span.requests += requests;
    span.tokens += tokens;
    this.requests += requests;
    this.tokens += tokens;
    if (requests > 0) this.requestsUntil = span.until;
    if (tokens > 0) this.tokensUntil = span.until;
    return span;
  }

  /** Counts tokens that were used beyond what was granted: more than none. */
  addTokens(now: number, tokens: number): void {
    const span = this.#spanAt(now);
    span.tokens += tokens;
    this.tokens += tokens;
    this.tokensUntil = span.until;
  }

  /** Gives back what was granted in a span, unless it counts no more. */
  subtract(span: Span, { requests, tokens }: LimitAmounts): void {
    if (span.expired) return;
    span.requests -= requests;
    span.tokens -= tokens;
    this.requests -= requests;
    this.tokens -= tokens;
  }

  /** Gives back tokens alone that were granted in a span, unless it counts no more. */
  subtractTokens(span: Span, tokens: number): void {
    if (span.expired) return;
    span.tokens -= tokens;
    this.tokens -= tokens;
  }

  /** When so much more will be within the limits, if nothing else comes. */
  allowedAt({ requests, tokens }: LimitAmounts, limits: Limits): number {
    const left = { requests: this.requests + requests, tokens: this.tokens + tokens };
    for (let span = this.#first; span !== undefined; span = span.next) {
      left.requests -= span.requests;
      left.tokens -= span.tokens;
      if (
        (limits.requestsPerMinute === undefined || left.requests <= limits.requestsPerMinute) &&
        (limits.tokensPerMinute === undefined || left.tokens <= limits.tokensPerMinute)
      ) return span.until;
    }
    return Infinity;
  }

  /** The span for what is counted now. */
  #spanAt(now: number): Span {
    const last = this.#last;
    if (last !== undefined) {
      // A clock may step back: what was granted must not count shorter for that.
      const time = Math.max(now, last.end);
      if (time === last.end || (this.#length >= FINE_SPANS && time - last.start < SPAN)) {
        last.end = time;
        return last;
      }
    }
    const span = new Span(now);
    if (last === undefined) this.#first = span;
    else last.next = span;
    this.#last = span;
    this.#length++;
    return span;
  }
}
