import {
  type Comparator,
  type Comparison,
  type FilterField,
  type FilterGrammar,
  NUMBER_COMPARATORS,
  type OrderBy,
  parseFilter,
  parseOrderBy,
} from "../filter.ts";
import type { Page } from "../entities.ts";
import { invalid } from "../limits.ts";
import { pageRange, toPage } from "../pages.ts";
import type { TraceInfo } from "../trace_entities.ts";
import type { SearchTracesOptions } from "../trace_store.ts";
import { dumpAsciiJson, dumpJson } from "../_trace_json.ts";
import { TRACE_KEYS } from "../_trace_keys.ts";
import { ALL_TOKEN_KEYS, COST_KEYS } from "../_trace_usage.ts";
import { allOf, compare, type Condition, existsWhere } from "./conditions.ts";
import type { Database } from "./database.ts";
import { experimentKey } from "./_records.ts";
import { loadTraceInfos } from "./_load_traces.ts";
import { type TraceTables, traceTables } from "./_trace_tables.ts";

type TraceEntity = "attribute" | "tag" | "metadata" | "span" | "feedback" | "expectation" | "issue";

const MATCHES: readonly Comparator[] = ["=", "!=", "LIKE", "ILIKE", "RLIKE"];
const NULLS: readonly Comparator[] = ["IS NULL", "IS NOT NULL"];

const NUMBER: FilterField = { type: "number", comparators: NUMBER_COMPARATORS };
const LISTED: FilterField = { type: "text", comparators: [...MATCHES, "IN", "NOT IN"] };
const OPTIONAL: FilterField = { type: "text", comparators: [...MATCHES, ...NULLS] };
const JUDGED: FilterField = { type: "mixed", comparators: [...MATCHES, "<", "<=", ">", ">=", ...NULLS] };
const CONTENT: FilterField = { type: "text", comparators: ["LIKE", "ILIKE"] };
const EQUAL: FilterField = { type: "text", comparators: ["="] };

const GRAMMAR: FilterGrammar<TraceEntity> = {
  attribute: {
    names: ["attributes", "trace"],
    keys: {
      fields: {
        request_id: LISTED,
        timestamp_ms: NUMBER,
        timestamp: { ...NUMBER, aliasOf: "timestamp_ms" },
        execution_time_ms: NUMBER,
        execution_time: { ...NUMBER, aliasOf: "execution_time_ms" },
        end_time_ms: NUMBER,
        end_time: { ...NUMBER, aliasOf: "end_time_ms" },
        status: LISTED,
        client_request_id: LISTED,
        name: { ...LISTED, comparators: [...LISTED.comparators, ...NULLS] },
        run_id: { ...LISTED, comparators: [...LISTED.comparators, ...NULLS] },
        prompt: EQUAL,
        text: CONTENT,
      },
    },
  },
  tag: { names: ["tags"], keys: { any: OPTIONAL } },
  metadata: { names: ["request_metadata"], keys: { any: OPTIONAL } },
  span: {
    names: [],
    keys: {
      fields: { name: LISTED, type: LISTED, status: LISTED, content: CONTENT },
      prefixes: { "attributes.": LISTED },
    },
  },
  feedback: { names: [], keys: { any: JUDGED } },
  expectation: { names: [], keys: { any: JUDGED } },
  issue: { names: [], keys: { fields: { id: EQUAL } } },
};

const ORDERS: FilterGrammar<"attribute" | "tag" | "metadata"> = {
  attribute: {
    names: ["attributes", "trace"],
    keys: {
      fields: {
        experiment_id: NUMBER,
        timestamp_ms: NUMBER,
        timestamp: { ...NUMBER, aliasOf: "timestamp_ms" },
        execution_time_ms: NUMBER,
        execution_time: { ...NUMBER, aliasOf: "execution_time_ms" },
        status: LISTED,
        request_id: LISTED,
        name: LISTED,
        run_id: LISTED,
      },
    },
  },
  tag: GRAMMAR.tag,
  metadata: GRAMMAR.metadata,
};

