import { readDecidingVariable } from "../_environment.ts";
import { defaultTrackingUri, openTrackingStore } from "../open_store.ts";
import type { TrackingStore } from "../tracking_store.ts";

let trackingUri: string | undefined;
let registryUri: string | undefined;
/** Open stores by their URI. */
const stores = new Map<string, TrackingStore>();

/**
 * Says where runs that are started from now on go. Runs that are active already stay where they are.
 *
 * @param uri `sqlite:///mlflow.db`, or the address of an MLflow tracking server. Empty: as if this had never been
 *   called.
 */
export function setTrackingUri(uri: string): void {
  trackingUri = uri === "" ? undefined : uri;
}

/**
 * Where runs go: what {@linkcode setTrackingUri} said, else `MLFLOW_TRACKING_URI`, else `sqlite:///mlflow.db`.
 *
 * @returns The URI.
 * @throws {TrackingError} If no one has decided whether the environment may be read (`PERMISSION_DENIED`).
 */
export function getTrackingUri(): string {
  return trackingUri ?? defaultTrackingUri();
}

/**
 * Says where registered models are kept from now on.
 *
 * @param uri As for {@linkcode setTrackingUri}. Empty: as if this had never been called.
 */
export function setRegistryUri(uri: string): void {
  registryUri = uri === "" ? undefined : uri;
}

/**
 * Where registered models are kept: what {@linkcode setRegistryUri} said, else `MLFLOW_REGISTRY_URI`, else where runs
 * go.
 *
 * @returns The URI.
 * @throws {TrackingError} If no one has decided whether the environment may be read (`PERMISSION_DENIED`).
 */
export function getRegistryUri(): string {
  return registryUri ?? readDecidingVariable("MLFLOW_REGISTRY_URI", "call setRegistryUri()") ?? getTrackingUri();
}

/**
 * The store that runs go to, opened when it is first needed and shared by all functions here.
 *
 * @returns The store. It is not the caller's to dispose of: {@linkcode closeTracking} does.
 * @throws {TrackingError} If there is no store for the URI, or if it cannot be opened.
 */
export function getTrackingStore(): TrackingStore {
  return storeAt(getTrackingUri());
}

/**
 * The shared store of a URI.
 *
 * @param uri The URI.
 * @returns The store.
 */
export function storeAt(uri: string): TrackingStore {
  let store = stores.get(uri);
  if (store === undefined) stores.set(uri, store = openTrackingStore(uri));
  return store;
}

/** Closes all shared stores; they open again when they are needed. */
export async function closeStores(): Promise<void> {
  const open = [...stores.values()];
  stores.clear();
  await Promise.all(open.map((store) => store[Symbol.asyncDispose]()));
}
