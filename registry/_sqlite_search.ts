import type { Page } from "../tracking/mod.ts";
import {
  type Comparison,
  type FilterField,
  type FilterGrammar,
  NUMBER_COMPARATORS,
  parseFilter,
  parseOrderBy,
  TEXT_COMPARATORS,
} from "../tracking/filter.ts";
import { pageRange, toPage } from "../tracking/pages.ts";
import type { Database, SqlValue } from "../tracking/sqlite/database.ts";
import { allOf, compare, type Condition, existsWhere } from "../tracking/sqlite/conditions.ts";
import type { ModelVersion, RegisteredModel } from "./entities.ts";
import type { SearchRegistryOptions } from "./model_registry.ts";
import { loadRegisteredModels, loadVersions, NOT_REMOVED } from "./_sqlite_rows.ts";

type Entity = "attribute" | "tag";

const TEXT: FilterField = { type: "text", comparators: TEXT_COMPARATORS };
const LISTED: FilterField = { type: "text", comparators: [...TEXT_COMPARATORS, "IN"] };
const NUMBER: FilterField = { type: "number", comparators: NUMBER_COMPARATORS };
const TAGS = { names: ["tags"], keys: { any: TEXT } } as const;

const MODELS: FilterGrammar<Entity> = {
  attribute: {
    names: ["attributes", "attr"],
    keys: {
      fields: {
        name: TEXT,
        creation_timestamp: NUMBER,
        last_updated_timestamp: NUMBER,
        timestamp: { ...NUMBER, aliasOf: "last_updated_timestamp" },
      },
    },
  },
  tag: TAGS,
};

const VERSIONS: FilterGrammar<Entity> = {
  attribute: {
    names: ["attributes", "attr"],
    keys: {
      fields: {
        name: TEXT,
        version_number: NUMBER,
        run_id: LISTED,
        source_path: TEXT,
        creation_timestamp: NUMBER,
        last_updated_timestamp: NUMBER,
      },
    },
  },
  tag: TAGS,
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
  readonly grammar: FilterGrammar<Entity>;
  readonly tags: { readonly table: string; readonly tie: string };
  /** What is looked at whatever the filter. */
  readonly always: string;
  readonly order: readonly string[];
  readonly tieBreakers: readonly string[];
}

const MODEL_SEARCH: Search = {
  table: "registered_models",
  grammar: MODELS,
  tags: {
    table: "registered_model_tags",
    tie: "registered_model_tags.workspace = 'default' AND registered_model_tags.name = registered_models.name",
  },
  always: "registered_models.workspace = 'default'",
  order: [],
  tieBreakers: ["name ASC"],
};

const VERSION_SEARCH: Search = {
  table: "model_versions",
  grammar: VERSIONS,
  tags: {
    table: "model_version_tags",
    tie: "model_version_tags.workspace = 'default' AND model_version_tags.name = model_versions.name AND " +
      "model_version_tags.version = model_versions.version",
  },
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

function search(database: Database, about: Search, action: string, options: SearchRegistryOptions) {
  const { table, grammar } = about;
  const range = pageRange(action, options, { maxResults: 100, limit: 1000 });
  const comparisons = parseFilter(options.filter, grammar);
  const where = allOf([
    { sql: about.always, values: [] },
    ...comparisons.map((comparison) => conditionOf(about, comparison)),
    ...comparisons.some(({ key }) => key === PROMPT_TAG) ? [] : [withoutPrompts(about)],
  ]);
  const order = orderOf(about, options.orderBy ?? about.order);
  const values: SqlValue[] = [...where.values, range.maxResults + 1, range.offset];
  return database.read(() =>
    toPage(
      database.all(`SELECT ${table}.* FROM ${table} WHERE ${where.sql} ORDER BY ${order} LIMIT ? OFFSET ?`, values),
      range,
    )
  );
}

function conditionOf({ table, tags }: Search, comparison: Comparison<Entity>): Condition {
  const { entity, key, comparator, value } = comparison;
  if (entity === "attribute") return compare(`${table}.${COLUMNS[key] ?? key}`, comparison);
  // Things without the mark are no prompts, which is what is asked for.
  if (key === PROMPT_TAG && comparator === "!=" && value === "true") return notMarked(tags);
  return existsWhere(tags, comparison);
}

function withoutPrompts({ tags }: Search): Condition {
  return notMarked(tags);
}

function notMarked({ table, tie }: Search["tags"]): Condition {
  return {
    sql: `NOT EXISTS (SELECT 1 FROM ${table} WHERE ${table}.key = ? AND ${table}.value = 'true' AND ${tie})`,
    values: [PROMPT_TAG],
  };
}

function orderOf({ table, grammar, tieBreakers }: Search, orderBy: readonly string[]): string {
  const terms = orderBy.map((text) => {
    const { key, ascending } = parseOrderBy(text, { attribute: grammar.attribute });
    return `${table}.${COLUMNS[key] ?? key} ${ascending ? "ASC" : "DESC"}`;
  });
  return [...terms, ...tieBreakers.map((term) => `${table}.${term}`)].join(", ");
}
