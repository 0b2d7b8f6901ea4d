import * as v from "valibot";
import type { ModelVersion, RegisteredModel } from "./entities.ts";
import { STAGES } from "./_rules.ts";

const text = v.nullish(v.string());
/** MLflow writes int64 as numbers or as text. */
const time = v.nullish(v.pipe(v.union([v.number(), v.string()]), v.transform(Number)));
const versionId = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const pairs = v.nullish(v.array(v.object({ key: v.string(), value: text })));

/** A version as MLflow's API shows it. */
export const versionSchema = v.object({
  name: v.string(),
  version: versionId,
  creation_timestamp: time,
  last_updated_timestamp: time,
  description: text,
  user_id: text,
  current_stage: text,
  source: text,
  run_id: text,
  model_id: text,
  status: text,
  tags: pairs,
  aliases: v.nullish(v.array(v.string())),
});

/** A registered model as MLflow's API shows it. */
export const wireModel = v.object({
  name: v.string(),
  creation_timestamp: time,
  last_updated_timestamp: time,
  description: text,
  tags: pairs,
  aliases: v.nullish(v.array(v.object({ alias: v.string(), version: versionId }))),
  latest_versions: v.nullish(v.array(versionSchema)),
});

/** A registered model of the API's. */
export function toRegisteredModel(model: v.InferOutput<typeof wireModel>): RegisteredModel {
  return {
    name: model.name,
    creationTimestamp: model.creation_timestamp ?? 0,
    lastUpdatedTimestamp: model.last_updated_timestamp ?? 0,
    description: model.description ?? "",
    tags: toTags(model.tags),
    aliases: Object.fromEntries((model.aliases ?? []).map(({ alias, version }) => [alias, version])),
    latestVersions: (model.latest_versions ?? []).map(toModelVersion),
  };
}

/** A version of the API's. */
export function toModelVersion(version: v.InferOutput<typeof versionSchema>): ModelVersion {
  const source = version.source ?? "";
  const modelId = version.model_id || /^models:\/(m-[^/@]+)$/.exec(source)?.[1];
  const { status } = version;
  return {
    name: version.name,
    version: version.version,
    creationTimestamp: version.creation_timestamp ?? 0,
    lastUpdatedTimestamp: version.last_updated_timestamp ?? 0,
    description: version.description ?? "",
    userId: version.user_id ?? "",
    currentStage: STAGES.find((stage) => stage === version.current_stage) ?? "None",
    source,
    ...(version.run_id && { runId: version.run_id }),
    ...(modelId && { modelId }),
    status: status === "PENDING_REGISTRATION" || status === "FAILED_REGISTRATION" ? status : "READY",
    tags: toTags(version.tags),
    aliases: version.aliases ?? [],
  };
}

function toTags(tags: v.InferOutput<typeof pairs>): { readonly [key: string]: string } {
  return Object.fromEntries((tags ?? []).map(({ key, value }) => [key, value ?? ""]));
}
