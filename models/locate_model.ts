import { fromFileUrl } from "@std/path";
import { openModelRegistry, type ResolvedModel, resolveModelUri } from "../registry/mod.ts";
import {
  activeRun,
  type ArtifactRepository,
  getRegistryUri,
  getTrackingStore,
  type TransferOptions,
} from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import { fetchModel } from "./_cache.ts";

/** Endings of files that are models themselves. */
const CODE = /\.(?:ts|mts|js|mjs|tsx|jsx)$/i;

/** Where a model is. */
export type LocatedModel =
  /** A file of code, which was not saved. */
  | { readonly kind: "file"; readonly path: string }
  /** A folder of this machine that `saveModel` wrote. */
  | {
    readonly kind: "folder";
    readonly path: string;
    readonly name?: string;
    /** Whether it is a download of before, which may have been changed since. */
    readonly isKept?: boolean;
  };

/** Whether a text names a model in a store rather than a path. */
export function isStoreUri(uri: string): boolean {
  return /^(?:models|runs|mlflow-artifacts):/.test(uri);
}

/**
 * Finds a model, and brings it to this machine if it is elsewhere.
 *
 * @param uri What `loadModel` takes.
 * @param options Cancelling and progress.
 * @returns Where it is.
 */
export async function locateModel(uri: string, options: TransferOptions = {}): Promise<LocatedModel> {
  if (!isStoreUri(uri)) return await locatePath(uri);
  return await withRepository(uri, async (repository, { name }) => {
    const { signal, onProgress } = options;
    const fetched = await fetchModel(repository, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
    return { kind: "folder", ...fetched, ...(name !== undefined && { name }) };
  });
}

/** Does something with the files of a model that is in a store. */
export async function withRepository<T>(
  uri: string,
  action: (repository: ArtifactRepository, resolved: ResolvedModel) => Promise<T>,
): Promise<T> {
  const store = activeRun()?.store ?? getTrackingStore();
  await using registry = openModelRegistry(getRegistryUri());
  const resolved = await resolveModelUri(uri, { store, registry });
  return await action(store.artifacts(resolved.artifactUri), resolved);
}

async function locatePath(uri: string): Promise<LocatedModel> {
  const path = uri.startsWith("file:") ? fromFileUrl(uri) : uri;
  let isFile: boolean;
  try {
    ({ isFile } = await Deno.stat(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw notLoaded(uri, "permission is missing. Run with --allow-read", cause);
    }
    throw notLoaded(
      uri,
      cause instanceof Deno.errors.NotFound
        ? "there is no such file or folder. Models of a store are written models:/NAME@ALIAS, models:/m-… or runs:/ID/PATH"
        : String(cause),
      cause,
    );
  }
  if (!isFile) return { kind: "folder", path };
  if (CODE.test(path)) return { kind: "file", path };
  throw notLoaded(uri, "it is no file of code. Name the .ts or .js file of a model, or the folder of a saved one");
}

function notLoaded(uri: string, why: string, cause?: unknown): ChatModelError {
  return new ChatModelError(`Cannot load model "${uri}": ${why}`, {
    status: 404,
    code: "model_not_found",
    ...(cause !== undefined && { cause }),
  });
}
