import type { Limits, LimitState } from "./_limit_store.ts";

/** A header of an answer. */
export type LimitHeader = [name: string, value: string];

/** Takes headers of an answer. */
export interface HeaderTarget {
  /**
   * Adds one.
   *
   * @param name Its name, in lower case.
   * @param value Its value.
   */
  add(name: string, value: string): void;
}

/** A time as OpenAI writes it in headers: `12ms`, `1s`, `1.5s`, `6m0s`, `1h0m0s`; rounded up to a millisecond. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.ceil(milliseconds);
  if (whole <= 0) return "0s";
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = `${(whole - minutes * 60_000) / 1000}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** A wait as clients look for it in messages ("try again in 1.5s"): always seconds, rounded up to a millisecond. */
export function formatWait(milliseconds: number): string {
  return `${Math.ceil(milliseconds) / 1000}s`;
}

/** The headers that {@linkcode addLimitHeaders} adds. */
export function limitHeaders(limits: Limits, state: LimitState): LimitHeader[] {
  const headers: LimitHeader[] = [];
  addLimitHeaders({ add: (name, value) => void headers.push([name, value]) }, limits, state);
  return headers;
}

/** Adds what tells how a subject stands; nothing for a limit that there is not, or of which nothing is known. */
export function addLimitHeaders(target: HeaderTarget, limits: Limits, state: LimitState): void {
  const { requestsPerMinute, tokensPerMinute } = limits;
  const { usedRequests, usedTokens, resetRequests, resetTokens } = state;
  if (requestsPerMinute !== undefined && usedRequests !== undefined && resetRequests !== undefined) {
    target.add("x-ratelimit-limit-requests", String(requestsPerMinute));
    target.add("x-ratelimit-remaining-requests", remaining(requestsPerMinute, usedRequests));
    target.add("x-ratelimit-reset-requests", formatDuration(resetRequests));
  }
  if (tokensPerMinute !== undefined && usedTokens !== undefined && resetTokens !== undefined) {
    target.add("x-ratelimit-limit-tokens", String(tokensPerMinute));
    target.add("x-ratelimit-remaining-tokens", remaining(tokensPerMinute, usedTokens));
    target.add("x-ratelimit-reset-tokens", formatDuration(resetTokens));
  }
}

function remaining(limit: number, used: number): string {
  return String(Math.max(0, Math.floor(limit - used)));
}
