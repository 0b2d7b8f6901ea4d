const BASE_DELAY = 250;
const MAX_DELAY = 4_000;
/** The longest wait that a server may ask for. */
const MAX_RETRY_AFTER = 10_000;
/** By how much of what a server asks for the wait may be longer. */
const LATER = 0.25;

/**
 * How long to wait before another try: doubling, or what the server asks for; jittered, so that many callers do not come
 * back at once, but never earlier than was asked for.
 *
 * @param attempt How many tries there were before the one that failed.
 * @param retryAfter Milliseconds that the server asks for.
 * @returns Milliseconds; `undefined` if the server wants more patience than there is.
 */
export function retryDelay(attempt: number, retryAfter: number | undefined): number | undefined {
  if (retryAfter !== undefined) {
    return retryAfter <= MAX_RETRY_AFTER ? retryAfter * (1 + LATER * Math.random()) : undefined;
  }
  return Math.min(MAX_DELAY, BASE_DELAY * 2 ** attempt) * (0.5 + Math.random() / 2);
}

/** Reads `Retry-After`: seconds or a date; in milliseconds from now. */
export function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const milliseconds = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
