import type { Comparison } from "../filter.ts";
import type { SqlValue } from "./database.ts";

/** A piece of SQL and what is bound to its `?`. */
export interface Condition {
  /** The piece. */
  readonly sql: string;
  /** What is bound. */
  readonly values: readonly SqlValue[];
}

/**
 * The condition that a column must fulfil.
 *
 * @param column Name of the column, never text of users.
 * @param comparison How it is compared, with what.
 * @returns The condition.
 */
export function compare(column: string, { comparator, value }: Pick<Comparison, "comparator" | "value">): Condition {
  if (value === undefined) return { sql: `${column} ${comparator}`, values: [] };
  if (typeof value !== "string" && typeof value !== "number") {
    return { sql: `${column} ${comparator} (SELECT value FROM json_each(?))`, values: [JSON.stringify(value)] };
  }
  if (comparator === "ILIKE") return { sql: `lower(${column}) LIKE lower(?)`, values: [value] };
  return { sql: `${column} ${comparator} ?`, values: [value] };
}

/**
 * The condition that there is a row of a key, with a value that fulfils another condition.
 *
 * @param source Table, and what ties its rows to the thing that is looked for.
 * @param comparison The key, how its value is compared, with what. `IS NULL` is that there is no such row.
 * @returns The condition.
 */
export function existsWhere(
  source: { readonly table: string; readonly tie: string; readonly keyColumn?: string; readonly valueColumn?: string },
  comparison: Comparison,
): Condition {
  const { table, tie, keyColumn = "key", valueColumn = "value" } = source;
  const rows = `EXISTS (SELECT 1 FROM ${table} WHERE ${table}.${keyColumn} = ? AND ${tie}`;
  if (comparison.comparator === "IS NULL") return { sql: `NOT ${rows})`, values: [comparison.key] };
  if (comparison.comparator === "IS NOT NULL") return { sql: `${rows})`, values: [comparison.key] };
  const { sql, values } = compare(`${table}.${valueColumn}`, comparison);
  return { sql: `${rows} AND ${sql})`, values: [comparison.key, ...values] };
}

/** All of some conditions. */
export function allOf(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(" AND ") || "TRUE",
    values: conditions.flatMap(({ values }) => values),
  };
}
