import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { isRecord } from "../_canonical_json.ts";

/** A record of a CSV file, as a row. */
export interface CsvRow {
  /** The line on which it ends, from 1. */
  readonly line: number;
  /** What stands in it. */
  readonly value: unknown;
}

/** Columns that hold one field of a row each. */
const FIELDS: ReadonlySet<string> = new Set(["id", "inputs", "messages", "outputs", "expectations", "tags"]);
/** Columns that hold what the user says, or the messages: they go to `inputs`. */
const INPUTS: ReadonlySet<string> = new Set(["question", "query", "prompt", "input", "text", "conversation"]);
/** Fields that other columns go to, by the words before `.` or `/`. */
const GROUPS = /^(inputs|expectations|tags)[./](.+)$/;
/** Columns that hold text, whatever it looks like. */
const TEXTS: ReadonlySet<string> = new Set(["id", "outputs", "expectations.expected_response"]);

/**
 * Reads a CSV file (RFC 4180) with a line of names, record by record. An empty cell is an absent one.
 *
 * A column is a field of the row (`id`, `inputs`, `messages`, `outputs`, `expectations`, `tags`), a member of one
 * (`inputs.question`, `expectations/expected_facts`, `tags.topic`), what the user says (`question`, `query`, `prompt`,
 * `input`, `text`), or what is expected (`expected_…`). Cells that begin with `{` or `[` are JSON, but for texts.
 *
 * @param pieces The text, in pieces of any size.
 * @param path Name of the file, for errors.
 * @returns The rows.
 * @throws {ValidationError} If it is no CSV, or has columns of other names.
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
  { path, delimiter }: { readonly path: string; readonly delimiter: "," | "\t" },
): AsyncGenerator<CsvRow> {
  const source = Readable.from(pieces);
  const parser = parse({ bom: true, delimiter, skip_empty_lines: true, relax_column_count: false, info: true });
  // A pipe hands no errors on.
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: readonly Column[] | undefined;
  try {
    for await (const item of parser) {
      const { record, info }: { readonly record: readonly string[]; readonly info: { readonly lines: number } } = item;
      if (columns === undefined) columns = readColumns(record, path);
      else yield { line: info.lines, value: toRow(columns, { record, path, line: info.lines }) };
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new ValidationError(`Cannot read rows of "${path}"`, [{
      path: "data",
      message: `is no CSV: ${cause.message}`,
    }], {
      cause,
    });
  } finally {
    source.destroy();
    parser.destroy();
  }
}

interface Column {
  readonly field: string;
  readonly member?: string;
}

function readColumns(names: readonly string[], path: string): readonly Column[] {
  const issues: ValidationIssue[] = [];
  const columns = names.map((given): Column => {
    const name = given.trim();
    const [, group, member] = GROUPS.exec(name) ?? [];
    if (names.filter((other) => other.trim() === name).length > 1) {
      issues.push({ path: name, message: "is the name of two columns" });
    }
    if (group !== undefined && member !== undefined) return { field: group, member };
    if (FIELDS.has(name)) return { field: name };
    if (INPUTS.has(name)) return { field: "inputs", member: name };
    if (name.startsWith("expected_")) return { field: "expectations", member: name };
    issues.push({
      path: name,
      message: 'is no column that is known. Name it "inputs.…", "expectations.…" or "tags.…" to say what it is',
    });
    return { field: name };
  });
  const whole = new Set(columns.filter(({ member }) => member === undefined).map(({ field }) => field));
  for (const { field, member } of columns) {
    if (member !== undefined && whole.has(field)) {
      issues.push({ path: `${field}.${member}`, message: `stands beside a column "${field}", which says the same` });
    }
  }
  if (issues.length > 0) throw new ValidationError(`Cannot read columns of "${path}"`, unique(issues));
  return columns;
}

function toRow(
  columns: readonly Column[],
  { record, path, line }: { readonly record: readonly string[]; readonly path: string; readonly line: number },
): unknown {
  const row: { [field: string]: unknown } = {};
  columns.forEach(({ field, member }, place) => {
    const cell = record[place] ?? "";
    if (cell === "") return;
    const name = member === undefined ? field : `${field}.${member}`;
    const value = TEXTS.has(name) || field === "tags" && member !== undefined ? cell : read(cell, { name, path, line });
    if (member === undefined) row[field] = value;
    else row[field] = { ...isRecord(row[field]) ? row[field] : {}, [member]: value };
  });
  return row;
}

function read(
  cell: string,
  { name, path, line }: { readonly name: string; readonly path: string; readonly line: number },
): unknown {
  if (!/^\s*[{[]/.test(cell)) return cell;
  try {
    const value: unknown = JSON.parse(cell);
    return value;
  } catch {
    // A question may begin so.
    if (name === "inputs" || name.startsWith("inputs.") || name.startsWith("expectations.")) return cell;
    throw new ValidationError(`Cannot read row on line ${line} of "${path}"`, [{ path: name, message: "is no JSON" }]);
  }
}

function unique(issues: readonly ValidationIssue[]): ValidationIssue[] {
  return issues.filter(({ path, message }, place) =>
    issues.findIndex((other) => other.path === path && other.message === message) === place
  );
}
