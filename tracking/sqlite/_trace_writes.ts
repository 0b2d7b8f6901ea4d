import type { Tags } from "../entities.ts";
import { objectOf } from "../_span_translation.ts";
import type { TraceFacts } from "../_trace_facts.ts";
import { dumpJson } from "../_trace_json.ts";
import { TRACE_KEYS } from "../_trace_keys.ts";
import { ALL_TOKEN_KEYS, COST_KEYS, sumCost, sumTokens, type Totals, type UsageNode } from "../_trace_usage.ts";
import type { TraceTables } from "./_trace_tables.ts";
import type { Database, Row } from "./database.ts";
import { optionalText, textOf } from "./_rows.ts";

/** A database and which tables it has, in the transaction in course. */
export interface TraceDatabase {
  readonly database: Database;
  readonly tables: TraceTables;
}

/** Sets tags of a trace; its name is in a column, where there is one. */
export function writeTraceTags({ database, tables }: TraceDatabase, traceId: string, tags: Tags): void {
  for (const [key, value] of Object.entries(tags)) {
    if (key === TRACE_KEYS.name && tables.has("trace_info.trace_name")) {
      database.run("UPDATE trace_info SET trace_name = ? WHERE request_id = ?", [value, traceId]);
      continue;
    }
    database.run(
      "INSERT INTO trace_tags (key, value, request_id) VALUES (?, ?, ?) " +
        "ON CONFLICT (key, request_id) DO UPDATE SET value = excluded.value",
      [key, value, traceId],
    );
  }
}

/** Sets metadata of a trace. */
export function writeTraceMetadata(database: Database, traceId: string, metadata: Tags): void {
  for (const [key, value] of Object.entries(metadata)) {
    database.run(
      "INSERT INTO trace_request_metadata (key, value, request_id) VALUES (?, ?, ?) " +
        "ON CONFLICT (key, request_id) DO UPDATE SET value = excluded.value",
      [key, value, traceId],
    );
  }
}

/** What is written of a trace. */
export interface FiguresOf {
  readonly traceId: string;
  /** Its row before. */
  readonly row: Row;
  readonly trace: TraceFacts;
  /** Whether its maker has said all that there is to say: tokens and cost that it said stay. */
  readonly isFinalized: boolean;
  /** Whether it was made just now. */
  readonly isNew: boolean;
}

/** Session, tokens and cost: in columns where there are such, else among the metadata, as versions of MLflow differ. */
export function writeTraceFigures(db: TraceDatabase, { traceId, row, trace, isFinalized, isNew }: FiguresOf): void {
  const { session, spans } = trace;
  if (session !== undefined && known(db, row, { key: TRACE_KEYS.session, column: "session_id" }) === undefined) {
    writeFigure(db, traceId, { key: TRACE_KEYS.session, column: "session_id", value: session });
  }
  for (const figure of FIGURES) {
    if (!spans.some(({ attributes }) => attributes[figure.attribute] !== undefined)) continue;
    if (isFinalized && known(db, row, figure) !== undefined) continue;
    // A parent may tell the sum of children that came before it: only all spans together tell what is to be counted.
    const nodes = isNew ? nodesOf(trace, figure.attribute) : storedNodes(db.database, traceId, figure.attribute);
    const totals = figure.sum(nodes);
    if (totals !== undefined) writeTotals(db, traceId, { ...figure, totals });
  }
}

/** A figure that spans have, and its trace. */
interface Figure {
  readonly key: string;
  readonly attribute: string;
  /** A column that tells whether columns have it. */
  readonly column: string;
  readonly columns: readonly string[];
  readonly sum: (nodes: readonly UsageNode[]) => Totals | undefined;
}

const FIGURES: readonly Figure[] = [
  {
    key: TRACE_KEYS.tokenUsage,
    attribute: "mlflow.chat.tokenUsage",
    column: "total_tokens",
    columns: ALL_TOKEN_KEYS,
    sum: sumTokens,
  },
  { key: TRACE_KEYS.cost, attribute: "mlflow.llm.cost", column: "total_cost", columns: COST_KEYS, sum: sumCost },
];

function known(
  { database, tables }: TraceDatabase,
  row: Row,
  { key, column }: { readonly key: string; readonly column: string },
): string | undefined {
  if (tables.has(`trace_info.${column}`)) return optionalText(row, column);
  const found = database.get("SELECT value FROM trace_request_metadata WHERE request_id = ? AND key = ?", [
    textOf(row, "request_id"),
    key,
  ]);
  return found === undefined ? undefined : textOf(found, "value");
}

function writeFigure(
  { database, tables }: TraceDatabase,
  traceId: string,
  { key, column, value }: { readonly key: string; readonly column: string; readonly value: string },
): void {
  if (!tables.has(`trace_info.${column}`)) return writeTraceMetadata(database, traceId, { [key]: value });
  database.run(`UPDATE trace_info SET ${column} = ? WHERE request_id = ?`, [value, traceId]);
}

function writeTotals(
  { database, tables }: TraceDatabase,
  traceId: string,
  { key, column, columns, totals }: Figure & { readonly totals: Totals },
): void {
  if (tables.has(`trace_info.${column}`)) {
    const present = columns.filter((name) => totals[name] !== undefined && tables.has(`trace_info.${name}`));
    database.run(
      `UPDATE trace_info SET ${present.map((name) => `${name} = ?`).join(", ")} WHERE request_id = ?`,
      [...present.map((name) => totals[name] ?? null), traceId],
    );
    return;
  }
  writeTraceMetadata(database, traceId, { [key]: dumpJson(totals) ?? "{}" });
  if (key !== TRACE_KEYS.tokenUsage || !tables.has("trace_metrics.value")) return;
  for (const [name, value] of Object.entries(totals)) {
    database.run(
      "INSERT INTO trace_metrics (request_id, key, value) VALUES (?, ?, ?) " +
        "ON CONFLICT (request_id, key) DO UPDATE SET value = excluded.value",
      [traceId, name, value],
    );
  }
}

function nodesOf({ spans }: TraceFacts, attribute: string): UsageNode[] {
  return spans.map(({ spanId, parentId, attributes }) => ({
    spanId,
    parentId,
    usage: objectOf(attributes[attribute]),
  }));
}

/** What all spans of a trace say, those that were written just now among them. */
function storedNodes(database: Database, traceId: string, attribute: string): UsageNode[] {
  const sql = "SELECT span_id, parent_span_id, json_extract(content, ?) AS usage FROM spans WHERE trace_id = ?";
  return database.all(sql, [`$.attributes."${attribute}"`, traceId]).map((row) => ({
    spanId: textOf(row, "span_id"),
    parentId: optionalText(row, "parent_span_id"),
    usage: objectOf(optionalText(row, "usage")),
  }));
}
