import {
  type Comparison,
  type FilterGrammar,
  NUMBER_COMPARATORS,
  parseFilter,
  parseOrderBy,
  TEXT_COMPARATORS,
} from "../filter.ts";
import { invalid } from "../limits.ts";
import { pageRange, toPage } from "../pages.ts";
import type { Experiment, Page } from "../entities.ts";
import type { SearchExperimentsOptions } from "../tracking_store.ts";
import { allOf, compare, type Condition, existsWhere } from "./conditions.ts";
import type { Database } from "./database.ts";
import type { Experiments } from "./experiments.ts";
import { experimentKey } from "./_records.ts";
import { stageCondition } from "./_rows.ts";

const ATTRIBUTES = {
  name: { type: "text", comparators: TEXT_COMPARATORS },
  experiment_id: { type: "text", comparators: ["=", "!=", "IN", "NOT IN"] },
  creation_time: { type: "number", comparators: NUMBER_COMPARATORS },
  last_update_time: { type: "number", comparators: NUMBER_COMPARATORS },
} as const;

const GRAMMAR: FilterGrammar<"attribute" | "tag"> = {
  attribute: { names: [], keys: { fields: ATTRIBUTES } },
  tag: {
    names: ["tags"],
    keys: { any: { type: "text", comparators: [...TEXT_COMPARATORS, "IS NULL", "IS NOT NULL"] } },
  },
};

const ORDERS: FilterGrammar<"attribute"> = { attribute: GRAMMAR.attribute };

/**
 * Looks for experiments, as MLflow's database store does.
 *
 * @param store The database, and its experiments.
 * @param options What to look for.
 * @returns A page of them.
 */
export function searchExperiments(
  { database, experiments }: { readonly database: Database; readonly experiments: Experiments },
  options: SearchExperimentsOptions,
): Page<Experiment> {
  const action = "search experiments";
  const { filter, orderBy = [], viewType = "active" } = options;
  const range = pageRange(action, options, { maxResults: 1000 });
  const where = allOf([
    { sql: `workspace = 'default' AND ${stageCondition("lifecycle_stage", viewType)}`, values: [] },
    ...parseFilter(filter, GRAMMAR).map((comparison) => conditionOf(action, comparison)),
  ]);
  const sql = `SELECT * FROM experiments WHERE ${where.sql} ORDER BY ${orderOf(orderBy)} LIMIT ? OFFSET ?`;
  return database.read(() => {
    const rows = database.all(sql, [...where.values, range.maxResults + 1, range.offset]);
    return toPage(experiments.load(rows), range);
  });
}

function conditionOf(action: string, comparison: Comparison<"attribute" | "tag">): Condition {
  const { entity, key, comparator, value } = comparison;
  if (entity === "tag") {
    const tie = "experiment_tags.experiment_id = experiments.experiment_id";
    return existsWhere({ table: "experiment_tags", tie }, comparison);
  }
  if (key !== "experiment_id") {
    if (typeof value === "number" && !Number.isInteger(value)) {
      throw invalid(action, `"${key}" is a whole number, in ms`);
    }
    return compare(key, comparison);
  }
  const ids = (Array.isArray(value) ? value : [value]).map((id) => experimentKey(action, String(id)));
  const isNegated = comparator === "!=" || comparator === "NOT IN";
  return {
    sql: `experiment_id ${isNegated ? "NOT IN" : "IN"} (SELECT value FROM json_each(?))`,
    values: [`[${ids.join()}]`],
  };
}

function orderOf(orderBy: readonly string[]): string {
  const fields = orderBy.map((text) => parseOrderBy(text, ORDERS));
  if (fields.length === 0) return "creation_time DESC, experiment_id ASC";
  if (!fields.some(({ key }) => key === "experiment_id")) {
    fields.push({ entity: "attribute", key: "experiment_id", ascending: false });
  }
  return fields.map(({ key, ascending }) => `${key} ${ascending ? "ASC" : "DESC"}`).join(", ");
}
