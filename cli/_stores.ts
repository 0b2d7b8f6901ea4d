import {
  closeTracking,
  getRegistryUri,
  getTrackingStore,
  getTrackingUri,
  setTrackingUri,
  type TrackingStore,
} from "../tracking/mod.ts";
import { type ModelRegistry, openModelRegistry } from "../registry/mod.ts";
import type { CommandInput } from "./command.ts";
import { tell } from "./_output.ts";

/** Where runs and models are kept. */
export interface Stores {
  readonly store: TrackingStore;
  readonly registry: ModelRegistry;
}

/** Milliseconds after which someone who waits for a server is told so. */
const PATIENCE = 4_000;

/**
 * Does something with the stores that the flags and the environment name, and closes them. Each is opened when it is
 * asked for: a command that needs none must not make a database.
 */
export async function withStores<T>(input: CommandInput, action: (stores: Stores) => Promise<T>): Promise<T> {
  setTrackingUri(input.text("tracking-uri") ?? "");
  let registry: ModelRegistry | undefined;
  const waiting = setTimeout(() => {
    const uri = getTrackingUri();
    if (!/^https?:/.test(uri)) return;
    // Without what may be a password.
    const { host } = new URL(uri);
    tell(`Waiting for ${host}: what fails is tried again, up to MLFLOW_HTTP_REQUEST_MAX_RETRIES times (default 7)`);
  }, PATIENCE);
  try {
    return await action({
      get store() {
        return getTrackingStore();
      },
      get registry() {
        return registry ??= openModelRegistry(getRegistryUri());
      },
    });
  } finally {
    clearTimeout(waiting);
    await registry?.[Symbol.asyncDispose]();
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
