import type { DatabaseSync, StatementSync } from "node:sqlite";
import { resolve } from "@std/path";
import { TrackingError } from "../errors.ts";
import { connect, type Connection, inTransaction } from "./_connection.ts";
import { readOnlyError, toTrackingError } from "./_failures.ts";

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
  readonly #connection: Connection;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #transaction: "read" | "write" | undefined;

  private constructor(path: string, connection: Connection) {
    this.path = path;
    this.revision = connection.revision;
    this.#connection = connection;
    this.#db = connection.db;
  }

  /**
   * Opens a database, and makes it with all of MLflow's tables if there is none. Several processes may do so at once.
   * One that may not be written is opened for reading.
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
    try {
      return new Database(file, connect(file, artifactRoot(file)));
    } catch (error) {
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
   * @throws {TrackingError} `TEMPORARILY_UNAVAILABLE`, if another process writes for too long; `PERMISSION_DENIED`, if
   *   the file may not be written.
   */
  write<T>(action: (db: DatabaseSync) => T): T {
    if (this.#transaction === "read") {
      throw new TrackingError("INTERNAL_ERROR", "Cannot write to database: it is being read. Write outside of read()");
    }
    const { unwritable } = this.#connection;
    if (unwritable !== undefined) throw readOnlyError(unwritable, this.path);
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
    if (!this.#connection.isCurrent()) {
      throw new TrackingError(
        "TEMPORARILY_UNAVAILABLE",
        `Cannot use database "${this.path}": it was changed since it was opened, which cannot be followed as its folder may not be written. Open the store anew`,
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

function toRow(columns: object): Row {
  const row: { [column: string]: SqlValue } = {};
  for (const [name, value] of Object.entries(columns)) row[name] = typeof value === "bigint" ? exact(value) : value;
  return row;
}

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
