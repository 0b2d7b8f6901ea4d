import { TrackingError } from "../errors.ts";

/** What SQLite said, as an error that tells how to help. Errors of other origin are returned as they are. */
export function toTrackingError(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotCapable) {
    return new TrackingError(
      "PERMISSION_DENIED",
      `Cannot open database "${path}": the permission to read and write it was not granted. Run with --allow-read and --allow-write for its folder`,
      { cause: error },
    );
  }
  if (!("code" in error) || error.code !== "ERR_SQLITE_ERROR") return error;
  const [errorCode, hint] = reasonOf(error.message);
  return new TrackingError(errorCode, `Cannot use database "${path}": ${error.message}. ${hint}`, {
    cause: error,
    retryable: errorCode === "TEMPORARILY_UNAVAILABLE",
  });
}

/** Whether another connection had the database locked for longer than SQLite waits. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /database (table )?is locked|database schema is locked/.test(error.message);
}

/** Whether a database cannot be opened to be written, which says nothing yet of reading. */
export function isUnwritable(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Error && /readonly|read-only|unable to open/.test(error.message);
}

/** That a database was opened for reading only, and why. */
export function readOnlyError(cause: unknown, path: string): TrackingError {
  const remedy = cause instanceof Deno.errors.NotCapable
    ? "Run with --allow-write for its folder"
    : "Make the file and its folder writable";
  return new TrackingError("PERMISSION_DENIED", `Cannot write to database "${path}": it may only be read. ${remedy}`, {
    cause,
  });
}

// SQLite's result codes are not on the errors that the runtime throws: only the text tells them apart.
function reasonOf(message: string): [errorCode: string, hint: string] {
  if (/is locked/.test(message)) {
    return ["TEMPORARILY_UNAVAILABLE", "Another process is writing to it: try again when it has finished"];
  }
  if (/unable to open/.test(message)) {
    return ["PERMISSION_DENIED", "Check that its folder exists and that you may write there"];
  }
  if (/readonly|read-only/.test(message)) {
    return ["PERMISSION_DENIED", "Make the file and its folder writable"];
  }
  if (/not a database/.test(message)) {
    return ["INVALID_PARAMETER_VALUE", "Name a SQLite file, or one that does not exist yet"];
  }
  if (/malformed/.test(message)) {
    return ["DATA_LOSS", "Restore it from a backup, or recover it with the sqlite3 tool's .recover"];
  }
  if (/constraint failed/.test(message)) {
    return ["INVALID_STATE", "Something that it refers to is not there, or another one is there already"];
  }
  if (/full/.test(message)) return ["RESOURCE_EXHAUSTED", "Make room on the disk"];
  return ["INTERNAL_ERROR", "Check the disk, and the file with the sqlite3 tool"];
}
