import { DatabaseSync, type StatementSync } from "node:sqlite";
import { resolve } from "@std/path";
import { TrackingError } from "../errors.ts";
import { isBusy, toTrackingError } from "./_failures.ts";
import { isEmpty, layOut, recognize } from "./_layout.ts";

/** How long SQLite itself waits for another writer, in ms. */
const BUSY_TIMEOUT = 30_000;
/** How long what SQLite does not wait for by itself is tried again, in ms. */
const RETRY_TIME = 30_000;
/** How long the mode of a file that others use is tried to be changed, in ms. */
const MODE_TIME = 2_000;

/** A value that is bound to a statement. */
export type SqlValue = string | number | null;
/** A row of a result. Whole numbers that are too large to be exact as numbers come as text, such as some ids. */
export type Row = { readonly [column: string]: SqlValue };

/**
 * MLflow's SQLite database: the file of a tracking store, shared with other processes and with genuine MLflow.
 *
 * Calls block: SQLite works in the thread that asks. Errors of SQLite come as {@linkcode TrackingError}.
 */
export class Database implements Disposable {
  /** Absolute path of the file. */
  readonly path: string;
  /** Revision of MLflow's schema, such as `dc11669786a5`. */
  readonly revision: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #transaction: "read" | "write" | undefined;

  private constructor(db: DatabaseSync, facts: { readonly path: string; readonly revision: string }) {
    this.#db = db;
    this.path = facts.path;
    this.revision = facts.revision;
  }

  /**
   * Opens a database, and makes it with all of MLflow's tables if there is none. Several processes may do so at once.
   *
   * @param path Path of the file; its folder must exist.
   * @returns The database.
   * @throws {TrackingError} If the file cannot be opened or made, is no SQLite database, or is none that MLflow 3.12
   *   to 3.17 would make. A database of another version is never changed.
   */
  static open(path: string): Database {
    const file = resolve(path);
    const folder = resolve(file, "..");
    requireFolder(folder, file);
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
      const opened = db;
      opened.exec("PRAGMA foreign_keys = ON");
      // As MLflow does: LIKE minds upper and lower case, and ILIKE does not.
      opened.exec("PRAGMA case_sensitive_like = true");
      // In WAL mode this survives a crash of the machine too, for one sync a transaction.
      opened.exec("PRAGMA synchronous = FULL");
      if (retry(() => isEmpty(opened))) {
        useWal(opened);
        inTransaction(opened, "BEGIN IMMEDIATE", () => layOut(opened, artifactRoot(file)));
      }
      const revision = retry(() => inTransaction(opened, "BEGIN", () => recognize(opened, file)));
      useWal(opened);
      return new Database(opened, { path: file, revision });
    } catch (error) {
      db?.close();
      throw toTrackingError(error, file);
    }
  }

  /** Folder in which artifacts of this database are kept: `mlruns` beside the file, with `/`. */
  get artifactRoot(): string {
    return artifactRoot(this.path);
  }

  /**
   * Reads from one state of the database, which others' writes do not change meanwhile. Within another action it is
   * part of that one.
   *
   * @param action What reads. Must not be asynchronous.
   * @returns What it returns.
   */
  read<T>(action: (db: DatabaseSync) => T): T {
    return this.#run("read", action);
  }

  /**
   * Writes: all that the action does, or, if it throws, nothing. Waits up to 30 s for other writers. Within another
   * `write` it is part of that one.
   *
   * @param action What reads and writes. Must not be asynchronous.
   * @returns What it returns.
   * @throws {TrackingError} `TEMPORARILY_UNAVAILABLE`, if another process writes for too long.
   */
  write<T>(action: (db: DatabaseSync) => T): T {
    if (this.#transaction === "read") {
      throw new TrackingError("INTERNAL_ERROR", "Cannot write to database: it is being read. Write outside of read()");
    }
    return this.#run("write", action);
  }

  /**
   * A prepared statement, made once for each text. It reads whole numbers as BigInt, because those of `BIGINT`
   * columns may be too large for a number: {@linkcode all} and {@linkcode get} give numbers where they are exact.
   *
   * @param sql The statement, without values of users: those are bound.
   * @returns The statement.
   */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      statement.setReadBigInts(true);
      // Searches make ever new texts: what is rarely asked must not pile up.
      if (this.#statements.size >= 200) this.#statements.clear();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * All rows of a query.
   *
   * @param sql The query.
   * @param values Values for its `?`.
   * @returns The rows.
   */
  all(sql: string, values: readonly SqlValue[] = []): Row[] {
    return this.#guard(() => this.prepare(sql).all(...values).map(toRow));
  }

  /**
   * The first row of a query.
   *
   * @param sql The query.
   * @param values Values for its `?`.
   * @returns The row; `undefined` if there is none.
   */
  get(sql: string, values: readonly SqlValue[] = []): Row | undefined {
    const row = this.#guard(() => this.prepare(sql).get(...values));
    return row === undefined ? undefined : toRow(row);
  }

  /**
   * Runs a statement that changes something.
   *
   * @param sql The statement.
   * @param values Values for its `?`.
   * @returns How many rows it changed.
   */
  run(sql: string, values: readonly SqlValue[] = []): number {
    return Number(this.#guard(() => this.prepare(sql).run(...values)).changes);
  }

  /** Closes the file. Closing twice does nothing. */
  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.close();
  }

  #run<T>(kind: "read" | "write", action: (db: DatabaseSync) => T): T {
    if (this.#transaction !== undefined) return action(this.#db);
    return this.#guard(() => {
      this.#transaction = kind;
      try {
        return inTransaction(this.#db, kind === "write" ? "BEGIN IMMEDIATE" : "BEGIN", () => action(this.#db));
      } finally {
        this.#transaction = undefined;
      }
    });
  }

  #guard<T>(action: () => T): T {
    if (!this.#db.isOpen) {
      throw new TrackingError(
        "INVALID_STATE",
        `Cannot use database "${this.path}": it was closed. Open the store anew`,
      );
    }
    try {
      return action();
    } catch (error) {
      throw toTrackingError(error, this.path);
    }
  }
}

function artifactRoot(path: string): string {
  return `${resolve(path, "..").replaceAll("\\", "/").replace(/\/$/, "")}/mlruns`;
}

function requireFolder(folder: string, path: string): void {
  try {
    if (Deno.statSync(folder).isDirectory) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw toTrackingError(error, path);
  }
  throw new TrackingError(
    "RESOURCE_DOES_NOT_EXIST",
    `Cannot open database "${path}": there is no folder "${folder}". Make the folder, or name another file`,
  );
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

function inTransaction<T>(db: DatabaseSync, begin: string, action: () => T): T {
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

function toRow(columns: object): Row {
  const row: { [column: string]: SqlValue } = {};
  for (const [name, value] of Object.entries(columns)) row[name] = typeof value === "bigint" ? exact(value) : value;
  return row;
}

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
