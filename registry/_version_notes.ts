import { TrackingError } from "../tracking/mod.ts";

/** Tag of a logged model that tells the versions made of it, by which MLflow's page links them. */
export const VERSIONS_TAG = "mlflow.modelVersions";

/**
 * Notes a version with those that are noted already: in MLflow's spelling, and no version twice.
 *
 * @param json What the tag holds, if there is one.
 * @param name Name of the registered model.
 * @param version Number of the version.
 * @returns What the tag is to hold.
 * @throws {TrackingError} `DATA_LOSS` if what it holds is no JSON.
 */
export function withVersion(json: string | undefined, name: string, version: number): string {
  const versions = [
    ...readVersions(json).filter((entry) => entry.name !== name || String(entry.version) !== String(version)),
    { name, version },
  ];
  const entries = versions.map((entry) =>
    `{"name": ${JSON.stringify(entry.name)}, "version": ${JSON.stringify(entry.version)}}`
  );
  return `[${entries.join(", ")}]`;
}

function readVersions(json: string | undefined): { readonly name: string; readonly version: unknown }[] {
  if (json === undefined) return [];
  let entries: unknown;
  try {
    entries = JSON.parse(json);
  } catch (cause) {
    throw new TrackingError("DATA_LOSS", `Cannot read tag "${VERSIONS_TAG}": it is not valid JSON`, { cause });
  }
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) =>
    typeof entry === "object" && entry !== null && "name" in entry && typeof entry.name === "string" &&
      "version" in entry
      ? [{ name: entry.name, version: entry.version }]
      : []
  );
}
