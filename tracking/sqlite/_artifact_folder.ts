import { isAbsolute, join } from "@std/path";
import { invalid } from "../limits.ts";
import { TrackingError } from "../errors.ts";

/**
 * The folder of this machine that an artifact URI of the embedded store names.
 *
 * `mlflow-artifacts:` is what a tracking server that runs on the same database writes: it keeps those files in
 * `mlartifacts` beside the database, unless it was told otherwise.
 *
 * @param uri A path, or a `file:` or `mlflow-artifacts:` URI.
 * @param folder Folder of the database.
 * @returns A path or a `file:` URI.
 * @throws {TrackingError} If it names no folder that can be found here.
 */
export function artifactFolder(uri: string, folder: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase();
  const action = `open artifacts "${uri}"`;
  if (scheme === "mlflow-artifacts") return folderOfServer(action, uri, join(folder, "mlartifacts"));
  if (scheme === "file") return uri;
  if (scheme !== undefined) {
    throw invalid(action, `the embedded store reads folders only, not "${scheme}:". Use an MLflow tracking server`);
  }
  // Relative to what, no one wrote down: MLflow writes such ones relative to where it was started.
  return isAbsolute(uri) ? uri : join(folder, uri);
}

function folderOfServer(action: string, uri: string, root: string): string {
  const path = /^[^:]+:(?:\/{3}|\/(?!\/))(.*)$/s.exec(uri)?.[1];
  if (path === undefined) throw onServerOnly(action, "it names another machine");
  const parts = path.split("/").filter((part) => part !== "").map(decode);
  if (parts.some((part) => part === undefined || part === "." || part === ".." || /[/\\\0]/.test(part))) {
    throw invalid(action, "it leads out of the server's folder");
  }
  try {
    if (Deno.statSync(root).isDirectory) return join(root, ...parts.filter((part) => part !== undefined));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new TrackingError(
        "PERMISSION_DENIED",
        `Cannot ${action}: the permission to read "${root}" was not granted. Run with --allow-read for it`,
        { cause: error },
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw onServerOnly(action, `there is no folder "${root}"`);
}

function onServerOnly(action: string, reason: string): TrackingError {
  return new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot ${action}: it was written by an MLflow tracking server, and ${reason}. ` +
      "Set the tracking URI to that server's http(s) address",
  );
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
