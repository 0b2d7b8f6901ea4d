import { resolve } from "@std/path";
import { TrackingError } from "../errors.ts";

/**
 * The file that a `sqlite:` URI names.
 *
 * @param uri `sqlite:///relative.db`, `sqlite:////absolute.db` or `sqlite:///C:/absolute.db`, as SQLAlchemy reads it.
 * @returns The absolute path.
 * @throws {TrackingError} If the URI names no file.
 */
export function sqlitePath(uri: string): string {
  const rest = /^sqlite:\/\/(.*)$/s.exec(uri)?.[1];
  if (rest === undefined) throw refusal(uri, "it does not begin with sqlite://");
  const path = rest.startsWith("/") ? rest.slice(1) : undefined;
  if (rest === "" || path === "" || path === ":memory:") {
    throw refusal(uri, "it names no file, and a database in memory would be lost with the process");
  }
  if (path === undefined) throw refusal(uri, "a host cannot be named: three slashes are needed before the path");
  if (/^file:|\?/.test(path)) throw refusal(uri, "options of SQLite cannot be given in it");
  // deno-lint-ignore no-control-regex -- such a path is a mistake, and would hide in messages
  if (/[\0-\x1f]/.test(path)) throw refusal(uri, "it has control characters");
  return resolve(path);
}

function refusal(uri: string, reason: string): TrackingError {
  return new TrackingError(
    "INVALID_PARAMETER_VALUE",
    `Cannot open tracking store "${uri}": ${reason}. Write sqlite:///mlflow.db, or sqlite:////folder/mlflow.db for an absolute path`,
  );
}
