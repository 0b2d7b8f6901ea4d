import { activeRun, getRegistryUri, getTrackingStore, TrackingError, type TrackingStore } from "../tracking/mod.ts";
import { openModelRegistry, resolveModelUri } from "../registry/mod.ts";

/**
 * Brings an artifact that a URI of a store names to this machine: a model, or a file or folder of a run.
 *
 * @param uri `models:/…`, `runs:/ID/PATH`, or `mlflow-artifacts:/…`.
 * @param destination The file or folder that it becomes.
 * @param signal Gives up.
 */
export async function fetchArtifact(uri: string, destination: string, signal?: AbortSignal): Promise<void> {
  const store = activeRun()?.store ?? getTrackingStore();
  const options = signal === undefined ? {} : { signal };
  const [, runId, path] = /^runs:\/([^/]+)\/(.+?)\/*$/.exec(uri) ?? [];
  if (runId !== undefined && path !== undefined) {
    const { info } = await store.getRun(runId);
    try {
      return await store.artifacts(info.artifactUri).download(path, destination, options);
    } catch (error) {
      if (!(error instanceof TrackingError) || error.errorCode !== "RESOURCE_DOES_NOT_EXIST") throw error;
      // It may be a model that was logged in the run, whose files lie elsewhere.
      return await fetchModelFiles(store, { uri, destination, otherwise: error, options });
    }
  }
  if (uri.startsWith("models:")) return await fetchModelFiles(store, { uri, destination, options });
  const [, folder = uri, name = ""] = /^(.*)\/([^/]+)\/*$/s.exec(uri) ?? [];
  await store.artifacts(folder).download(name, destination, options);
}

interface ModelToFetch {
  readonly uri: string;
  readonly destination: string;
  /** What to throw if there is no such model. */
  readonly otherwise?: TrackingError;
  readonly options: { readonly signal?: AbortSignal };
}

async function fetchModelFiles(
  store: TrackingStore,
  { uri, destination, otherwise, options }: ModelToFetch,
): Promise<void> {
  await using registry = openModelRegistry(getRegistryUri());
  let artifactUri: string;
  try {
    ({ artifactUri } = await resolveModelUri(uri, { store, registry }));
  } catch (error) {
    throw otherwise ?? error;
  }
  await store.artifacts(artifactUri).download("", destination, options);
}
