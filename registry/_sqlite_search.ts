import type { Page } from "../tracking/mod.ts";
import {
  type Comparison,
  type FilterEntity,
  type FilterField,
  type FilterGrammar,
  NUMBER_COMPARATORS,
  parseFilter,
  parseOrderBy,
  TEXT_COMPARATORS,
} from "../tracking/filter.ts";
import { pageRange, toPage } from "../tracking/pages.ts";
import type { Database, Row, SqlValue } from "../tracking/sqlite/database.ts";
import { allOf, compare, type Condition, existsWhere } from "../tracking/sqlite/conditions.ts";
import type { ModelVersion, RegisteredModel } from "./entities.ts";
import type { SearchRegistryOptions } from "./model_registry.ts";
import { loadRegisteredModels, loadVersions, NOT_REMOVED } from "./_sqlite_rows.ts";

type Entity = "attribute" | "tag";

const TEXT: FilterField = { type: "text", comparators: TEXT_COMPARATORS };
const LISTED: FilterField = { type: "text", comparators: [...TEXT_COMPARATORS, "IN", "NOT IN"] };
const NUMBER: FilterField = { type: "number", comparators: NUMBER_COMPARATORS };
const ATTRIBUTES: readonly string[] = ["attributes", "attr"];
const TAGS: FilterEntity = { names: ["tags"], keys: { any: TEXT } };

/** What MLflow finds by, and orders by: the two differ. */
interface Grammars {
  readonly filter: FilterGrammar<Entity>;
  readonly order: FilterGrammar<"attribute">;
}

const MODELS: Grammars = {
  filter: { attribute: { names: ATTRIBUTES, keys: { fields: { name: LISTED } } }, tag: TAGS },
  order: {
    attribute: {
      names: ATTRIBUTES,
      keys: {
        fields: {
          name: TEXT,
          last_updated_timestamp: NUMBER,
          timestamp: { ...NUMBER, aliasOf: "last_updated_timestamp" },
        },
      },
    },
  },
};

const VERSIONS: Grammars = {
  filter: {
    attribute: {
      names: ATTRIBUTES,
      keys: { fields: { name: LISTED, version_number: NUMBER, run_id: LISTED, source_path: TEXT } },
    },
    tag: TAGS,
  },
  order: {
    attribute: {
      names: ATTRIBUTES,
      keys: {
        fields: { name: TEXT, version_number: NUMBER, creation_timestamp: NUMBER, last_updated_timestamp: NUMBER },
      },
    },
  },
};

/** Columns whose names are not those of filters. */
const COLUMNS: { readonly [key: string]: string } = {
  creation_timestamp: "creation_time",
  last_updated_timestamp: "last_updated_time",
  version_number: "version",
  source_path: "source",
};

/** What marks prompts, which MLflow keeps among models. */
const PROMPT_TAG = "mlflow.prompt.is_prompt";

interface Search {
  readonly table: string;
  readonly grammars: Grammars;
  readonly limit: number;
  readonly tags: { readonly table: string; readonly tie: string };
  /** What ties the tags that mark a prompt. */
  readonly promptTie: string;
  /** What is looked at whatever the filter. */
  readonly always: string;
  readonly order: readonly string[];
  readonly tieBreakers: readonly string[];
}

const MODEL_TIE = "registered_model_tags.workspace = 'default' AND registered_model_tags.name = registered_models.name";
const VERSION_TIE = "model_version_tags.workspace = 'default' AND model_version_tags.name = model_versions.name";

const MODEL_SEARCH: Search = {
  table: "registered_models",
  grammars: MODELS,
  limit: 1000,
  tags: {
    table: "registered_model_tags",
    tie: MODEL_TIE,
  },
  promptTie: MODEL_TIE,
  always: "registered_models.workspace = 'default'",
  order: [],
  tieBreakers: ["name ASC"],
};

const VERSION_SEARCH: Search = {
  table: "model_versions",
  grammars: VERSIONS,
  limit: 200_000,
  tags: {
    table: "model_version_tags",
    tie: `${VERSION_TIE} AND model_version_tags.version = model_versions.version`,
  },
  // One marked version makes all of its model prompts.
  promptTie: VERSION_TIE,
  always: `model_versions.workspace = 'default' AND ${NOT_REMOVED}`,
  order: ["last_updated_timestamp DESC", "name ASC", "version_number DESC"],
  tieBreakers: ["name ASC", "version DESC"],
};

/** Looks for registered models. */
export function searchRegisteredModels(database: Database, options: SearchRegistryOptions): Page<RegisteredModel> {
  const { items, ...page } = search(database, MODEL_SEARCH, "search registered models", options);
  return { ...page, items: loadRegisteredModels(database, items) };
}

/** Looks for versions. */
export function searchModelVersions(database: Database, options: SearchRegistryOptions): Page<ModelVersion> {
  const { items, ...page } = search(database, VERSION_SEARCH, "search versions of models", options);
  return { ...page, items: loadVersions(database, items) };
}

function search(database: Database, about: Search, action: string, options: SearchRegistryOptions): Page<Row> {
  const { table, grammars, limit } = about;
  const range = pageRange(action, options, { maxResults: 100, limit });
  const where = whereOf(about, parseFilter(options.filter, grammars.filter));
  const order = orderOf(about, options.orderBy ?? about.order);
  const values: SqlValue[] = [...where.values, range.maxResults + 1, range.offset];
  return database.read(() =>
    toPage(
      database.all(`SELECT ${table}.* FROM ${table} WHERE ${where.sql} ORDER BY ${order} LIMIT ? OFFSET ?`, values),
      range,
    )
  );
}

/** Prompts are found where they are asked for only. */
function whereOf(about: Search, comparisons: readonly Comparison<Entity>[]): Condition {
  const isMark = ({ entity, key }: Comparison<Entity>) => entity === "tag" && key === PROMPT_TAG;
  const mark = comparisons.find(isMark);
  const wantsPrompts = mark !== undefined && (mark.comparator === "=" || mark.comparator === "!=") &&
    String(mark.value).toLowerCase() === String(mark.comparator === "=");
  return allOf([
    { sql: about.always, values: [] },
    // Other things than prompts lack the mark, so that no condition on it would find them.
    ...comparisons.filter((comparison) => wantsPrompts || !isMark(comparison))
      .map((comparison) => conditionOf(about, comparison)),
    ...wantsPrompts ? [] : [withoutPrompts(about)],
  ]);
}

function conditionOf({ table, tags }: Search, comparison: Comparison<Entity>): Condition {
  if (comparison.entity === "tag") return existsWhere(tags, comparison);
  return compare(`${table}.${COLUMNS[comparison.key] ?? comparison.key}`, comparison);
}

function withoutPrompts({ tags: { table }, promptTie }: Search): Condition {
  return {
    sql: `NOT EXISTS (SELECT 1 FROM ${table} WHERE ${table}.key = ? AND ${table}.value = 'true' AND ${promptTie})`,
    values: [PROMPT_TAG],
  };
}

function orderOf({ table, grammars, tieBreakers }: Search, orderBy: readonly string[]): string {
  const terms = orderBy.map((text) => {
    const { key, ascending } = parseOrderBy(text, grammars.order);
    return `${table}.${COLUMNS[key] ?? key} ${ascending ? "ASC" : "DESC"}`;
  });
  return [...terms, ...tieBreakers.map((term) => `${table}.${term}`)].join(", ");
}
