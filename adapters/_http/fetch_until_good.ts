import { sleep } from "../../_sleep.ts";
import type { ChatModelError } from "../../types/mod.ts";
import { isConnectionLoss } from "./fetch_failure.ts";
import { retryDelay } from "./retry.ts";

/** Why there is no good answer, and whether another try may bring one. */
export interface Failure {
  readonly error: ChatModelError;
  readonly mayRetry: boolean;
  /** Milliseconds that the server asks to wait for. */
  readonly retryAfter?: number | undefined;
}

/** What is fetched, and how failures are told. */
export interface FetchOptions {
  /** @default {2} */
  readonly retries: number | undefined;
  /** Default: the global one. */
  readonly fetch: typeof fetch | undefined;
  /** The call's signal, which is in its `init` as well. */
  readonly signal: AbortSignal | undefined;
  /** Reads an answer with a status that is no success. */
  readonly readFailure: (response: Response) => Promise<Failure>;
  /** The error of what `fetch` threw. */
  readonly errorOf: (error: unknown) => ChatModelError;
}

/**
 * Sends a request until there is a good answer, of which the body is still to be read.
 *
 * @param url Where to.
 * @param init The request.
 * @param options How failures are told.
 * @returns The answer.
 */
export async function fetchUntilGood(
  url: string,
  init: RequestInit & { client?: Deno.HttpClient },
  { retries = 2, fetch: call = fetch, signal, readFailure, errorOf }: FetchOptions,
): Promise<Response> {
  for (let attempt = 0;; attempt++) {
    signal?.throwIfAborted();
    let failed: Failure;
    try {
      const response = await call(url, init);
      if (response.ok) return response;
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
