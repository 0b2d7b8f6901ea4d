import type { RowResult } from "../run/row_result.ts";
import type { RowSource } from "./evaluation_result.ts";

/** Path of the table among a run's artifacts. */
export const TABLE_FILE = "eval_results.json";

/** Bytes that are put together before they are handed on. */
const PIECE = 64 * 1024;

type Cell = (row: RowResult) => unknown;

/**
 * The rows as a table in MLflow's form (`{ "columns": […], "data": [[…], …] }`), as its `load_table` reads it and its
 * page shows it. Columns are named as in MLflow's `result_df`: `<score>/value`, `/rationale`, `/error_message`,
 * `<expectation>/value`, `state`, `request_time`, `execution_duration` (ms), `request`, `response`.
 *
 * @param source The rows; they are read twice.
 * @returns The bytes of the JSON. No more than a piece of it is in memory.
 */
export async function tableOf(source: RowSource): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const columns = await columnsOf(source);
  return ReadableStream.from(encode(source, columns));
}

async function columnsOf(source: RowSource): Promise<ReadonlyMap<string, Cell>> {
  const scores = new Map<string, { rationale: boolean; error: boolean }>();
  const expectations = new Set<string>();
  const seen = { tags: false, error: false, conversation: false, seed: false };
  for await (const row of source.rows()) {
    for (const [name, { rationale, error }] of Object.entries(row.scores)) {
      const score = scores.get(name) ?? { rationale: false, error: false };
      scores.set(name, {
        rationale: score.rationale || rationale !== undefined,
        error: score.error || error !== undefined,
      });
    }
    for (const name of Object.keys(row.expectations)) expectations.add(name);
    seen.tags ||= Object.keys(row.tags).length > 0;
    seen.error ||= row.error !== undefined;
    seen.conversation ||= row.conversation !== undefined;
    seen.seed ||= row.seed !== undefined;
  }
  const columns = new Map<string, Cell>([["row_id", ({ id }) => id]]);
  for (const [name, { rationale, error }] of scores) {
    columns.set(`${name}/value`, (row) => row.scores[name]?.value);
    if (rationale) columns.set(`${name}/rationale`, (row) => row.scores[name]?.rationale);
    if (error) columns.set(`${name}/error_message`, (row) => row.scores[name]?.error?.message);
  }
  for (const name of expectations) {
    const column = columns.has(`${name}/value`) ? `expectations/${name}/value` : `${name}/value`;
    columns.set(column, (row) => row.expectations[name]);
  }
  columns.set("client_request_id", ({ requestId }) => requestId);
  columns.set("state", ({ state }) => state);
  if (seen.error) columns.set("error_message", ({ error }) => error?.message);
  columns.set("request_time", ({ startTime }) => startTime);
  columns.set("execution_duration", ({ latency }) => latency);
  columns.set("request", ({ inputs }) => inputs);
  columns.set("response", ({ output }) => output);
  if (seen.conversation) columns.set("conversation", ({ conversation }) => conversation);
  if (seen.seed) columns.set("seed", ({ seed }) => seed);
  if (seen.tags) columns.set("tags", ({ tags }) => tags);
  return columns;
}

async function* encode(
  source: RowSource,
  columns: ReadonlyMap<string, Cell>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let text = `{"columns":${JSON.stringify([...columns.keys()])},"data":[`;
  let first = true;
  for await (const row of source.rows()) {
    const cells = [...columns.values()].map((cell) => cell(row) ?? null);
    text += (first ? "" : ",") + JSON.stringify(cells);
    first = false;
    if (text.length < PIECE) continue;
    yield encoder.encode(text);
    text = "";
  }
  yield encoder.encode(text + "]}");
}