/** Most traces on one page: MLflow's server has that limit. */
const MAX_PAGE = 500;

/**
 * Looks for traces, as MLflow's database store does.
 *
 * @param database The database.
 * @param options What to look for.
 * @returns A page of them.
 */
export function searchTraces(database: Database, options: SearchTracesOptions): Page<TraceInfo> {
  const action = "search traces";
  const { experimentIds, filter, orderBy = [] } = options;
  const range = pageRange(action, options, { maxResults: 100, limit: MAX_PAGE });
  if (experimentIds.length === 0) throw invalid(action, "give at least one experiment id");
  const ids = experimentIds.map((id) => experimentKey(action, id));
  const comparisons = parseFilter(filter, GRAMMAR);
  const regexp = regexpOf(comparisons);
  const fields = orderBy.map((text) => parseOrderBy(text, ORDERS));
  return database.read((db) => {
    if (regexp !== undefined) db.function("regexp", regexp);
    const tables = traceTables(database, action);
    const where = allOf([
      { sql: "trace_info.experiment_id IN (SELECT value FROM json_each(?))", values: [`[${ids.join()}]`] },
      ...comparisons.filter(({ entity }) => entity !== "span").map((comparison) => conditionOf(tables, comparison)),
      ...spanConditions(comparisons),
    ]);
    const order = orderOf(tables, fields);
    const sql = `SELECT trace_info.* FROM trace_info WHERE ${where.sql} ORDER BY ${order.sql} LIMIT ? OFFSET ?`;
    const values = [...where.values, ...order.values, range.maxResults + 1, range.offset];
    const page = toPage(database.all(sql, values), range);
    return { ...page, items: loadTraceInfos(database, page.items) };
  });
}

function conditionOf(tables: TraceTables, comparison: Comparison<TraceEntity>): Condition {
  const { entity, key } = comparison;
  switch (entity) {
    case "attribute":
      return attributeCondition(tables, comparison);
    case "tag":
      return tagCondition(tables, comparison);
    case "metadata":
      return metadataCondition(tables, comparison);
    case "issue":
      return {
        sql:
          "EXISTS (SELECT 1 FROM assessments WHERE trace_id = trace_info.request_id AND assessment_type = 'issue' AND name = ?)",
        values: [textOf(comparison)],
      };
    case "feedback":
    case "expectation":
      return assessmentCondition(entity, key, comparison);
    case "span":
      return allOf([]); // They are put together, so that they are of one span.
  }
}

function attributeCondition(tables: TraceTables, comparison: Comparison<TraceEntity>): Condition {
  const { key } = comparison;
  switch (key) {
    case "name":
      return tagCondition(tables, { ...comparison, key: TRACE_KEYS.name });
    case "run_id":
      return runCondition(comparison);
    case "end_time_ms":
      return compareText("(trace_info.timestamp_ms + coalesce(trace_info.execution_time_ms, 0))", comparison);
    case "text":
      return spanExists([compareText("spans.content", comparison)]);
    case "prompt":
      return linkedTo("PROMPT_VERSION", textOf(comparison));
    default:
      return compareText(`trace_info.${key}`, comparison);
  }
}

function tagCondition(tables: TraceTables, comparison: Comparison<TraceEntity>): Condition {
  if (comparison.key === TRACE_KEYS.name && tables.has("trace_info.trace_name")) {
    return compareText("trace_info.trace_name", comparison);
  }
  return pairCondition("trace_tags", comparison);
}

function metadataCondition(tables: TraceTables, comparison: Comparison<TraceEntity>): Condition {
  const { key } = comparison;
  if (key === TRACE_KEYS.session && tables.has("trace_info.session_id")) {
    return compareText("trace_info.session_id", comparison);
  }
  const figures = figuresOf(tables, key);
  if (figures !== undefined) return compareText(figures, comparison);
  if (key === TRACE_KEYS.sourceRun && comparison.comparator === "=") return runCondition(comparison);
  return pairCondition("trace_request_metadata", comparison);
}

