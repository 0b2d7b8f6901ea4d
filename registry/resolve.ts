import { type LoggedModel, TrackingError, type TrackingStore } from "../tracking/mod.ts";
import type { ModelVersion } from "./entities.ts";
import type { ModelRegistry } from "./model_registry.ts";
import { type ModelUri, parseModelUri } from "./model_uri.ts";

/** Where a model's files are, and what is known of it. */
export interface ResolvedModel {
  /** Where its files are: `file:`, a path, or `mlflow-artifacts:`. */
  readonly artifactUri: string;
  /** Id of the logged model. */
  readonly modelId?: string;
  /** Run that made it. */
  readonly runId?: string;
  /** Name that it is registered under. */
  readonly name?: string;
  /** Version that it is registered as. */
  readonly version?: string;
  /** Alias that it was named by. */
  readonly alias?: string;
}

/** Where to look. */
export interface ResolveOptions {
  /** Where runs and logged models are kept. */
  readonly store: TrackingStore;
  /** Where models are registered. */
  readonly registry: ModelRegistry;
}

/**
 * Finds a model by URI.
 *
 * @param uri What `parseModelUri` takes.
 * @param options Where to look.
 * @returns Where its files are. Whether they are there is not looked at, but for those of a run.
 * @throws {TrackingError} `RESOURCE_DOES_NOT_EXIST` if there is none, with those that there are.
 */
export async function resolveModelUri(uri: string, options: ResolveOptions): Promise<ResolvedModel> {
  const parsed = parseModelUri(uri);
  const { store } = options;
  switch (parsed.kind) {
    case "artifacts":
      return { artifactUri: parsed.uri };
    case "logged":
      return await ofLoggedModel(store, parsed.modelId);
    case "run":
      return await ofRun(store, parsed);
    default: {
      const found = await ofVersion(await findVersion(parsed, options.registry), options);
      return parsed.kind === "alias" ? { ...found, alias: parsed.alias } : found;
    }
  }
}

async function ofLoggedModel(store: TrackingStore, modelId: string): Promise<ResolvedModel> {
  const { artifactLocation, sourceRunId } = await store.getLoggedModel(modelId);
  return { artifactUri: artifactLocation, modelId, ...(sourceRunId !== undefined && { runId: sourceRunId }) };
}

/** A run's artifacts at the path, else the model that was logged in it by that name, as MLflow looks for it. */
async function ofRun(
  store: TrackingStore,
  { runId, path }: Extract<ModelUri, { readonly kind: "run" }>,
): Promise<ResolvedModel> {
  const { info } = await store.getRun(runId);
  const files = await store.artifacts(info.artifactUri).list(path);
  if (files.length > 0) return { artifactUri: `${info.artifactUri.replace(/\/+$/, "")}/${path}`, runId };
  const models = await loggedModelsOf(store, info);
  const named = models.filter(({ name }) => name === path);
  // One whose log failed, or has not come to its end, does not hide an earlier good one.
  const found = named.find(({ status }) => status === "READY") ?? named[0];
  if (found !== undefined) return { artifactUri: found.artifactLocation, modelId: found.modelId, runId };
  const names = [...new Set(models.map(({ name }) => `"${name}"`))];
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot find model "runs:/${runId}/${path}": the run has no artifacts there and no such model` +
      (names.length === 0 ? "" : `. It has the models ${names.join(", ")}`),
  );
}

/** The logged models of a run, the newest first. */
async function loggedModelsOf(
  store: TrackingStore,
  { runId, experimentId }: { readonly runId: string; readonly experimentId: string },
): Promise<LoggedModel[]> {
  const models: LoggedModel[] = [];
  let pageToken: string | undefined;
  do {
    const page = await store.searchLoggedModels({
      experimentIds: [experimentId],
      filter: `source_run_id = '${runId}'`,
      maxResults: 50,
      ...(pageToken !== undefined && { pageToken }),
    });
    models.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return models;
}

async function findVersion(
  uri: Exclude<ModelUri, { readonly kind: "artifacts" | "logged" | "run" }>,
  registry: ModelRegistry,
): Promise<ModelVersion> {
  const { name } = uri;
  if (uri.kind === "version") return await registry.getModelVersion(name, uri.version);
  if (uri.kind === "alias") return await registry.getModelVersionByAlias(name, uri.alias);
  const versions = await registry.getLatestVersions(name);
  const fitting = uri.kind === "latest"
    ? versions
    : versions.filter(({ currentStage }) => currentStage.toLowerCase() === uri.stage.toLowerCase());
  const [latest] = fitting.toSorted((one, other) => Number(other.version) - Number(one.version));
  if (latest !== undefined) return latest;
  const stages = [...new Set(versions.map(({ currentStage }) => `"${currentStage}"`))];
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    versions.length === 0
      ? `Cannot find a version of model "${name}": it has none. Register one by registerModel()`
      : `Cannot find a version of model "${name}" in stage "${
        uri.kind === "stage" ? uri.stage : ""
      }": there are ones in ${stages.join(", ")}`,
  );
}

async function ofVersion(
  { name, version, source, modelId, runId }: ModelVersion,
  { store, registry }: ResolveOptions,
): Promise<ResolvedModel> {
  const about = { name, version, ...(runId !== undefined && { runId }) };
  const id = modelId ?? /^models:\/(m-[^/@]+)$/.exec(source)?.[1];
  const artifactUri = await registry.getModelVersionDownloadUri(name, version);
  if (artifactUri.startsWith("models:") || artifactUri.startsWith("runs:")) {
    // Servers without a location of their own for it hand on where it came from.
    return { ...await resolveModelUri(artifactUri, { store, registry }), ...about };
  }
  return { artifactUri, ...about, ...(id !== undefined && { modelId: id }) };
}
