import { ChatModelError } from "../../types/mod.ts";
import { canonicalJson } from "../_canonical_json.ts";
import type { EvaluationConfig } from "./config.ts";
import {
  JOURNAL_VERSION,
  type JournalContents,
  type JournalRun,
  openFile,
  type Place,
  readContents,
  readRows,
  refuse,
} from "./_journal_contents.ts";
import type { RowResult } from "./row_result.ts";
import type { RowSink } from "./row_sink.ts";

export type { JournalRun } from "./_journal_contents.ts";

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
    readonly contents: JournalContents;
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
    const file = await openFile(path, { read: true, write: true, create: true });
    try {
      if (!await file.tryLock(true)) {
        throw refuse(path, "another process writes to it. Wait for it, or name another file");
      }
      const contents = await readContents(path, file);
      if (contents.config !== undefined) checkSame(path, contents.config, config);
      // A line that was torn.
      await file.truncate(contents.size);
      const journal = new Journal(path, file, { contents, retryFailed });
      if (contents.config === undefined) {
        await journal.#append({ type: "evaluation", version: JOURNAL_VERSION, config });
      }
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
      try {
        await this.#file.seek(this.#size, Deno.SeekMode.Start);
        for (let sent = 0; sent < bytes.length;) sent += await this.#file.write(bytes.subarray(sent));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ChatModelError(`Cannot take down results in "${this.#path}": ${reason}`, { param: "resume", cause });
      }
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
  using file = await openFile(path, { read: true });
  const { config, run, places } = await readContents(path, file);
  if (config === undefined) throw refuse(path, "nothing of an evaluation stands in it");
  return { config, run, indexes: [...places.keys()].sort((a, b) => a - b), rows: () => readRows(path, places) };
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