/** Tokens or cost, where columns have them, as the text that whoever reads sees among the metadata. */
function figuresOf(tables: TraceTables, key: string): string | undefined {
  const columns = key === TRACE_KEYS.tokenUsage ? ALL_TOKEN_KEYS : key === TRACE_KEYS.cost ? COST_KEYS : [];
  const present = columns.filter((column) => tables.has(`trace_info.${column}`));
  if (present.length === 0) return undefined;
  const parts = present.map((column) => `coalesce(', "${column}": ' || trace_info.${column}, '')`);
  return `nullif('{' || substr(${parts.join(" || ")}, 3) || '}', '{}')`;
}

function pairCondition(table: "trace_tags" | "trace_request_metadata", comparison: Comparison): Condition {
  const tie = `${table}.request_id = trace_info.request_id`;
  if (comparison.comparator !== "RLIKE") return existsWhere({ table, tie }, comparison);
  const { sql, values } = compareText(`${table}.value`, comparison);
  return {
    sql: `EXISTS (SELECT 1 FROM ${table} WHERE ${table}.key = ? AND ${tie} AND ${sql})`,
    values: [comparison.key, ...values],
  };
}

/** Traces of a run: those that it made, and those that are linked to it. */
function runCondition(comparison: Comparison<TraceEntity>): Condition {
  const own = pairCondition("trace_request_metadata", { ...comparison, key: TRACE_KEYS.sourceRun });
  if (comparison.comparator !== "=") return own;
  const linked = linkedTo("RUN", textOf(comparison));
  return { sql: `(${own.sql} OR ${linked.sql})`, values: [...own.values, ...linked.values] };
}

/** What traces are linked to is lower case in the database. */
function linkedTo(kind: "RUN" | "PROMPT_VERSION", id: string): Condition {
  return {
    sql:
      "EXISTS (SELECT 1 FROM entity_associations WHERE source_type = 'trace' AND source_id = trace_info.request_id " +
      `AND destination_type = '${kind.toLowerCase()}' AND destination_id = ?)`,
    values: [id],
  };
}

