import { ChatModelError } from "../../types/mod.ts";
import { canonicalJson, isRecord } from "../_canonical_json.ts";
import type { EvaluationConfig } from "./config.ts";
import type { RowResult } from "./row_result.ts";
import type { RowSink } from "./row_sink.ts";

/** Version of the file's form. */
const VERSION = 1;
const LINE_FEED = 10;
const CHUNK_SIZE = 64 * 1024;

/** Where a line stands in the file, in bytes. */
interface Place {
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
interface Contents {
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
 * A file of what an evaluation has done, line by line, in JSON: first what is evaluated, then the run that it is logged
 * to, if any, then the result of each row as it comes. Lines are only ever put at its end; so if the process is killed,
 * no more than the last line is torn, and that row is done again.
 */
export class Journal implements RowSink, AsyncDisposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #places: Map<number, Place>;
  readonly #done: Set<number>;
  #run: JournalRun | undefined;
  #size: number;
  /** Lines are written one after the other. */
  #written: Promise<void> = Promise.resolve();

  private constructor(path: string, file: Deno.FsFile, { contents, retryFailed }: {
    readonly contents: Contents;
    readonly retryFailed: boolean;
  }) {
    this.#path = path;
    this.#file = file;
    this.#places = contents.places;
    this.#done = new Set(contents.places.keys());
    if (retryFailed) { for (const index of contents.failed) this.#done.delete(index); }
    this.#run = contents.run;
    this.#size = contents.size;
  }

  /**
   * Opens a journal, or begins one.
   *
   * @param path Path of the file.
   * @param config What is evaluated; it must be what the file says, if it says something.
   * @param options Whether rows that failed are to be done again.
   * @returns The journal.
   * @throws {ChatModelError} With code `invalid_option` if it is another evaluation's, of another version, damaged, or
   * in use.
   */
  static async open(
    path: string,
    config: EvaluationConfig,
    { retryFailed }: { readonly retryFailed: boolean },
  ): Promise<Journal> {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    try {
      if (!await file.tryLock(true)) {
        throw refuse(path, "another process writes to it. Wait for it, or name another file");
      }
      const contents = await readContents(path, file);
      if (contents.config !== undefined) checkSame(path, contents.config, config);
      // A line that was torn.
      await file.truncate(contents.size);
      const journal = new Journal(path, file, { contents, retryFailed });
      if (contents.config === undefined) await journal.#append({ type: "evaluation", version: VERSION, config });
      return journal;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The run that the evaluation is logged to, if one was noted. */
  get run(): JournalRun | undefined {
    return this.#run;
  }

  /** Notes the run that the evaluation is logged to. */
  async noteRun(run: JournalRun): Promise<void> {
    await this.#append({ type: "run", ...run });
    this.#run = run;
  }

  has(index: number): boolean {
    return this.#done.has(index);
  }

  async add(result: RowResult): Promise<void> {
    const place = await this.#append({ type: "row", result });
    this.#places.set(result.index, place);
    this.#done.add(result.index);
  }

  rows(): AsyncGenerator<RowResult> {
    return readRows(this.#path, this.#places);
  }

  /** Has the system bring to the disk what was written, and lets go of the file. {@linkcode Journal.rows} goes on to work. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#written.catch(() => {}); // Whoever wrote it was told.
      await this.#file.syncData();
    } finally {
      this.#file.close();
    }
  }

  #append(line: unknown): Promise<Place> {
    const bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
    const work = this.#written.then(async () => {
      const place = { offset: this.#size, length: bytes.length };
      await this.#file.seek(this.#size, Deno.SeekMode.Start);
      for (let sent = 0; sent < bytes.length;) sent += await this.#file.write(bytes.subarray(sent));
      this.#size += bytes.length;
      return place;
    });
    this.#written = work.then(() => {});
    // It is handed on to whoever wrote; those behind it fail as well.
    this.#written.catch(() => {});
    return work;
  }
}

/**
 * Reads what stands in a journal, without changing it.
 *
 * @param path Path of the file.
 * @returns What was evaluated, the run if any, and the results in the order of the rows.
 * @throws {ChatModelError} With code `invalid_option` if it is no journal or damaged.
 */
export async function readJournal(path: string): Promise<{
  readonly config: EvaluationConfig;
  readonly run: JournalRun | undefined;
  readonly indexes: readonly number[];
  rows(): AsyncGenerator<RowResult>;
}> {
  using file = await Deno.open(path, { read: true });
  const { config, run, places } = await readContents(path, file);
  if (config === undefined) throw refuse(path, "nothing of an evaluation stands in it");
  return { config, run, indexes: [...places.keys()].sort((a, b) => a - b), rows: () => readRows(path, places) };
}

async function* readRows(path: string, places: ReadonlyMap<number, Place>): AsyncGenerator<RowResult> {
  using file = await Deno.open(path, { read: true });
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

async function readContents(path: string, file: Deno.FsFile): Promise<Contents> {
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
  if (line.version !== VERSION) {
    throw refuse(path, `it is of version ${line.version}, and only ${VERSION} is known here`);
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

function checkSame(path: string, before: EvaluationConfig, now: EvaluationConfig): void {
  const [old, current] = [toRecord(before), toRecord(now)];
  const names = new Set([...Object.keys(old), ...Object.keys(current)]);
  const changed = [...names].filter((name) =>
    canonicalJson(old[name] ?? null) !== canonicalJson(current[name] ?? null)
  );
  if (changed.length === 0) return;
  const list = changed.map((name) => `"${name}"`).join(", ");
  throw refuse(path, `it is of an evaluation with another ${list}. Name another file, or evaluate as before`);
}

function toRecord(config: EvaluationConfig): { readonly [name: string]: unknown } {
  return { ...config };
}

function refuse(path: string, problem: string): ChatModelError {
  return new ChatModelError(`Cannot resume evaluation from "${path}": ${problem}`, {
    code: "invalid_option",
    param: "resume",
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
