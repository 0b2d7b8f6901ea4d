/** How much is asked for, or was used. */
export interface LimitAmounts {
  /** Requests. */
  readonly requests: number;
  /** Tokens, of the prompt and the answer together. */
  readonly tokens: number;
}

/** How much is allowed. */
export interface Limits {
  /** Most requests in any 60 seconds. Default: no limit. */
  readonly requestsPerMinute?: number;
  /** Most tokens in any 60 seconds, of prompts and answers together. Default: no limit. */
  readonly tokensPerMinute?: number;
}

/** How a subject stands after a decision. All are `undefined` where that is not known, as when the store is lost. */
export interface LimitState {
  /** Requests in the last 60 seconds, the granted one with them. */
  readonly usedRequests: number | undefined;
  /** Tokens in the last 60 seconds, the granted ones with them. */
  readonly usedTokens: number | undefined;
  /** Milliseconds until none of the requests counts any more, if no other comes. */
  readonly resetRequests: number | undefined;
  /** Milliseconds until none of the tokens counts any more, if no others come. */
  readonly resetTokens: number | undefined;
}

/** What was asked for is granted. Hand it back to the store that made it: to settle it or to refund it. */
export interface LimitReservation extends LimitState {
  /** Tells it from a refusal. */
  readonly granted: true;
}

/** What was asked for is not granted, and nothing of it counts. */
export interface LimitRefusal extends LimitState {
  /** Tells it from a reservation. */
  readonly granted: false;
  /**
   * Milliseconds until the same would be granted, if nothing else comes; `Infinity` if never, since it is more than
   * the whole limit.
   */
  readonly retryAfter: number;
}

/** What a {@linkcode LimitStore} decides. */
export type LimitDecision = LimitReservation | LimitRefusal;

/**
 * Counts requests and tokens over the last 60 seconds, for any number of subjects (such as API keys).
 *
 * What a request will use is reserved before it runs, all of it or nothing, and settled when it is known. In any 60
 * seconds no more is granted than the limit. Each reservation is settled or refunded once; what comes after that does
 * nothing. One that is neither counts as it was reserved.
 */
export interface LimitStore {
  /**
   * Reserves what a request will use, as far as is known.
   *
   * @param subject Whose limits they are.
   * @param amounts What the request will use.
   * @param limits What is allowed.
   * @returns Whether it may run. Rejects if the store cannot decide.
   */
  reserve(subject: string, amounts: LimitAmounts, limits: Limits): LimitDecision | Promise<LimitDecision>;
  /**
   * Corrects a reservation to what was really used. What was reserved too much is free again; what was used beyond it
   * counts against those that follow.
   *
   * @param reservation What was granted.
   * @param actualTokens Tokens that were really used, prompt and answer together.
   */
  settle(reservation: LimitReservation, actualTokens: number): void | Promise<void>;
  /**
   * Gives a whole reservation back, the request too, as if it had never been.
   *
   * @param reservation What was granted.
   */
  refund(reservation: LimitReservation): void | Promise<void>;
}

/** Over how long is counted, in milliseconds. */
export const LIMIT_WINDOW = 60_000;

/** Which limit an amount exceeds by itself, so that it can never be granted; a limit that is no number allows nothing. */
export function exceededAlone(amounts: LimitAmounts, limits: Limits): "requests" | "tokens" | undefined {
  const { requestsPerMinute, tokensPerMinute } = limits;
  // Written so that NaN exceeds.
  if (requestsPerMinute !== undefined && !(amounts.requests <= requestsPerMinute)) return "requests";
  if (tokensPerMinute !== undefined && !(amounts.tokens <= tokensPerMinute)) return "tokens";
  return undefined;
}

/**
 * Checks amounts.
 *
 * @throws {RangeError} If one is negative or no number.
 */
export function checkAmounts(amounts: LimitAmounts): void {
  checkAmount("requests", amounts.requests);
  checkAmount("tokens", amounts.tokens);
}

/**
 * Checks an amount.
 *
 * @throws {RangeError} If it is negative or no number.
 */
export function checkAmount(name: keyof LimitAmounts, amount: number): void {
  if (amount >= 0 && Number.isFinite(amount)) return;
  throw new RangeError(`Cannot count ${name} as their number must be at least 0: it is ${amount}`);
}
