import {
  type Comparison,
  type FilterField,
  type FilterGrammar,
  NUMBER_COMPARATORS,
  type OrderBy,
  parseFilter,
  parseOrderBy,
  TEXT_COMPARATORS,
} from "../filter.ts";
import { TrackingError } from "../errors.ts";
import { invalid } from "../limits.ts";
import { pageRange, toPage } from "../pages.ts";
import type { Page, Run } from "../entities.ts";
import type { SearchRunsOptions } from "../tracking_store.ts";
import { allOf, compare, type Condition, existsWhere } from "./conditions.ts";
import type { Database } from "./database.ts";
import { loadRuns } from "./_load_runs.ts";
import { experimentKey } from "./_records.ts";
import { stageCondition } from "./_rows.ts";

type RunEntity = "attribute" | "metric" | "parameter" | "tag" | "dataset";

const TEXT: FilterField = { type: "text", comparators: TEXT_COMPARATORS };
const NUMBER: FilterField = { type: "number", comparators: NUMBER_COMPARATORS };
const LISTED: FilterField = { type: "text", comparators: [...TEXT_COMPARATORS, "IN", "NOT IN"] };
const OPTIONAL: FilterField = { type: "text", comparators: [...TEXT_COMPARATORS, "IS NULL", "IS NOT NULL"] };

const GRAMMAR: FilterGrammar<RunEntity> = {
  attribute: {
    names: ["attributes", "attr", "run"],
    keys: {
      fields: {
        run_id: LISTED,
        run_name: TEXT,
        "run name": { ...TEXT, aliasOf: "run_name" },
        "Run name": { ...TEXT, aliasOf: "run_name" },
        "Run Name": { ...TEXT, aliasOf: "run_name" },
        user_id: TEXT,
        status: TEXT,
        artifact_uri: TEXT,
        start_time: NUMBER,
        created: { ...NUMBER, aliasOf: "start_time" },
        Created: { ...NUMBER, aliasOf: "start_time" },
        end_time: NUMBER,
      },
    },
  },
  metric: { names: ["metrics"], keys: { any: NUMBER } },
  parameter: { names: ["params", "param", "parameters"], keys: { any: OPTIONAL } },
  tag: { names: ["tags"], keys: { any: OPTIONAL } },
  dataset: { names: ["datasets"], keys: { fields: { name: LISTED, digest: LISTED, context: LISTED } } },
};

/** Columns of `runs` whose names are not those of filters. */
const COLUMNS: { readonly [key: string]: string } = { run_id: "run_uuid", run_name: "name" };

const TABLES = { metric: "latest_metrics", parameter: "params", tag: "tags" } as const;

/**
 * Looks for runs, as MLflow's database store does.
 *
 * @param database The database.
 * @param options What to look for.
 * @returns A page of them.
 */
export function searchRuns(database: Database, options: SearchRunsOptions): Page<Run> {
  const action = "search runs";
  const { experimentIds, filter, orderBy = [], viewType = "active" } = options;
  const range = pageRange(action, options, { maxResults: 1000 });
  if (experimentIds.length === 0) throw invalid(action, "give at least one experiment id");
  const ids = experimentIds.map((id) => experimentKey(action, id));
  const where = allOf([
    { sql: "runs.experiment_id IN (SELECT value FROM json_each(?))", values: [`[${ids.join()}]`] },
    { sql: stageCondition("runs.lifecycle_stage", viewType), values: [] },
    ...parseFilter(filter, GRAMMAR).map(conditionOf),
  ]);
  const order = orderOf(action, orderBy);
  const sql = `SELECT runs.* FROM runs${order.joins} WHERE ${where.sql} ORDER BY ${order.sql} LIMIT ? OFFSET ?`;
  return database.read(() => {
    const values = [...order.values, ...where.values, range.maxResults + 1, range.offset];
    const page = toPage(database.all(sql, values), range);
    return { ...page, items: loadRuns(database, page.items) };
  });
}

