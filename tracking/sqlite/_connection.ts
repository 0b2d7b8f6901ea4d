import { DatabaseSync } from "node:sqlite";
import { toFileUrl } from "@std/path";
import { TrackingError } from "../errors.ts";
import { isBusy, isUnwritable } from "./_failures.ts";
import { isEmpty, layOut, recognize } from "./_layout.ts";

/** How long SQLite itself waits for another writer, in ms. */
const BUSY_TIMEOUT = 30_000;
/** How long what SQLite does not wait for by itself is tried again, in ms. */
const RETRY_TIME = 30_000;
/** How long the mode of a file that others use is tried to be changed, in ms. */
const MODE_TIME = 2_000;

/** An open file. */
export interface Connection {
  readonly db: DatabaseSync;
  /** Revision of MLflow's schema. */
  readonly revision: string;
  /** Why it can only be read; absent where it can be written. */
  readonly unwritable?: unknown;
  /** Whether the file is as it was when it was opened, where SQLite does not look by itself. */
  isCurrent(): boolean;
}

/**
 * Opens a file, and lays it out if it is empty or missing. One that may be read only is opened for that.
 *
 * @param file Absolute path.
 * @param artifactRoot Where artifacts are to be kept, for the experiment that a new database has.
 * @returns The connection.
 * @throws {TrackingError} If it is none of MLflow's databases, or of another version.
 */
export function connect(file: string, artifactRoot: string): Connection {
  try {
    return connectToWrite(file, artifactRoot);
  } catch (error) {
    const connection = isUnwritable(error) ? connectToRead(file) : undefined;
    if (connection === undefined) throw error;
    return { ...connection, unwritable: error };
  }
}

function connectToWrite(file: string, artifactRoot: string): Connection {
  return closingOnFailure(new DatabaseSync(file, { timeout: BUSY_TIMEOUT }), (db) => {
    db.exec("PRAGMA foreign_keys = ON");
    // In WAL mode this survives a crash of the machine too, for one sync a transaction.
    db.exec("PRAGMA synchronous = FULL");
    if (retry(() => isEmpty(db))) {
      useWal(db);
      inTransaction(db, "BEGIN IMMEDIATE", () => layOut(db, artifactRoot));
    }
    const revision = readRevision(db, file);
    useWal(db);
    return { db, revision, isCurrent: () => true };
  });
}

/** Opens a file that cannot be written; `undefined` if it cannot be read either, or there is nothing in it. */
function connectToRead(file: string): Connection | undefined {
  try {
    return openToRead(file, file, () => true);
  } catch (error) {
    if (isVerdict(error)) throw error;
  }
  // To follow others' writes, SQLite needs files of its own beside the database. Where the folder forbids them, the
  // database is read as one that does not change. What others have not yet brought into it would be missed.
  const state = stateOf(file);
  if (state === undefined) return undefined;
  try {
    return openToRead(`${toFileUrl(file).href}?immutable=1`, file, () => stateOf(file) === state);
  } catch (error) {
    if (isVerdict(error)) throw error;
    return undefined;
  }
}

/** Whether an error tells of what is in the file; others tell no more than that it could not be opened to be written. */
function isVerdict(error: unknown): boolean {
  return error instanceof TrackingError || error instanceof Error && /not a database|malformed/.test(error.message);
}

function openToRead(address: string, file: string, isCurrent: () => boolean): Connection | undefined {
  return closingOnFailure(new DatabaseSync(address, { timeout: BUSY_TIMEOUT, readOnly: true }), (db) => {
    if (!retry(() => isEmpty(db))) return { db, revision: readRevision(db, file), isCurrent };
    db.close();
    return undefined;
  });
}

/** What changes when a file is written; `undefined` where writes may stand beside it, or it cannot be told. */
function stateOf(file: string): string | undefined {
  try {
    if (Deno.statSync(`${file}-wal`).size > 0) return undefined;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
  }
  try {
    const { size, mtime } = Deno.statSync(file);
    return `${size} ${mtime?.getTime()}`;
  } catch {
    return undefined; // Why it could not be opened in the first place tells more.
  }
}

function closingOnFailure<T>(db: DatabaseSync, action: (db: DatabaseSync) => T): T {
  try {
    // As MLflow does: LIKE minds upper and lower case, and ILIKE does not.
    db.exec("PRAGMA case_sensitive_like = true");
    return action(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function readRevision(db: DatabaseSync, file: string): string {
  return retry(() => inTransaction(db, "BEGIN", () => recognize(db, file)));
}

/**
 * Lets readers and a writer work at once. File systems that cannot do so keep their mode, and so does a file that others
 * are busy with all the time: everything works in both modes.
 */
function useWal(db: DatabaseSync): void {
  if (db.prepare("PRAGMA journal_mode").get()?.journal_mode === "wal") return;
  try {
    // SQLite does not wait for others where it changes the mode.
    retry(() => db.exec("PRAGMA journal_mode = WAL"), MODE_TIME);
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}

/** Does something in a transaction, which is undone if it throws. */
export function inTransaction<T>(db: DatabaseSync, begin: string, action: () => T): T {
  retry(() => db.exec(begin));
  try {
    const result = action();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite ends the transaction by itself after some errors, such as a full disk.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Does something again while another connection is in the way. Waits in the thread, as SQLite does. */
function retry<T>(action: () => T, time: number = RETRY_TIME): T {
  const end = Date.now() + time;
  for (let wait = 2;; wait = Math.min(wait * 2, 100)) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error) || Date.now() >= end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wait * (0.5 + Math.random()));
    }
  }
}
