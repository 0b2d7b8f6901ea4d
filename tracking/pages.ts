import type { Page } from "./entities.ts";
import { invalid, LIMITS } from "./limits.ts";
import type { PageOptions } from "./tracking_store.ts";

/** Which part of a list is wanted, in numbers. */
export interface PageRange {
  /** How many things come before. */
  readonly offset: number;
  /** How many things are wanted at most. */
  readonly maxResults: number;
}

/**
 * Reads which part of a list is wanted. Tokens are MLflow's own, so that one from its server can be used here.
 *
 * @param action What is being done.
 * @param options What was asked for.
 * @param defaults How many things are on a page if not told, and how many there may be.
 * @returns The part.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE` if the number or the token is none.
 */
export function pageRange(
  action: string,
  options: PageOptions,
  defaults: { readonly maxResults: number; readonly limit?: number },
): PageRange {
  const { maxResults = defaults.maxResults, pageToken } = options;
  const { limit = LIMITS.pageSize } = defaults;
  if (!Number.isSafeInteger(maxResults) || maxResults < 1 || maxResults > limit) {
    throw invalid(action, `maxResults must be a whole number from 1 to ${limit}, not ${maxResults}`);
  }
  return { offset: pageToken === undefined || pageToken === "" ? 0 : offsetOf(action, pageToken), maxResults };
}

/**
 * A page, of a list that was read one longer than the page: this tells whether there is another one.
 *
 * @param items At most one more than fit on the page.
 * @param range Which part they are.
 * @returns The page.
 */
export function toPage<Item>(items: readonly Item[], { offset, maxResults }: PageRange): Page<Item> {
  if (items.length <= maxResults) return { items };
  const nextPageToken = btoa(JSON.stringify({ offset: offset + maxResults }));
  return { items: items.slice(0, maxResults), nextPageToken };
}

function offsetOf(action: string, pageToken: string): number {
  let token: unknown;
  try {
    token = JSON.parse(atob(pageToken));
  } catch {
    token = undefined;
  }
  const offset = typeof token === "object" && token !== null && "offset" in token ? token.offset : undefined;
  if (typeof offset === "number" && Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw invalid(action, "the page token is none. Hand on the nextPageToken of the page before");
}
