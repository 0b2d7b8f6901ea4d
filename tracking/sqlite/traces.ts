import { TrackingError } from "../errors.ts";
import type { TraceInfo, TraceSpan } from "../trace_entities.ts";
import type { DeleteTracesOptions } from "../trace_store.ts";
import { checkDeletion, checkTraceTag } from "../_trace_checks.ts";
import { TRACE_KEYS } from "../_trace_keys.ts";
import { requireTrace } from "./assessments.ts";
import type { Database, SqlValue } from "./database.ts";
import { loadSpans, loadTraceInfos } from "./_load_traces.ts";
import { experimentKey, requireRun } from "./_records.ts";
import { newId, only } from "./_rows.ts";
import { traceTables } from "./_trace_tables.ts";
import { writeTraceTags } from "./_trace_writes.ts";

/** Traces of a database: reading, tags, links, deletion. */
export class Traces {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A trace, with those of its spans that are in the database. */
  get(traceId: string): { readonly info: TraceInfo; readonly spans: TraceSpan[] } {
    const database = this.#database;
    const action = `get trace "${traceId}"`;
    return database.read(() => {
      traceTables(database, action);
      const row = requireTrace(database, action, traceId);
      return { info: only(loadTraceInfos(database, [row])), spans: loadSpans(database, traceId) };
    });
  }

  setTag(traceId: string, tag: { readonly key: string; readonly value: string }): void {
    const database = this.#database;
    const action = `set tag "${tag.key}" of trace "${traceId}"`;
    checkTraceTag(action, tag);
    database.write(() => {
      const tables = traceTables(database, action);
      requireTrace(database, action, traceId);
      writeTraceTags({ database, tables }, traceId, { [tag.key]: tag.value });
    });
  }

  deleteTag(traceId: string, key: string): void {
    const database = this.#database;
    const action = `delete tag "${key}" of trace "${traceId}"`;
    database.write(() => {
      const tables = traceTables(database, action);
      requireTrace(database, action, traceId);
      const hasColumn = key === TRACE_KEYS.name && tables.has("trace_info.trace_name");
      const sql = hasColumn
        ? "UPDATE trace_info SET trace_name = NULL WHERE request_id = ? AND trace_name IS NOT NULL"
        : "DELETE FROM trace_tags WHERE request_id = ? AND key = ?";
      if (database.run(sql, hasColumn ? [traceId] : [traceId, key]) > 0) return;
      throw new TrackingError("RESOURCE_DOES_NOT_EXIST", `Cannot ${action}: it has no such tag`);
    });
  }

  delete(options: DeleteTracesOptions): number {
    const database = this.#database;
    const action = `delete traces of experiment "${options.experimentId}"`;
    checkDeletion(action, options);
    const { experimentId, traceIds, maxRequestTime, maxTraces } = options;
    const conditions: string[] = ["experiment_id = ?"];
    const values: SqlValue[] = [experimentKey(action, experimentId)];
    if (traceIds !== undefined) {
      conditions.push("request_id IN (SELECT value FROM json_each(?))");
      values.push(JSON.stringify(traceIds));
    }
    if (maxRequestTime !== undefined) {
      conditions.push("timestamp_ms <= ?");
      values.push(maxRequestTime);
    }
    const limit = maxTraces === undefined ? "" : " ORDER BY timestamp_ms, request_id LIMIT ?";
    if (maxTraces !== undefined) values.push(maxTraces);
    return database.write(() => {
      traceTables(database, action);
      const chosen = `SELECT request_id FROM trace_info WHERE ${conditions.join(" AND ")}${limit}`;
      // Nothing else knows of the links that go from a trace.
      const links = `DELETE FROM entity_associations WHERE source_type = 'trace' AND source_id IN (${chosen})`;
      database.run(links, values);
      // Tags, metadata, spans and assessments go with it.
      return database.run(`DELETE FROM trace_info WHERE request_id IN (${chosen})`, values);
    });
  }

  linkToRun(runId: string, traceIds: readonly string[]): void {
    const database = this.#database;
    const action = `link traces to run "${runId}"`;
    database.write(() => {
      traceTables(database, action);
      requireRun(database, action, runId);
      for (const traceId of traceIds) {
        requireTrace(database, `${action}: trace "${traceId}"`, traceId);
        database.run(
          "INSERT INTO entity_associations (association_id, source_type, source_id, destination_type, destination_id, " +
            "created_time) VALUES (?, 'trace', ?, 'run', ?, ?) ON CONFLICT DO NOTHING",
          [newId(), traceId, runId, Date.now()],
        );
      }
    });
  }
}
