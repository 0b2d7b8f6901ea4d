import { sleep } from "../../_sleep.ts";
import type { ChatModelError } from "../../types/mod.ts";
import type { CallLimit } from "./call_limit.ts";
import { isConnectionLoss } from "./fetch_failure.ts";
import { retryDelay } from "./retry.ts";

/** Why there is no good answer, and whether another try may bring one. */
export interface Failure {
  readonly error: ChatModelError;
  readonly mayRetry: boolean;
  /** Milliseconds that the server asks to wait for. */
  readonly retryAfter?: number | undefined;
}

/** A request, of which only the headers may still be added to. */
export interface FetchInit extends RequestInit {
  headers: Readonly<Record<string, string>>;
  client?: Deno.HttpClient;
}

/** What the request is limited by, who is told of it, and how failures are told. */
export interface FetchOptions {
  /** Limits of the call, whose observer is told. Its signal is in the `init` as well. */
  readonly limit: CallLimit;
  /** Whose API it is, for the observer. */
  readonly provider: string;
  /** @default {2} */
  readonly retries: number | undefined;
  /** Default: the global one. */
  readonly fetch: typeof fetch | undefined;
  /** Reads an answer with a status that is no success. */
  readonly readFailure: (response: Response) => Promise<Failure>;
  /** The error of what `fetch` threw. */
  readonly errorOf: (error: unknown) => ChatModelError;
}

/**
 * Sends a request until there is a good answer, of which the body is still to be read.
 *
 * @param url Where to.
 * @param init The request. The observer's headers are put into it.
 * @param options What it is limited by, and how failures are told.
 * @returns The answer.
 */
export async function fetchUntilGood(
  url: string,
  init: FetchInit,
  { limit, provider, retries = 2, fetch: call = fetch, readFailure, errorOf }: FetchOptions,
): Promise<Response> {
  const { signal } = limit;
  const observed = limit.observe({ provider, method: init.method ?? "GET", url });
  if (observed !== undefined) init.headers = { ...init.headers, ...observed.headers };
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    let failed: Failure;
    try {
      const response = await (observed === undefined ? call(url, init) : observed.run(() => call(url, init)));
      if (response.ok) {
        observed?.answered(response.status, attempt);
        return response;
      }
      failed = await readFailure(response);
    } catch (error) {
      signal?.throwIfAborted();
      failed = { error: errorOf(error), mayRetry: isConnectionLoss(error) };
    }
    const delay = failed.mayRetry && attempt < retries ? retryDelay(attempt, failed.retryAfter) : undefined;
    if (delay === undefined) throw failed.error;
    await sleep(delay, signal);
  }
}
