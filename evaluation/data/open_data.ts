import { basename, extname, fromFileUrl } from "@std/path";
import { ChatModelError, ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { sha256 } from "../_canonical_json.ts";
import type { EvaluationRow, PreparedRow } from "./evaluation_row.ts";
import { type BareRow, prepareRow, type RowPurpose } from "./prepare_row.ts";
import { NotAnArrayError, readJsonArray } from "./read_json_array.ts";
import { readLines } from "./read_lines.ts";

/** Rows, or the path or `file:` URL of a file of rows: `.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`. */
export type EvaluationData = readonly EvaluationRow[] | string | URL;

/** Most things that one error tells of. */
const MOST_ISSUES = 20;
/** Digits of a row's digest that name it. */
const ID_LENGTH = 16;

/** Data that has been read once: it is known to be right. */
export interface OpenData {
  /** The file, or `undefined` where the rows are in memory. */
  readonly path: string | undefined;
  /** Name for people: that of the file, or `dataset`, as MLflow says. */
  readonly name: string;
  /** SHA-256 of all rows. */
  readonly digest: string;
  /** How many rows there are. */
  readonly count: number;
  /** Names of the rows, in their order. */
  readonly ids: readonly string[];
  /** The first row as it stands in the data, from which a schema can be told. */
  readonly example: unknown;
  /**
   * Reads the rows once more. No more than one is in memory at a time.
   *
   * @throws {ChatModelError} If the file has changed meanwhile.
   */
  rows(): AsyncGenerator<PreparedRow>;
}

/**
 * Reads data through: finds all that is wrong before anyone is asked, counts the rows and names them.
 *
 * @param data The data.
 * @param options What the rows are for, and whether to give up.
 * @returns The data.
 * @throws {ValidationError} If it cannot be read or a row is wrong: the first 20 faults are in it, with their places.
 */
export async function openData(
  data: EvaluationData,
  { purpose, signal }: { readonly purpose: RowPurpose; readonly signal?: AbortSignal | undefined },
): Promise<OpenData> {
  const source = sourceOf(data);
  const issues: ValidationIssue[] = [];
  const ids: string[] = [];
  const known = new Set<string>();
  const places = new Map<string, number>();
  const digests: string[] = [];
  let example: unknown;
  for await (const { place, value } of source.read()) {
    signal?.throwIfAborted();
    if (issues.length >= MOST_ISSUES) break;
    let row: BareRow;
    try {
      row = prepareRow(value, purpose);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      issues.push(
        ...error.issues.map(({ path, message }) => ({ path: path === "" ? place : `${place}.${path}`, message })),
      );
      continue;
    }
    example ??= value;
    const { givenId, digest } = row;
    if (givenId !== undefined && known.has(givenId)) {
      issues.push({ path: `${place}.id`, message: `is the id of two rows: "${shortened(givenId)}"` });
    }
    const id = givenId ?? nextId(digest, known, places);
    known.add(id);
    ids.push(id);
    digests.push(sha256(`${id} ${digest}`));
  }
  if (issues.length > 0) throw new ValidationError(`Cannot read rows of ${source.title}`, issues.slice(0, MOST_ISSUES));
  if (ids.length === 0) {
    throw new ValidationError(`Cannot evaluate on ${source.title}`, [{ path: "data", message: "has no rows" }]);
  }
  return {
    path: source.path,
    name: source.path === undefined ? "dataset" : basename(source.path),
    digest: sha256(digests.join("\n")),
    count: ids.length,
    ids,
    example,
    rows: () => readAgain(source, { ids, digests, purpose }),
  };
}

async function* readAgain(
  source: Source,
  { ids, digests, purpose }: {
    readonly ids: readonly string[];
    readonly digests: readonly string[];
    readonly purpose: RowPurpose;
  },
): AsyncGenerator<PreparedRow> {
  let index = 0;
  for await (const { value } of source.read()) {
    const { givenId: _, ...row } = prepareRow(value, purpose);
    const id = ids[index] ?? "";
    if (sha256(`${id} ${row.digest}`) !== digests[index]) throw changed(source);
    yield { ...row, index, id };
    index++;
  }
  if (index < ids.length) throw changed(source);
}

function changed({ title }: Source): ChatModelError {
  return new ChatModelError(`Cannot go on with ${title}: it has changed since the evaluation began. Start again`, {
    code: "invalid_value",
    param: "data",
  });
}

/** Rows that are alike are told apart by a number. */
function nextId(digest: string, known: ReadonlySet<string>, places: Map<string, number>): string {
  const base = digest.slice(0, ID_LENGTH);
  for (let number = (places.get(base) ?? 0) + 1;; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    places.set(base, number);
    if (!known.has(id)) return id;
  }
}

interface Source {
  readonly path: string | undefined;
  /** As errors call it. */
  readonly title: string;
  read(): AsyncGenerator<{ readonly place: string; readonly value: unknown }>;
}

function sourceOf(data: EvaluationData): Source {
  if (typeof data !== "string" && !(data instanceof URL)) {
    const rows: unknown = data;
    if (!Array.isArray(rows)) {
      throw new ValidationError("Cannot evaluate", [{
        path: "data",
        message: "must be a list of rows, or the path of a .jsonl, .json or .csv file",
      }]);
    }
    return { path: undefined, title: "the data", read: () => readList(rows) };
  }
  const path = typeof data === "string" && !data.startsWith("file:") ? data : fromFileUrl(data);
  const title = `"${path}"`;
  switch (extname(path).toLowerCase()) {
    case ".jsonl":
    case ".ndjson":
      return { path, title, read: () => readJsonLines(path) };
    case ".json":
      return { path, title, read: () => readJson(path) };
    case ".csv":
      return { path, title, read: () => readTable(path, ",") };
    case ".tsv":
      return { path, title, read: () => readTable(path, "\t") };
  }
  throw new ValidationError("Cannot evaluate", [{
    path: "data",
    message: `must be a file that ends in .jsonl, .ndjson, .json, .csv or .tsv, but is ${title}`,
  }]);
}

async function* readList(
  rows: readonly unknown[],
): AsyncGenerator<{ readonly place: string; readonly value: unknown }> {
  for (const [index, value] of rows.entries()) yield { place: `data.${index}`, value };
}

async function* readJsonLines(path: string): AsyncGenerator<{ readonly place: string; readonly value: unknown }> {
  for await (const { number, text } of readLines(readText(path))) {
    if (text.trim() !== "") {
      yield { place: `line ${number}`, value: parseJson(text, { path, place: `line ${number}` }) };
    }
  }
}

async function* readJson(path: string): AsyncGenerator<{ readonly place: string; readonly value: unknown }> {
  try {
    for await (const { index, text } of readJsonArray(readText(path))) {
      yield { place: String(index), value: parseJson(text, { path, place: `row ${index}` }) };
    }
  } catch (error) {
    if (!(error instanceof NotAnArrayError)) throw error;
    throw new ValidationError(`Cannot read rows of "${path}"`, [{ path: "data", message: error.message }]);
  }
}

async function* readTable(
  path: string,
  delimiter: "," | "\t",
): AsyncGenerator<{ readonly place: string; readonly value: unknown }> {
  // Its parser is only loaded where there is a table.
  const { readCsv } = await import("./read_csv.ts");
  for await (const { line, value } of readCsv(readText(path), { path, delimiter })) {
    yield { place: `line ${line}`, value };
  }
}

async function* readText(path: string): AsyncGenerator<string> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new ValidationError("Cannot evaluate", [{ path: "data", message: `is no file that exists: "${path}"` }], {
      cause,
    });
  }
  try {
    // A byte order mark is taken off.
    yield* file.readable.pipeThrough(new TextDecoderStream("utf-8", { fatal: true }));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ValidationError(`Cannot read rows of "${path}"`, [{ path: "data", message: "is not UTF-8" }], { cause });
  }
}

function parseJson(text: string, { path, place }: { readonly path: string; readonly place: string }): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // Without the parser's own words, which quote the text.
    throw new ValidationError(`Cannot read rows of "${path}"`, [{ path: place, message: "is no JSON" }]);
  }
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
