import { readSpan, sortSpans } from "../_read_spans.ts";
import { dumpJson, parseWithTimes } from "../_trace_json.ts";
import { derivedFacts, stateOf } from "../_trace_info.ts";
import { TRACE_KEYS } from "../_trace_keys.ts";
import { ALL_TOKEN_KEYS, COST_KEYS } from "../_trace_usage.ts";
import type { Assessment, TraceInfo, TraceSpan } from "../trace_entities.ts";
import type { Database, Row } from "./database.ts";
import { loadAssessments } from "./assessments.ts";
import { numberOf, optionalNumber, optionalText, textOf } from "./_rows.ts";

/**
 * Reads what there is to know of traces but their spans, by one query for each kind of thing, however many there are.
 *
 * @param database The database.
 * @param rows Rows of `trace_info`.
 * @returns The traces, in the same order.
 */
export function loadTraceInfos(database: Database, rows: readonly Row[]): TraceInfo[] {
  const ids = JSON.stringify(rows.map((row) => textOf(row, "request_id")));
  const tags = pairsByTrace(database, ids, "trace_tags");
  const metadata = pairsByTrace(database, ids, "trace_request_metadata");
  const assessments = Map.groupBy(loadAssessments(database, ids), ({ traceId }) => traceId);
  return rows.map((row) => {
    const traceId = textOf(row, "request_id");
    return toTraceInfo(row, {
      tags: tags.get(traceId) ?? new Map(),
      metadata: metadata.get(traceId) ?? new Map(),
      assessments: assessments.get(traceId) ?? [],
    });
  });
}

interface Belongings {
  readonly tags: ReadonlyMap<string, string>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly assessments: readonly Assessment[];
}

function toTraceInfo(row: Row, { assessments, ...pairs }: Belongings): TraceInfo {
  const tags = Object.fromEntries([...pairs.tags, ...columnPairs(row, TAG_COLUMNS)]);
  const metadata = Object.fromEntries([...pairs.metadata, ...columnPairs(row, METADATA_COLUMNS)]);
  const executionDuration = optionalNumber(row, "execution_time_ms");
  const clientRequestId = optionalText(row, "client_request_id");
  const requestPreview = optionalText(row, "request_preview");
  const responsePreview = optionalText(row, "response_preview");
  return {
    traceId: textOf(row, "request_id"),
    experimentId: textOf(row, "experiment_id"),
    ...derivedFacts(tags, metadata),
    state: stateOf(textOf(row, "status")),
    requestTime: numberOf(row, "timestamp_ms"),
    ...(executionDuration !== undefined && { executionDuration }),
    ...(requestPreview !== undefined && { requestPreview }),
    ...(responsePreview !== undefined && { responsePreview }),
    ...(clientRequestId !== undefined && { clientRequestId }),
    tags,
    metadata,
    assessments,
  };
}

type ColumnPair = readonly [key: string, valueOf: (row: Row) => string | undefined];

const TAG_COLUMNS: readonly ColumnPair[] = [[TRACE_KEYS.name, (row) => optionalText(row, "trace_name")]];
const METADATA_COLUMNS: readonly ColumnPair[] = [
  [TRACE_KEYS.session, (row) => optionalText(row, "session_id")],
  [TRACE_KEYS.tokenUsage, (row) => figuresOf(row, ALL_TOKEN_KEYS)],
  [TRACE_KEYS.cost, (row) => figuresOf(row, COST_KEYS)],
];

/** What newer databases have in columns stands among tags and metadata for whoever reads, as MLflow does it. */
function columnPairs(row: Row, pairs: readonly ColumnPair[]): [string, string][] {
  return pairs.flatMap(([key, valueOf]): [string, string][] => {
    const value = valueOf(row);
    return value === undefined ? [] : [[key, value]];
  });
}

function figuresOf(row: Row, columns: readonly string[]): string | undefined {
  const figures = columns.flatMap((column): [string, number][] => {
    const value = optionalNumber(row, column);
    return value === undefined ? [] : [[column, value]];
  });
  return figures.length === 0 ? undefined : dumpJson(Object.fromEntries(figures));
}

function pairsByTrace(
  database: Database,
  ids: string,
  table: "trace_tags" | "trace_request_metadata",
): Map<string, Map<string, string>> {
  const pairs = new Map<string, Map<string, string>>();
  const sql = `SELECT request_id, key, value FROM ${table} WHERE request_id IN (SELECT value FROM json_each(?))`;
  for (const row of database.all(sql, [ids])) {
    const traceId = textOf(row, "request_id");
    const own = pairs.get(traceId) ?? new Map<string, string>();
    own.set(textOf(row, "key"), textOf(row, "value"));
    pairs.set(traceId, own);
  }
  return pairs;
}

/** The spans of a trace that are in the database. */
export function loadSpans(database: Database, traceId: string): TraceSpan[] {
  const rows = database.all("SELECT content FROM spans WHERE trace_id = ? AND content <> ''", [traceId]);
  return sortSpans(rows.map((row) => readSpan(traceId, parseWithTimes(textOf(row, "content")))));
}
