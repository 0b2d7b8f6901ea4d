import type { Database, Row } from "../tracking/sqlite/database.ts";
import type { ModelStage, ModelVersion, RegisteredModel } from "./entities.ts";
import { STAGES } from "./_rules.ts";

/** What MLflow marks a removed version with: the row stays, so that its number is not given again. */
export const REMOVED_STAGE = "Deleted_Internal";

/** What leaves out versions that were removed. */
export const NOT_REMOVED = `model_versions.current_stage IS NOT '${REMOVED_STAGE}'`;

/** Registered models of rows, with all that belongs to them: one query for each table. */
export function loadRegisteredModels(database: Database, rows: readonly Row[]): RegisteredModel[] {
  if (rows.length === 0) return [];
  const names = JSON.stringify(rows.map((row) => row.name));
  const where = "workspace = 'default' AND name IN (SELECT value FROM json_each(?))";
  const byName = (sql: string) => Map.groupBy(database.all(sql, [names]), (row) => row.name);
  const tags = byName(`SELECT * FROM registered_model_tags WHERE ${where} ORDER BY key`);
  const aliases = byName(`SELECT * FROM registered_model_aliases WHERE ${where} ORDER BY alias`);
  const latest = Map.groupBy(
    loadVersions(
      database,
      database.all(
        `SELECT * FROM model_versions WHERE ${where} AND ${NOT_REMOVED} AND version = (` +
          "SELECT max(version) FROM model_versions AS other WHERE other.workspace = 'default' AND " +
          "other.name = model_versions.name AND other.current_stage IS model_versions.current_stage) " +
          "ORDER BY version DESC",
        [names],
      ),
    ),
    ({ name }) => name,
  );
  return rows.map((row): RegisteredModel => ({
    name: text(row, "name"),
    creationTimestamp: Number(row.creation_time ?? 0),
    lastUpdatedTimestamp: Number(row.last_updated_time ?? 0),
    description: text(row, "description"),
    tags: Object.fromEntries((tags.get(row.name ?? null) ?? []).map((tag) => [text(tag, "key"), text(tag, "value")])),
    aliases: Object.fromEntries(
      (aliases.get(row.name ?? null) ?? []).map((alias) => [text(alias, "alias"), text(alias, "version")]),
    ),
    latestVersions: latest.get(text(row, "name")) ?? [],
  }));
}

/** Versions of rows, with tags and aliases. */
export function loadVersions(database: Database, rows: readonly Row[]): ModelVersion[] {
  if (rows.length === 0) return [];
  const names = JSON.stringify([...new Set(rows.map((row) => row.name))]);
  const where = "workspace = 'default' AND name IN (SELECT value FROM json_each(?))";
  const keyOf = (row: Row) => `${row.version} ${row.name}`;
  const tags = Map.groupBy(
    database.all(`SELECT * FROM model_version_tags WHERE ${where} ORDER BY key`, [names]),
    keyOf,
  );
  const aliases = Map.groupBy(
    database.all(`SELECT * FROM registered_model_aliases WHERE ${where} ORDER BY alias`, [names]),
    keyOf,
  );
  return rows.map((row): ModelVersion => {
    const source = text(row, "source");
    const runId = text(row, "run_id");
    const modelId = /^models:\/(m-[^/@]+)$/.exec(source)?.[1];
    const status = text(row, "status");
    return {
      name: text(row, "name"),
      version: text(row, "version"),
      creationTimestamp: Number(row.creation_time ?? 0),
      lastUpdatedTimestamp: Number(row.last_updated_time ?? 0),
      description: text(row, "description"),
      userId: text(row, "user_id"),
      currentStage: stageOf(text(row, "current_stage")),
      source,
      ...(runId !== "" && { runId }),
      ...(modelId !== undefined && { modelId }),
      status: status === "PENDING_REGISTRATION" || status === "FAILED_REGISTRATION" ? status : "READY",
      tags: Object.fromEntries((tags.get(keyOf(row)) ?? []).map((tag) => [text(tag, "key"), text(tag, "value")])),
      aliases: (aliases.get(keyOf(row)) ?? []).map((alias) => text(alias, "alias")),
    };
  });
}

function stageOf(stage: string): ModelStage {
  return STAGES.find((known) => known === stage) ?? "None";
}

/** The text of a column; "" for NULL. */
export function text(row: Row, column: string): string {
  const value = row[column];
  return value === null || value === undefined ? "" : String(value);
}
