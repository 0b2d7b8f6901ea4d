import { readDecidingVariable } from "./_environment.ts";
import { TrackingError } from "./errors.ts";
import { RestStore } from "./rest/rest_store.ts";
import { SqliteStore } from "./sqlite/sqlite_store.ts";
import type { TrackingStore } from "./tracking_store.ts";

/** Where MLflow keeps everything unless told otherwise: a database in the working directory. */
const DEFAULT_URI = "sqlite:///mlflow.db";

/** Databases that only a server can speak to. */
const DATABASES: readonly string[] = ["postgresql", "postgres", "mysql", "mssql"];

/**
 * The URI of the store to use where the program names none: `MLFLOW_TRACKING_URI`, else `sqlite:///mlflow.db`, as
 * MLflow itself does.
 *
 * Never prompts for permission. Where nothing has been decided about reading the variable, this throws rather than
 * write to another place than the one it names; with `--deny-env` the default is taken.
 *
 * @returns The URI.
 * @throws {TrackingError} If no one has decided whether the variable may be read (`PERMISSION_DENIED`).
 */
export function defaultTrackingUri(): string {
  return readDecidingVariable("MLFLOW_TRACKING_URI", "name the tracking URI in the program") ?? DEFAULT_URI;
}

/**
 * Opens the store of a URI: `sqlite:///folder/mlflow.db` (relative), `sqlite:////folder/mlflow.db` (absolute), or the
 * `http:` or `https:` address of an MLflow tracking server.
 *
 * @example A database of its own
 * ```ts
 * import { openTrackingStore } from "@chatmodel/chat-model/tracking";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   await using store = openTrackingStore(`sqlite:///${folder}/mlflow.db`);
 *   const experimentId = await store.createExperiment({ name: "greetings" });
 *   assertEquals((await store.getExperimentByName("greetings"))?.experimentId, experimentId);
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param uri The URI. Default: `MLFLOW_TRACKING_URI`, else `sqlite:///mlflow.db`.
 * @returns The store, which the caller disposes of.
 * @throws {TrackingError} If there is no store for such a URI (`INVALID_PARAMETER_VALUE`), if it cannot be opened, or
 *   if the environment may not be read (`PERMISSION_DENIED`).
 */
export function openTrackingStore(uri: string = defaultTrackingUri()): TrackingStore {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === "sqlite") return SqliteStore.open(uri);
  if (scheme === "http" || scheme === "https") return new RestStore(uri);
  throw new TrackingError("INVALID_PARAMETER_VALUE", refusal(uri, scheme), { param: "uri" });
}

/** Names no more of a URI than its scheme, as the rest may hold a password; a path is shown in full. */
function refusal(uri: string, scheme: string | undefined): string {
  if (/^databricks(?:-uc)?(?::|$)/.test(uri)) {
    return 'Cannot open tracking store "databricks": Databricks is not supported. ' +
      "Name the http(s) address of an MLflow tracking server, or sqlite:///mlflow.db";
  }
  if (scheme !== undefined && DATABASES.includes(scheme.replace(/\+.*/, ""))) {
    return `Cannot open tracking store "${scheme}:…": such a database is reached through a server. ` +
      "Start 'mlflow server --backend-store-uri …' and name its http(s) address";
  }
  if (scheme === undefined || scheme === "file") {
    return `Cannot open tracking store "${uri}": folders of files, MLflow's old store, are not supported. ` +
      "Name a database, such as sqlite:///mlflow.db; 'mlflow migrate-filestore' moves old runs into one";
  }
  return `Cannot open tracking store "${scheme}:…": no store has such URIs. ` +
    "Name a database, such as sqlite:///mlflow.db, or the http(s) address of an MLflow tracking server";
}
