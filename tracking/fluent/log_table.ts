import { TrackingError } from "../errors.ts";
import { artifactsOf, type LogContentOptions, putText } from "./log_artifacts.ts";
import { type Target, targetOf } from "./_target.ts";

/** Rows, each an object of columns; or columns, each a list of values as long as the others. */
export type TableData =
  | readonly { readonly [column: string]: unknown }[]
  | { readonly [column: string]: readonly unknown[] };

/** A table as MLflow keeps it in a file. */
interface Table {
  readonly columns: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

/** Where MLflow looks for the tables of a run. */
const LOGGED_ARTIFACTS = "mlflow.loggedArtifacts";

/** Tables are read, added to, and written: by one call at a time for each run. */
const pending = new Map<string, Promise<void>>();

/**
 * Logs a table as a JSON file, which MLflow's page shows and its `load_table` reads. If the file exists, the rows are
 * added to it; columns that one of them lacks are filled with null. Calls for the same run wait for each other, in this
 * process.
 *
 * @example Rows
 * ```ts
 * import { closeTracking, logTable, setTrackingUri, startRun } from "@chatmodel/chat-model/tracking";
 *
 * const folder = await Deno.makeTempDir();
 * setTrackingUri(`sqlite:///${folder}/mlflow.db`);
 * await startRun({ experimentId: "0" }, async () => {
 *   await logTable([{ question: "What is Deno?", answer: "A runtime" }], "answers.json");
 *   await logTable({ question: ["What is MLflow?"], answer: ["A platform"] }, "answers.json");
 * });
 * await closeTracking();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @param data Rows or columns.
 * @param file Path of the file among the run's artifacts, ending in `.json`.
 * @param options Which run. Default: the active one; where there is none, one is started.
 * @throws {TrackingError} If the name does not end in `.json`, if columns differ in length, or if the file there holds
 *   no table (`INVALID_PARAMETER_VALUE`).
 */
export async function logTable(data: TableData, file: string, options: LogContentOptions = {}): Promise<void> {
  if (!file.endsWith(".json")) {
    throw invalid(`Cannot log table "${file}": tables are kept as JSON. Give it a name that ends in ".json"`);
  }
  const table = toTable(data, file);
  const target = await targetOf(options);
  const key = `${target.store.uri} ${target.runId}`;
  const before = pending.get(key) ?? Promise.resolve();
  // A call that failed is its caller's to hear of; those behind it go on.
  const work = before.catch(() => {}).then(() => append(target, { table, file, options }));
  pending.set(key, work);
  try {
    await work;
  } finally {
    if (pending.get(key) === work) pending.delete(key);
  }
}

async function append(
  target: Target,
  { table, file, options }: { readonly table: Table; readonly file: string; readonly options: LogContentOptions },
): Promise<void> {
  const artifacts = await artifactsOf(target);
  const folder = file.slice(0, Math.max(file.lastIndexOf("/"), 0));
  const exists = (await artifacts.list(folder)).some(({ path }) => path === file);
  const all = exists
    ? concatenate(parseTable(await new Response(await artifacts.get(file)).text(), file), table)
    : table;
  await putText(artifacts, { file, text: toJson(all, file), options });
  const { store, runId } = target;
  const noted = parseNotes((await store.getRun(runId)).data.tags[LOGGED_ARTIFACTS]);
  if (noted.some((note) => isObject(note) && note["path"] === file && note["type"] === "table")) return;
  await store.logBatch(runId, {
    tags: { [LOGGED_ARTIFACTS]: JSON.stringify([...noted, { path: file, type: "table" }]) },
  });
}

function toTable(data: TableData, file: string): Table {
  if (isRows(data)) {
    const columns = [...new Set(data.flatMap((row) => Object.keys(row)))];
    return { columns, data: data.map((row) => columns.map((column) => row[column])) };
  }
  const columns = Object.keys(data);
  const lengths = new Set(columns.map((column) => data[column]?.length ?? 0));
  if (lengths.size > 1) {
    const found = columns.map((column) => `"${column}" has ${data[column]?.length}`).join(", ");
    throw invalid(`Cannot log table "${file}": all columns must have as many rows, but ${found}`);
  }
  const [length = 0] = lengths;
  return { columns, data: Array.from({ length }, (_, row) => columns.map((column) => data[column]?.[row])) };
}

function isRows(data: TableData): data is readonly { readonly [column: string]: unknown }[] {
  return Array.isArray(data);
}

function concatenate(above: Table, below: Table): Table {
  const columns = [...new Set([...above.columns, ...below.columns])];
  const rows = [above, below].flatMap((table) => {
    const positions = columns.map((column) => table.columns.indexOf(column));
    return table.data.map((row) => positions.map((position) => row[position]));
  });
  return { columns, data: rows };
}

function parseTable(text: string, file: string): Table {
  try {
    const table: unknown = JSON.parse(text);
    if (isObject(table) && isArrayOf(table["columns"], isString) && isArrayOf(table["data"], isArray)) {
      return { columns: table["columns"], data: table["data"] };
    }
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw invalid(`Cannot add to table "${file}": the file that is there holds no table. Choose another name`);
}

/** What stands in the tag; what is no list is written anew, as it is of no use to anyone. */
function parseNotes(text: string | undefined): readonly unknown[] {
  try {
    const notes: unknown = JSON.parse(text ?? "[]");
    return isArray(notes) ? notes : [];
  } catch {
    return [];
  }
}

function toJson(table: Table, file: string): string {
  try {
    return JSON.stringify(table);
  } catch (cause) {
    const message = `Cannot log table "${file}": a value has no JSON form. Log it as text`;
    throw new TrackingError("INVALID_PARAMETER_VALUE", message, { cause });
  }
}

function invalid(message: string): TrackingError {
  return new TrackingError("INVALID_PARAMETER_VALUE", message);
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isArrayOf<Item>(value: unknown, isItem: (item: unknown) => item is Item): value is readonly Item[] {
  return isArray(value) && value.every(isItem);
}
