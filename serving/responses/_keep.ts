/** Keeping responses. */
import type { ResponseStore } from "../response_store.ts";
import { toStoredItems } from "./_context.ts";
import type { Item } from "./_item_schema.ts";
import type { ResponseRequest } from "./_parse_request.ts";
import type { ResponseObject } from "./_wire.ts";

/**
 * Keeps a response that has ended, unless the client does not want it kept.
 *
 * All that it was asked with is kept with it, so that it can be gone on from when those before it are kept no more.
 */
export function keepResponse(
  body: ResponseObject,
  request: ResponseRequest,
  items: readonly Item[],
  store: ResponseStore,
): void | Promise<void> {
  if (request.store === false) return;
  const { id, created_at: created, model } = body;
  const { metadata = {} } = request;
  return store.set({ id, object: "response", created, model, metadata, body, input: toStoredItems(items, id) });
}