/** All conditions on spans: one span must fulfil them together. */
function spanConditions(comparisons: readonly Comparison<TraceEntity>[]): Condition[] {
  const conditions = comparisons.filter(({ entity }) => entity === "span").map((comparison) => {
    const { key } = comparison;
    if (!key.startsWith("attributes.")) return compareText(`spans.${key}`, comparison);
    const attribute = key.slice("attributes.".length).replace(/^[`"](.*)[`"]$/s, "$1");
    // Values are texts of JSON: those of texts are compared without their quotes.
    const value = `json_extract(spans.content, '$.attributes.' || ?)`;
    const text = `CASE WHEN substr(${value}, 1, 1) = '"' THEN json_extract(${value}, '$') ELSE ${value} END`;
    const { sql, values } = compareText(`(${text})`, comparison);
    const path = dumpJson(attribute) ?? "";
    return { sql, values: [path, path, path, ...values] };
  });
  return conditions.length === 0 ? [] : [spanExists(conditions)];
}

function spanExists(conditions: readonly Condition[]): Condition {
  const { sql, values } = allOf(conditions);
  return { sql: `EXISTS (SELECT 1 FROM spans WHERE spans.trace_id = trace_info.request_id AND ${sql})`, values };
}

function assessmentCondition(kind: "feedback" | "expectation", name: string, comparison: Comparison): Condition {
  const { comparator, value } = comparison;
  const rows = (condition: string) =>
    "EXISTS (SELECT 1 FROM assessments WHERE assessments.trace_id = trace_info.request_id " +
    `AND assessments.assessment_type = '${kind}' AND assessments.name = ? AND assessments.valid = 1${condition})`;
  if (comparator === "IS NULL") return { sql: `NOT ${rows("")}`, values: [name] };
  if (comparator === "IS NOT NULL") return { sql: rows(""), values: [name] };
  if (typeof value === "number") {
    const isNumber = "CASE WHEN json_type(assessments.value) IN ('integer', 'real') " +
      `THEN CAST(assessments.value AS REAL) ${comparator} ? ELSE 0 END`;
    return { sql: rows(` AND ${isNumber}`), values: [name, value] };
  }
  if (comparator !== "=" && comparator !== "!=") {
    const { sql, values } = compareText("assessments.value", comparison);
    return { sql: rows(` AND ${sql}`), values: [name, ...values] };
  }
  // Values are texts of JSON: 'true' and '5' stand for themselves, other text for text.
  const text = textOf(comparison);
  return {
    sql: rows(` AND assessments.value ${comparator === "=" ? "" : "NOT "}IN (?, ?)`),
    values: [name, text, dumpAsciiJson(text) ?? text],
  };
}

function textOf({ value }: Comparison): string {
  return typeof value === "string" ? value : "";
}

function compareText(column: string, comparison: Pick<Comparison, "comparator" | "value">): Condition {
  const { comparator, value } = comparison;
  if (comparator !== "RLIKE") return compare(column, comparison);
  return { sql: `${column} REGEXP ?`, values: [typeof value === "string" ? value : ""] };
}

/**
 * What SQLite is to call for `text REGEXP pattern`, with the pattern first; `undefined` where no comparison needs it.
 * Patterns are read before: an error that is thrown inside of SQLite would not come out of it.
 */
function regexpOf(comparisons: readonly Comparison[]): ((pattern: unknown, text: unknown) => number) | undefined {
  const patterns = new Map<unknown, RegExp>();
  for (const { comparator, value } of comparisons) {
    if (comparator !== "RLIKE" || typeof value !== "string") continue;
    try {
      patterns.set(value, new RegExp(value, "u"));
    } catch (cause) {
      throw invalid("search traces", `"${value}" behind RLIKE is no regular expression: ${String(cause)}`);
    }
  }
  if (patterns.size === 0) return undefined;
  return (pattern, text) => typeof text === "string" && patterns.get(pattern)?.test(text) ? 1 : 0;
}

function orderOf(tables: TraceTables, fields: readonly OrderBy<"attribute" | "tag" | "metadata">[]): Condition {
  const names = fields.map(({ entity, key }) => `${entity}.${key}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid("search traces", `"${twice}" is given twice in the order. Give it once`);
  const terms = fields.map(({ ascending, ...field }) => {
    const { sql, values } = columnOf(tables, field);
    return { sql: `${sql} ${ascending ? "ASC" : "DESC"} NULLS LAST`, values };
  });
  const more = names.includes("attribute.timestamp_ms") ? [] : [{ sql: "trace_info.timestamp_ms DESC", values: [] }];
  const all = [...terms, ...more, { sql: "trace_info.request_id ASC", values: [] }];
  return { sql: all.map(({ sql }) => sql).join(", "), values: all.flatMap(({ values }) => values) };
}

function columnOf(
  tables: TraceTables,
  { entity, key }: { readonly entity: "attribute" | "tag" | "metadata"; readonly key: string },
): Condition {
  if (entity === "attribute" && key === "name") return columnOf(tables, { entity: "tag", key: TRACE_KEYS.name });
  if (entity === "attribute" && key === "run_id") {
    return columnOf(tables, { entity: "metadata", key: TRACE_KEYS.sourceRun });
  }
  if (entity === "attribute") return { sql: `trace_info.${key}`, values: [] };
  if (entity === "tag" && key === TRACE_KEYS.name && tables.has("trace_info.trace_name")) {
    return { sql: "trace_info.trace_name", values: [] };
  }
  if (entity === "metadata" && key === TRACE_KEYS.session && tables.has("trace_info.session_id")) {
    return { sql: "trace_info.session_id", values: [] };
  }
  const figures = entity === "metadata" ? figuresOf(tables, key) : undefined;
  if (figures !== undefined) {
    throw invalid("search traces", `traces cannot be ordered by "${key}": it is more than one number`);
  }
  const table = entity === "tag" ? "trace_tags" : "trace_request_metadata";
  return {
    sql: `(SELECT value FROM ${table} WHERE ${table}.request_id = trace_info.request_id AND ${table}.key = ?)`,
    values: [key],
  };
}
