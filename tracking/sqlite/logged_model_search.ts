import {
  type Comparison,
  type FilterField,
  type FilterGrammar,
  NUMBER_COMPARATORS,
  parseFilter,
  parseOrderBy,
  TEXT_COMPARATORS,
} from "../filter.ts";
import { invalid } from "../limits.ts";
import { pageRange, toPage } from "../pages.ts";
import type { LoggedModel, Page } from "../entities.ts";
import type { SearchLoggedModelsOptions } from "../tracking_store.ts";
import { allOf, compare, type Condition, existsWhere } from "./conditions.ts";
import type { Database } from "./database.ts";
import { loadModels, STATUS } from "./_load_models.ts";
import { experimentKey } from "./_records.ts";

type ModelEntity = "attribute" | "metric" | "parameter" | "tag";

const TEXT: FilterField = { type: "text", comparators: [...TEXT_COMPARATORS, "IN", "NOT IN"] };
const NUMBER: FilterField = { type: "number", comparators: NUMBER_COMPARATORS };

const GRAMMAR: FilterGrammar<ModelEntity> = {
  attribute: {
    names: ["attributes", "attr"],
    keys: {
      fields: {
        name: TEXT,
        model_id: TEXT,
        model_type: TEXT,
        status: TEXT,
        source_run_id: TEXT,
        creation_timestamp: NUMBER,
        creation_time: { ...NUMBER, aliasOf: "creation_timestamp" },
        last_updated_timestamp: NUMBER,
        last_updated_time: { ...NUMBER, aliasOf: "last_updated_timestamp" },
      },
    },
  },
  metric: { names: ["metrics"], keys: { any: NUMBER } },
  parameter: { names: ["params", "param", "parameters"], keys: { any: TEXT } },
  tag: { names: ["tags"], keys: { any: TEXT } },
};

/** Columns of `logged_models` whose names are not those of filters. */
const COLUMNS: { readonly [key: string]: string } = {
  creation_timestamp: "creation_timestamp_ms",
  last_updated_timestamp: "last_updated_timestamp_ms",
};

/**
 * Looks for logged models.
 *
 * @param database The database.
 * @param options What to look for.
 * @returns A page of them.
 */
export function searchLoggedModels(database: Database, options: SearchLoggedModelsOptions): Page<LoggedModel> {
  const action = "search logged models";
  const { experimentIds, filter, orderBy = [] } = options;
  const range = pageRange(action, options, { maxResults: 100 });
  if (experimentIds.length === 0) throw invalid(action, "give at least one experiment id");
  const ids = experimentIds.map((id) => experimentKey(action, id));
  const where = allOf([
    { sql: "logged_models.experiment_id IN (SELECT value FROM json_each(?))", values: [`[${ids.join()}]`] },
    { sql: "logged_models.lifecycle_stage = 'active'", values: [] },
    ...parseFilter(filter, GRAMMAR).map((comparison) => conditionOf(action, comparison)),
  ]);
  const order = orderOf(action, orderBy);
  const sql = `SELECT logged_models.* FROM logged_models WHERE ${where.sql} ORDER BY ${order.sql} LIMIT ? OFFSET ?`;
  return database.read(() => {
    const values = [...where.values, ...order.values, range.maxResults + 1, range.offset];
    const page = toPage(database.all(sql, values), range);
    return { ...page, items: loadModels(database, page.items) };
  });
}

const TABLES = {
  metric: { table: "logged_model_metrics", keyColumn: "metric_name", valueColumn: "metric_value" },
  parameter: { table: "logged_model_params", keyColumn: "param_key", valueColumn: "param_value" },
  tag: { table: "logged_model_tags", keyColumn: "tag_key", valueColumn: "tag_value" },
} as const;

function conditionOf(action: string, comparison: Comparison<ModelEntity>): Condition {
  const { entity, key } = comparison;
  if (entity === "attribute") {
    if (key !== "status") return compare(`logged_models.${COLUMNS[key] ?? key}`, comparison);
    return compare("logged_models.status", { ...comparison, value: statusValue(action, comparison.value) });
  }
  const source = TABLES[entity];
  return existsWhere({ ...source, tie: `${source.table}.model_id = logged_models.model_id` }, comparison);
}

/** Statuses are numbers in the database; names with and without MLflow's prefix are read. */
function statusValue(action: string, value: Comparison["value"]): Comparison["value"] {
  if (Array.isArray(value)) return value.map((word) => String(statusNumber(action, word)));
  return statusNumber(action, String(value));
}

function statusNumber(action: string, word: string): number {
  const name = word.replace(/^LOGGED_MODEL_/, "").replace(/^UPLOAD_FAILED$/, "FAILED");
  for (const [status, number] of Object.entries(STATUS)) if (status === name) return number;
  throw invalid(action, `"${word}" is no status: there are PENDING, READY, FAILED`);
}

function orderOf(
  action: string,
  orderBy: NonNullable<SearchLoggedModelsOptions["orderBy"]>,
): Condition {
  const values: string[] = [];
  const terms = orderBy.flatMap(({ fieldName, ascending = true }) => {
    const { entity, key } = parseOrderBy(fieldName, GRAMMAR);
    const direction = ascending ? "ASC" : "DESC";
    if (entity === "attribute") return [`logged_models.${COLUMNS[key] ?? key} ${direction} NULLS LAST`];
    if (entity !== "metric") {
      throw invalid(action, `models can be ordered by attributes and metrics, not "${fieldName}"`);
    }
    // The latest point of each; models without it come last.
    const latest = "(SELECT metric_value FROM logged_model_metrics WHERE " +
      "logged_model_metrics.model_id = logged_models.model_id AND metric_name = ? " +
      "ORDER BY metric_timestamp_ms DESC, metric_step DESC, run_id ASC LIMIT 1)";
    values.push(key);
    return [`${latest} ${direction} NULLS LAST`];
  });
  return {
    sql: [...terms, "logged_models.creation_timestamp_ms DESC", "logged_models.model_id ASC"].join(", "),
    values,
  };
}
