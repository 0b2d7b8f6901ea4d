import { ChatModelError } from "../../types/mod.ts";
import { isRecord } from "../_canonical_json.ts";
import type { EvaluationConfig } from "./config.ts";
import type { RowResult } from "./row_result.ts";

/** Version of the file's form. */
export const JOURNAL_VERSION = 1;
const LINE_FEED = 10;
const CHUNK_SIZE = 64 * 1024;

/** Where a line stands in the file, in bytes. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** The run in a store that an evaluation is logged to. */
export interface JournalRun {
  /** URI of the store. */
  readonly store: string;
  /** Id of the run. */
  readonly runId: string;
}

/** What stands in a journal. */
export interface JournalContents {
  /** `undefined` if the file has no whole line yet. */
  readonly config: EvaluationConfig | undefined;
  readonly run: JournalRun | undefined;
  /** Where the result of each row stands: the last one, if there are several. */
  readonly places: Map<number, Place>;
  /** Rows whose last result is a failure. */
  readonly failed: Set<number>;
  /** Bytes of all whole lines. */
  readonly size: number;
}

/**
 * Reads results from a journal.
 *
 * @param path Path of the file.
 * @param places Where the results stand, by the rows' indexes.
 * @returns The results, in the order of the rows.
 */
export async function* readRows(path: string, places: ReadonlyMap<number, Place>): AsyncGenerator<RowResult> {
  using file = await openFile(path, { read: true });
  const decoder = new TextDecoder();
  for (const [, { offset, length }] of [...places].sort(([a], [b]) => a - b)) {
    await file.seek(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(length);
    for (let got = 0; got < length;) {
      const more = await file.read(bytes.subarray(got));
      if (more === null) throw refuse(path, "it has become shorter meanwhile");
      got += more;
    }
    const line: unknown = JSON.parse(decoder.decode(bytes));
    if (!isRowLine(line)) throw refuse(path, "it has changed meanwhile");
    yield line.result;
  }
}

/** Opens a journal's file; where there is none, it says so in its own words. */
export async function openFile(path: string, options: Deno.OpenOptions): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, options);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw refuse(path, options.create === true ? "its folder does not exist. Make it" : "there is no such file", cause);
  }
}

/**
 * Reads a journal through.
 *
 * @param path Path of the file, for errors.
 * @param file The file, at its beginning.
 * @returns What stands in its whole lines.
 * @throws {ChatModelError} With code `invalid_option` if it is no journal or damaged.
 */
export async function readContents(path: string, file: Deno.FsFile): Promise<JournalContents> {
  const { size: end } = await file.stat();
  let config: EvaluationConfig | undefined;
  let run: JournalRun | undefined;
  const places = new Map<number, Place>();
  const failed = new Set<number>();
  let size = 0;
  let number = 0;
  for await (const { offset, bytes } of readLinesOf(file)) {
    number++;
    const length = bytes.length + 1;
    const line = parseLine(bytes);
    if (line === undefined) {
      // After a loss of power the last line may be there in length only.
      if (offset + length === end) break;
      throw refuse(path, `line ${number} is damaged. Remove the file to begin anew`);
    }
    if (number === 1) config = readHeader(path, line);
    else if (isRunLine(line)) run = { store: line.store, runId: line.runId };
    else if (isRowLine(line)) {
      places.set(line.result.index, { offset, length });
      if (line.result.state === "ERROR") failed.add(line.result.index);
      else failed.delete(line.result.index);
    } else throw refuse(path, `line ${number} is none of an evaluation. Remove the file to begin anew`);
    size = offset + length;
  }
  return { config, run, places, failed, size };
}

function readHeader(path: string, line: unknown): EvaluationConfig {
  if (!isRecord(line) || line.type !== "evaluation" || !isConfig(line.config)) {
    throw refuse(path, "it is no journal of an evaluation. Name another file");
  }
  if (line.version !== JOURNAL_VERSION) {
    throw refuse(path, `it is of version ${line.version}, and only ${JOURNAL_VERSION} is known here`);
  }
  return line.config;
}

async function* readLinesOf(
  file: Deno.FsFile,
): AsyncGenerator<{ readonly offset: number; readonly bytes: Uint8Array }> {
  let begun: Uint8Array[] = [];
  let lineStart = 0;
  let position = 0;
  for (;;) {
    const buffer = new Uint8Array(CHUNK_SIZE);
    const got = await file.read(buffer);
    if (got === null) return; // What has no line feed at its end was torn.
    const chunk = buffer.subarray(0, got);
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      begun.push(chunk.subarray(start, end));
      yield { offset: lineStart, bytes: joined(begun) };
      begun = [];
      start = end + 1;
      lineStart = position + start;
    }
    if (start < got) begun.push(chunk.subarray(start));
    position += got;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function parseLine(bytes: Uint8Array): unknown {
  try {
    const line: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return line;
  } catch {
    return undefined;
  }
}

/** The error of a journal that cannot be used. */
export function refuse(path: string, problem: string, cause?: unknown): ChatModelError {
  return new ChatModelError(`Cannot resume evaluation from "${path}": ${problem}`, {
    code: "invalid_option",
    param: "resume",
    ...(cause !== undefined && { cause }),
  });
}

function isRunLine(line: unknown): line is { readonly type: "run" } & JournalRun {
  return isRecord(line) && line.type === "run" && typeof line.store === "string" && typeof line.runId === "string";
}

function isRowLine(line: unknown): line is { readonly type: "row"; readonly result: RowResult } {
  if (!isRecord(line) || line.type !== "row" || !isRecord(line.result)) return false;
  const { index, id, state, scores, inputs } = line.result;
  return typeof index === "number" && Number.isSafeInteger(index) && index >= 0 && typeof id === "string" &&
    (state === "OK" || state === "ERROR") && isRecord(scores) && isRecord(inputs);
}

function isConfig(value: unknown): value is EvaluationConfig {
  return isRecord(value) && isRecord(value.model) && isRecord(value.dataset) &&
    typeof value.dataset.name === "string" &&
    typeof value.dataset.digest === "string" && typeof value.dataset.count === "number" &&
    Array.isArray(value.scorers) &&
    isRecord(value.params);
}
