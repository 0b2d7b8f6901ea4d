import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { SqliteStore } from "../../tracking/sqlite/sqlite_store.ts";

/** A folder for one test, removed afterwards. */
export async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chat_model_sqlite_" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The URI of the database in a folder. */
export function uriIn(folder: string): string {
  return `sqlite:///${join(folder, "mlflow.db")}`;
}

/** A store of its own for one test, removed afterwards. */
export function withStore(test: (store: SqliteStore, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await using store = SqliteStore.open(uriIn(folder));
    await test(store, folder);
  });
}

/** Reads rows by a connection of its own, as another program does. */
export function readRows(folder: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(folder, "mlflow.db"));
  try {
    return db.prepare(sql).all().map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

/** Runs statements by a connection of its own, as another program does. */
export function runSql(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** A run in an experiment of its own. */
export async function startRun(store: SqliteStore, name = "tries"): Promise<{ experimentId: string; runId: string }> {
  const experimentId = await store.createExperiment({ name });
  const { info } = await store.createRun({ experimentId });
  return { experimentId, runId: info.runId };
}
