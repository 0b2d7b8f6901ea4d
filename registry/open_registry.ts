import { getRegistryUri, TrackingError } from "../tracking/mod.ts";
import type { ModelRegistry } from "./model_registry.ts";
import { RestRegistry } from "./rest_registry.ts";
import { SqliteRegistry } from "./sqlite_registry.ts";

/**
 * Opens the registry of a URI: `sqlite:///folder/mlflow.db`, or the `http:` or `https:` address of an MLflow tracking
 * server.
 *
 * @param uri The URI. Default: what `setRegistryUri` said, else `MLFLOW_REGISTRY_URI`, else where runs go.
 * @returns The registry, which the caller disposes of.
 * @throws {TrackingError} If there is no registry for such a URI (`INVALID_PARAMETER_VALUE`), or it cannot be opened.
 */
export function openModelRegistry(uri: string = getRegistryUri()): ModelRegistry {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === "sqlite") return SqliteRegistry.open(uri);
  if (scheme === "http" || scheme === "https") return new RestRegistry(uri);
  throw new TrackingError(
    "INVALID_PARAMETER_VALUE",
    // No more than the scheme, as the rest may hold a password.
    `Cannot open model registry "${scheme === undefined ? uri : `${scheme}:…`}": name a database, such as ` +
      "sqlite:///mlflow.db, or the http(s) address of an MLflow tracking server",
    { param: "uri" },
  );
}
