import type { Tags, TrackingStore } from "../tracking/mod.ts";
import { TrackingError } from "../tracking/mod.ts";
import type { ModelVersion } from "./entities.ts";
import type { ModelRegistry } from "./model_registry.ts";
import { checkName } from "./names.ts";
import { checkTags } from "./_rules.ts";
import { findSource } from "./_version_source.ts";
import { VERSIONS_TAG, withVersion } from "./_version_notes.ts";

/** Options for {@linkcode registerModel}. */
export interface RegisterModelOptions {
  /** Where the model was logged. */
  readonly store: TrackingStore;
  /** Where it is to be registered. */
  readonly registry: ModelRegistry;
  /** What is special about this version. */
  readonly description?: string;
  /** Tags of the version. */
  readonly tags?: Tags;
  /** Gives up, unless the version is being made by then; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/**
 * Registers a logged model as the next version of a name, which is made if there is none yet. If it fails, a name that
 * was made for it is removed again.
 *
 * @param modelUri The model: `models:/m-…`, `runs:/id/path`, or any other form that `resolveModelUri` knows. A folder
 * must hold an `MLmodel`; it is noted by its absolute path, and is not copied.
 * @param name Name of the registered model.
 * @param options Where, and what to note.
 * @returns The version.
 * @throws {TrackingError} If there is no such model, or if the name is not allowed.
 */
export async function registerModel(
  modelUri: string,
  name: string,
  options: RegisterModelOptions,
): Promise<ModelVersion> {
  const { store, registry, description, tags, signal } = options;
  signal?.throwIfAborted();
  const action = `register model "${modelUri}"`;
  checkName(action, name);
  checkTags(action, tags ?? {});
  // First, so that a model that is not there leaves no empty name behind.
  const { modelId, runId, artifactUri } = await findSource(action, modelUri, { store, registry });
  signal?.throwIfAborted();
  const isNew = await createIfMissing(registry, name);
  const isApart = registry.uri !== store.uri;
  let version: ModelVersion;
  try {
    signal?.throwIfAborted();
    version = await registry.createModelVersion({
      name,
      source: modelId === undefined ? artifactUri : `models:/${modelId}`,
      ...(modelId !== undefined && { modelId, ...(isApart && { location: artifactUri }) }),
      ...(runId !== undefined && { runId }),
      ...(description !== undefined && { description }),
      ...(tags !== undefined && { tags }),
    });
  } catch (error) {
    // What was refused tells more than that the name could not be removed, which is seen in the registry.
    if (isNew) await removeIfEmpty(registry, name).catch(() => {});
    throw error;
  }
  // A registry notes versions on the models of its own place only.
  if (modelId !== undefined && isApart) await noteOnLoggedModel(store, modelId, version);
  return version;
}

async function noteOnLoggedModel(store: TrackingStore, modelId: string, of: ModelVersion): Promise<void> {
  try {
    const { tags } = await store.getLoggedModel(modelId);
    const known = Object.hasOwn(tags, VERSIONS_TAG) ? tags[VERSIONS_TAG] : undefined;
    await store.setLoggedModelTags(modelId, { [VERSIONS_TAG]: withVersion(known, of.name, Number(of.version)) });
  } catch (error) {
    // Versions outlive the logged model that they were made of, and can be registered again.
    if (!(error instanceof TrackingError) || error.errorCode !== "RESOURCE_DOES_NOT_EXIST") throw error;
  }
}

/** Gives whether the name was made now. */
async function createIfMissing(registry: ModelRegistry, name: string): Promise<boolean> {
  try {
    await registry.createRegisteredModel(name);
    return true;
  } catch (error) {
    if (!(error instanceof TrackingError) || error.errorCode !== "RESOURCE_ALREADY_EXISTS") throw error;
    return false;
  }
}

/** Another may have registered a version of the name meanwhile. */
async function removeIfEmpty(registry: ModelRegistry, name: string): Promise<void> {
  const { latestVersions } = await registry.getRegisteredModel(name);
  if (latestVersions.length === 0) await registry.deleteRegisteredModel(name);
}
