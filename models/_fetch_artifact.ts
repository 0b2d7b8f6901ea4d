import { basename } from "@std/path";
import { getRegistryUri, getTrackingStore } from "../tracking/mod.ts";
import { openModelRegistry, resolveModelUri } from "../registry/mod.ts";

/**
 * Brings an artifact that a URI of a store names to this machine: a model, or a file or folder of a run.
 *
 * @param uri `models:/…`, `runs:/ID/PATH`, or `mlflow-artifacts:/…`.
 * @param destination The file or folder that it becomes.
 */
export async function fetchArtifact(uri: string, destination: string): Promise<void> {
  const store = getTrackingStore();
  const [, runId, path] = /^runs:\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  if (runId !== undefined && path !== undefined) {
    const { info } = await store.getRun(runId);
    return await store.artifacts(info.artifactUri).download(path, destination);
  }
  if (uri.startsWith("models:")) {
    await using registry = openModelRegistry(getRegistryUri());
    const { artifactUri } = await resolveModelUri(uri, { store, registry });
    return await store.artifacts(artifactUri).download("", destination);
  }
  const name = basename(uri);
  await store.artifacts(uri.slice(0, -name.length - 1)).download(name, destination);
}
