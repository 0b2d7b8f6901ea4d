import { TrackingError } from "../tracking/mod.ts";
import type { ModelStage } from "./entities.ts";

/** Stages, the names that MLflow has for them. */
export const STAGES: readonly ModelStage[] = ["None", "Staging", "Production", "Archived"];

/** Refuses a name that URIs could not hold. */
export function checkName(action: string, name: string): void {
  if (name.trim() === "") throw invalid(action, "the name is empty");
  const [found] = /[/:]/.exec(name) ?? [];
  if (found !== undefined) throw invalid(action, `the name "${name}" holds "${found}", which URIs of models need`);
  if (name.length > 256) throw invalid(action, `the name has ${name.length} characters, but may have 256`);
}

/** Refuses an alias that is something else in a URI. */
export function checkAlias(action: string, alias: string): void {
  if (!/^[\w-]{1,255}$/.test(alias)) {
    throw invalid(action, `the alias "${alias}" must be 1 to 255 letters, digits, "_" or "-"`);
  }
  if (/^(?:latest|v\d+)$/i.test(alias)) {
    throw invalid(action, `the alias "${alias}" is reserved: "latest" and "v" with a number mean versions`);
  }
}

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

/** Refuses a tag that is too long for MLflow. */
export function checkTag(action: string, key: string, value: string, limit: number): void {
  if (key === "" || key.length > 250) throw invalid(action, `the key of a tag must have 1 to 250 characters`);
  if (value.length > limit) {
    throw invalid(action, `the value of tag "${key}" has ${value.length} characters, but may have ${limit}`);
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
