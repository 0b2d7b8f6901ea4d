import type { Limits, LimitState } from "./_limit_store.ts";

/** A header of an answer. */
export type LimitHeader = [name: string, value: string];

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

/** The headers that tell how a subject stands; none for a limit that there is not, or of which nothing is known. */
export function limitHeaders(limits: Limits, state: LimitState): LimitHeader[] {
  const headers: LimitHeader[] = [];
  push(headers, "requests", limits.requestsPerMinute, state.usedRequests, state.resetRequests);
  push(headers, "tokens", limits.tokensPerMinute, state.usedTokens, state.resetTokens);
  return headers;
}

function push(
  headers: LimitHeader[],
  kind: string,
  limit: number | undefined,
  used: number | undefined,
  reset: number | undefined,
): void {
  if (limit === undefined || used === undefined || reset === undefined) return;
  headers.push(
    [`x-ratelimit-limit-${kind}`, String(limit)],
    [`x-ratelimit-remaining-${kind}`, String(Math.max(0, Math.floor(limit - used)))],
    [`x-ratelimit-reset-${kind}`, formatDuration(reset)],
  );
}
