import {
  closeTracking,
  getRegistryUri,
  getTrackingStore,
  setTrackingUri,
  type TrackingStore,
} from "../tracking/mod.ts";
import { type ModelRegistry, openModelRegistry } from "../registry/mod.ts";
import type { CommandInput } from "./command.ts";

/** Where runs and models are kept. */
export interface Stores {
  readonly store: TrackingStore;
  readonly registry: ModelRegistry;
}

/** Does something with the stores that the flags and the environment name, and closes them. */
export async function withStores<T>(input: CommandInput, action: (stores: Stores) => Promise<T>): Promise<T> {
  setTrackingUri(input.text("tracking-uri") ?? "");
  try {
    await using registry = openModelRegistry(getRegistryUri());
    return await action({ store: getTrackingStore(), registry });
  } finally {
    await closeTracking();
  }
}

/** All items of a list that comes in pages. */
export async function allPages<Item>(
  page: (
    pageToken: string | undefined,
  ) => Promise<{ readonly items: readonly Item[]; readonly nextPageToken?: string }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let token: string | undefined;
  do {
    const { items: more, nextPageToken } = await page(token);
    items.push(...more);
    token = nextPageToken;
  } while (token !== undefined);
  return items;
}
