import { fromFileUrl, join } from "@std/path";
import { openModelRegistry, type ResolvedModel, resolveModelUri } from "../registry/mod.ts";
import {
  activeRun,
  type ArtifactRepository,
  getRegistryUri,
  getTrackingStore,
  type TrackingStore,
  type TransferOptions,
} from "../tracking/mod.ts";
import { ChatModelError } from "../types/mod.ts";
import { fetchModel } from "./_cache.ts";
import { MLMODEL } from "./mlmodel_file.ts";

/** Endings of files that are models themselves. */
const CODE = /\.(?:ts|mts|js|mjs|tsx|jsx)$/i;

/** Tag of a logged model that failed: why. */
export const FAILURE_TAG = "chatmodel.failure";

/** Where a model is. */
export type LocatedModel =
  /** A file of code, which was not saved. */
  | { readonly kind: "file"; readonly path: string }
  /** A folder of this machine that `saveModel` wrote. */
  | {
    readonly kind: "folder";
    readonly path: string;
    readonly name?: string;
    /** Version that it is registered as. */
    readonly version?: string;
    /** Id of the logged model. */
    readonly modelId?: string;
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
  return await withRepository(uri, async (repository, { name, version, modelId }) => {
    const { signal, onProgress } = options;
    if (repository.localPath !== undefined) await checkWritten(repository.localPath, uri);
    const fetched = await fetchModel(repository, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
    return {
      kind: "folder",
      ...fetched,
      ...(name !== undefined && { name }),
      ...(version !== undefined && { version }),
      ...(modelId !== undefined && { modelId }),
    };
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
  try {
    return await action(store.artifacts(resolved.artifactUri), resolved);
  } catch (error) {
    const isMissing = ChatModelError.isInstance(error) && error.status === 404;
    if (isMissing && resolved.modelId !== undefined) await checkReady(store, resolved.modelId, { uri, cause: error });
    throw error;
  }
}

async function checkWritten(folder: string, uri: string): Promise<void> {
  try {
    await Deno.stat(join(folder, MLMODEL));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw notLoaded(uri, `it has no file "${MLMODEL}". Name one that logModel() logged`, cause);
  }
}

/** Says why a logged model has no files, if its log has not come to its end. */
async function checkReady(
  store: TrackingStore,
  modelId: string,
  { uri, cause }: { readonly uri: string; readonly cause: unknown },
): Promise<void> {
  const model = await store.getLoggedModel(modelId).catch(() => undefined);
  if (model?.status === "PENDING") {
    throw notLoaded(
      uri,
      'its status is "PENDING": it is being logged now, or was when its process ended. Log it anew',
      cause,
    );
  }
  if (model?.status !== "FAILED") return;
  const reason = model.tags[FAILURE_TAG];
  throw notLoaded(uri, `its status is "FAILED"${reason === undefined ? "" : ` (${reason})`}. Log it anew`, cause);
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
    code: "model_not_found",
    ...(cause !== undefined && { cause }),
  });
}
