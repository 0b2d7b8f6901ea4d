/** The errors by which requests are not admitted. */
import { ChatModelError, OverloadedError } from "../../types/mod.ts";
import { formatWait, type LimitHeader, limitHeaders } from "./_format.ts";
import { exceededAlone, type LimitAmounts, type LimitRefusal, type Limits } from "./_limit_store.ts";

/** Soonest and latest time to come back, in milliseconds: the AI SDK does not obey 60 s and more. */
const RETRY_RANGE = { soonest: 100, latest: 59_000 } as const;

/** Milliseconds after which a store that failed is worth another try. */
const STORE_RETRY = 1_000;

// An error has no headers, and clients want those of a refusal as much as those of an answer.
const HEADERS = new WeakMap<object, LimitHeader[]>();

/**
 * The `x-ratelimit-…` headers that go with an error.
 *
 * @param error Any error.
 * @returns The headers; none if it is no refusal by a rate limit.
 */
export function limitHeadersOf(error: object): LimitHeader[] {
  return HEADERS.get(error) ?? [];
}

const REFUSALS = new WeakSet<object>();

/**
 * Whether an error is a refusal that an admission is there for, rather than a failure.
 *
 * @param error Any error.
 * @returns Whether it is one.
 */
export function isRefusal(error: object): boolean {
  return REFUSALS.has(error);
}

function refusal<E extends ChatModelError>(error: E): E {
  REFUSALS.add(error);
  return error;
}

/** A rate limit is used up for now, or too small for the request. */
export function rateLimited(
  key: string,
  amounts: LimitAmounts,
  limits: Limits,
  decision: LimitRefusal,
): ChatModelError {
  const alone = exceededAlone(amounts, limits);
  const error = alone === undefined ? limitReached(key, amounts, limits, decision) : new ChatModelError(
    `Request too large for key "${key}" on ${describe(alone, amounts, limits)}. ${REDUCE[alone]}`,
    { code: "request_over_limit" },
  );
  HEADERS.set(error, limitHeaders(limits, decision));
  return refusal(error);
}

const REDUCE = {
  requests: "The key allows no requests: ask who runs the server",
  tokens: "Shorten the conversation, lower max_completion_tokens or n, or ask who runs the server for a higher limit",
} as const;

/** In OpenAI's words, which clients look into. */
function limitReached(key: string, amounts: LimitAmounts, limits: Limits, refusal: LimitRefusal): ChatModelError {
  const { usedRequests, retryAfter } = refusal;
  const { requestsPerMinute = Infinity } = limits;
  const kind = (usedRequests ?? 0) + amounts.requests > requestsPerMinute ? "requests" : "tokens";
  return new ChatModelError(
    `Rate limit reached for key "${key}" on ${describe(kind, amounts, limits, refusal)}. ` +
      `Please try again in ${formatWait(retryAfter)}`,
    { code: "rate_limit_exceeded", retryAfter },
  );
}

function describe(
  kind: "requests" | "tokens",
  amounts: LimitAmounts,
  limits: Limits,
  refusal?: LimitRefusal,
): string {
  const [name, limit, used] = kind === "requests"
    ? ["requests per min (RPM)", limits.requestsPerMinute, refusal?.usedRequests]
    : ["tokens per min (TPM)", limits.tokensPerMinute, refusal?.usedTokens];
  const facts = [`Limit ${limit}`, `Requested ${amounts[kind]}`];
  if (used !== undefined) facts.splice(1, 0, `Used ${used}`);
  return `${name}: ${facts.join(", ")}`;
}

/** A key has as many requests running as it may. */
export function keyBusy(key: string, limit: number, retryAfter: number): ChatModelError {
  return new ChatModelError(
    `Rate limit reached for key "${key}" on concurrent requests: Limit ${limit}, Used ${limit}, Requested 1. ` +
      `Please try again in ${formatWait(retryAfter)}, when one of them has ended`,
    { code: "rate_limit_exceeded", retryAfter },
  );
}

/** Too many requests wait already. */
export function queueFull(model: string, running: number, waiting: number, retryAfter: number): OverloadedError {
  return refusal(
    new OverloadedError(
      `Cannot take the request: model "${model}" has ${running} running and ${waiting} waiting, as many as it may. ` +
        `Please try again in ${formatWait(retryAfter)}`,
      { retryAfter },
    ),
  );
}

/** Too many large bodies are being read. */
export function bodiesFull(retryAfter: number): OverloadedError {
  return refusal(
    new OverloadedError("Cannot read request body: too many large ones are being read. Try again in a moment", {
      retryAfter,
    }),
  );
}

/** The request waited too long. */
export function queueTimeout(model: string, limit: number, retryAfter: number): OverloadedError {
  return refusal(
    new OverloadedError(
      `Cannot run the request: model "${model}" was busy for all of the ${limit} ms that a request may wait. ` +
        `Please try again in ${formatWait(retryAfter)}`,
      { retryAfter },
    ),
  );
}

/** A store other than this package's own failed. */
export function storeFailed(cause: unknown): ChatModelError {
  if (ChatModelError.isInstance(cause)) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ChatModelError(`Cannot check the limits: the store failed: ${reason}`, {
    code: "limit_store_lost",
    retryAfter: STORE_RETRY,
    cause,
  });
}

/** When to come back, within what clients obey. */
export function retryIn(milliseconds: number): number {
  return Math.min(RETRY_RANGE.latest, Math.max(RETRY_RANGE.soonest, Math.ceil(milliseconds)));
}