function conditionOf(comparison: Comparison<RunEntity>): Condition {
  const { entity, key, comparator } = comparison;
  if (entity === "dataset") return datasetCondition(comparison);
  if (entity === "attribute") {
    if (key !== "run_name") return compare(`runs.${COLUMNS[key] ?? key}`, comparison);
    return existsWhere({ table: "tags", tie: "tags.run_uuid = runs.run_uuid" }, {
      ...comparison,
      key: "mlflow.runName",
    });
  }
  const table = TABLES[entity];
  const tie = `${table}.run_uuid = runs.run_uuid`;
  if (entity !== "metric") return existsWhere({ table, tie }, comparison);
  // NaN is stored as 0 with a mark: it differs from every number, and is neither greater nor smaller than any.
  const { sql, values } = compare("latest_metrics.value", comparison);
  const value = comparator === "!=" ? `(${sql} OR latest_metrics.is_nan = 1)` : `${sql} AND latest_metrics.is_nan = 0`;
  return {
    sql: `EXISTS (SELECT 1 FROM latest_metrics WHERE latest_metrics.key = ? AND ${tie} AND ${value})`,
    values: [key, ...values],
  };
}

function datasetCondition(comparison: Comparison<RunEntity>): Condition {
  const { key } = comparison;
  const rows = "EXISTS (SELECT 1 FROM inputs JOIN datasets ON datasets.dataset_uuid = inputs.source_id ";
  const tie = "WHERE inputs.destination_type = 'RUN' AND inputs.destination_id = runs.run_uuid AND ";
  if (key !== "context") {
    const { sql, values } = compare(`datasets.${key}`, comparison);
    return { sql: `${rows}${tie}${sql})`, values };
  }
  const { sql, values } = compare("input_tags.value", comparison);
  return {
    sql: `${rows}JOIN input_tags ON input_tags.input_uuid = inputs.input_uuid ` +
      `${tie}input_tags.name = 'mlflow.data.context' AND ${sql})`,
    values,
  };
}

function orderOf(action: string, orderBy: readonly string[]): Condition & { readonly joins: string } {
  const fields = orderBy.map((text) => parseOrderBy(text, GRAMMAR));
  const names = fields.map(({ entity, key }) => `${entity}.${key}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    // MLflow's code for it, which a server of its answers with too.
    throw new TrackingError(
      "INTERNAL_ERROR",
      `Cannot ${action}: "${twice}" is given twice in the order. Give it once`,
      {
        status: 400,
      },
    );
  }
  const joins: string[] = [];
  const values: string[] = [];
  const terms = fields.flatMap((field, index) => {
    if (field.entity === "attribute") return orderTerms(field, `runs.${COLUMNS[field.key] ?? field.key}`);
    if (field.entity === "dataset") throw invalid(action, "runs cannot be ordered by their datasets");
    const alias = `order_${index}`;
    joins.push(
      ` LEFT JOIN ${TABLES[field.entity]} AS ${alias} ON ${alias}.run_uuid = runs.run_uuid AND ${alias}.key = ?`,
    );
    values.push(field.key);
    return orderTerms(field, `${alias}.value`, field.entity === "metric" ? `${alias}.is_nan` : undefined);
  });
  if (!names.includes("attribute.start_time")) terms.push("runs.start_time DESC");
  return { joins: joins.join(""), sql: [...terms, "runs.run_uuid ASC"].join(", "), values };
}

/** Numbers first, then NaN, then those that have none, whichever the direction. */
function orderTerms({ ascending }: OrderBy, column: string, isNan?: string): string[] {
  const nan = isNan === undefined ? "" : `WHEN ${isNan} = 1 THEN 1 `;
  return [`CASE ${nan}WHEN ${column} IS NULL THEN 2 ELSE 0 END`, `${column} ${ascending ? "ASC" : "DESC"}`];
}
