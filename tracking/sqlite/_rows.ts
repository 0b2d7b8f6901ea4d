import type { LifecycleStage, ViewType } from "../entities.ts";
import { TrackingError } from "../errors.ts";
import type { Row } from "./database.ts";

/** The text of a column; "" for NULL. */
export function textOf(row: Row, column: string): string {
  return optionalText(row, column) ?? "";
}

/** The text of a column; `undefined` for NULL. */
export function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : String(value);
}

/** The number of a column; 0 for NULL. */
export function numberOf(row: Row, column: string): number {
  return optionalNumber(row, column) ?? 0;
}

/** The number of a column; `undefined` for NULL. */
export function optionalNumber(row: Row, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
}

/** What `lifecycle_stage` says. */
export function stageOf(row: Row): LifecycleStage {
  return row.lifecycle_stage === "deleted" ? "deleted" : "active";
}

/** The condition that leaves what a view shows. */
export function stageCondition(column: string, viewType: ViewType): string {
  if (viewType === "all") return "TRUE";
  return `${column} = '${viewType === "deleted" ? "deleted" : "active"}'`;
}

/** The one thing that there is for one row. */
export function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item !== undefined) return item;
  throw new TrackingError("INTERNAL_ERROR", "Cannot read from database: one row is expected, but there is none");
}

/** A new id: 32 hexadecimal digits. */
export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
