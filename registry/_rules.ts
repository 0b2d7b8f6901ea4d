import { type Tags, TrackingError } from "../tracking/mod.ts";
import { checkKey, checkLength } from "../tracking/limits.ts";
import type { ModelStage } from "./entities.ts";

/** Stages, the names that MLflow has for them. */
export const STAGES: readonly ModelStage[] = ["None", "Staging", "Production", "Archived"];

/** Characters of the values of tags, of models and of versions. */
const TAG_VALUE_LIMIT = 100_000;

/** The number of a version. */
export function checkVersion(action: string, version: string | number): number {
  if (/^\d{1,9}$/.test(String(version))) return Number(version);
  throw invalid(action, `the version "${version}" is no whole number`);
}

/** The stage of a name, in whatever case. */
export function checkStage(action: string, stage: string): ModelStage {
  const found = STAGES.find((known) => known.toLowerCase() === stage.toLowerCase());
  if (found !== undefined) return found;
  throw invalid(action, `there is no stage "${stage}": there are ${STAGES.join(", ")}`);
}

/** Refuses tags that MLflow would not take. */
export function checkTags(action: string, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    checkKey(action, "tag", key);
    checkLength(action, `the value of tag "${key}"`, { text: value, limit: TAG_VALUE_LIMIT });
  }
}

/** The error for a value that cannot be taken. */
export function invalid(action: string, fault: string): TrackingError {
  return new TrackingError("INVALID_PARAMETER_VALUE", `Cannot ${action}: ${fault}`);
}

/** The error for a thing that is not there. */
export function missing(action: string, what: string, hint: string): TrackingError {
  return new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: there is no ${what}${hint}`);
}
