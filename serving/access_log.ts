import { LineBuffer } from "./_line_buffer.ts";
import type { RequestRecord } from "./request_record.ts";

/** Milliseconds for which lines wait for others, so as to be written together. */
const DELAY = 100;

/** Bytes of lines that may wait; when a disk is full or a reader stalls, what comes beyond is lost, and counted. */
const MAX_WAITING = 4_194_304;

const NEWLINE = 10;

/** Where lines go. */
export interface LogSink {
  /** Writes some of the bytes, and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes it. */
  close?(): void;
}

/** Options for {@linkcode AccessLog}. */
export interface AccessLogOptions {
  /** Told, once, that lines are lost, and why; and later that it goes on, and how many were lost. */
  readonly onWarning: (message: string) => void;
}

/** Writes a line of JSON for each request. Never waited for by a request, and never fails one. */
export class AccessLog {
  readonly #sink: LogSink;
  readonly #options: AccessLogOptions;
  readonly #lines = new LineBuffer(MAX_WAITING);
  #lost = 0;
  /** Whether what was written last is the beginning of a line. */
  #isCut = false;
  /** When the time was written out last, in milliseconds since 1970, and as what. */
  #writtenAt = NaN;
  #written = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> | undefined;

  /**
   * Begins to log.
   *
   * @param sink Where the lines go.
   * @param options What to do about failures.
   */
  constructor(sink: LogSink, options: AccessLogOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Logs a request that is over.
   *
   * @param record What there is to say of it.
   */
  log(record: RequestRecord): void {
    const line = toLine(record, this.#time());
    if (!this.#lines.add(line)) return this.#lose(1, "they come faster than they can be written");
    this.#timer ??= setTimeout(() => void this.flush(), DELAY);
  }

  /** Writes what waits. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One after the other: a sink may write a part of what it is given.
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#write();
    await this.#writing;
    this.#writing = undefined;
  }

  /** Writes what waits, and closes the sink. */
  async close(): Promise<void> {
    await this.flush();
    this.#sink.close?.();
  }

  async #write(): Promise<void> {
    const lines = this.#lines.count;
    if (lines === 0) return;
    let bytes = this.#lines.take(this.#isCut);
    try {
      while (bytes.length > 0) {
        const count = await this.#sink.write(bytes);
        if (count === 0) throw new Error("it takes no more");
        this.#isCut = bytes[count - 1] !== NEWLINE;
        bytes = bytes.subarray(count);
      }
    } catch (error) {
      return this.#lose(lines, error instanceof Error ? error.message : String(error));
    }
    if (this.#lost === 0) return;
    this.#options.onWarning(`The access log goes on; lines lost: ${this.#lost}`);
    this.#lost = 0;
  }

  /** The time now; under load, several lines have the same. */
  #time(): string {
    const now = Date.now();
    if (now !== this.#writtenAt) {
      this.#writtenAt = now;
      this.#written = new Date(now).toISOString();
    }
    return this.#written;
  }

  #lose(count: number, reason: string): void {
    if (this.#lost === 0) this.#options.onWarning(`Cannot write the access log, lines are lost: ${reason}`);
    this.#lost += count;
  }
}

/**
 * A line, with its members in the order in which people look for them.
 *
 * Put together by hand, as every request waits for it: an object to be made JSON of takes twice as long.
 */
function toLine(record: RequestRecord, time: string): string {
  const { route, errorCode, model, keyName, timeToFirstToken, tokens } = record;
  let line = `{"time":"${time}","request_id":${quote(record.requestId)},"method":${quote(record.method)}`;
  if (route !== undefined) line += `,"route":${quote(route)}`;
  line += `,"status":${record.status},"outcome":"${record.outcome}"`;
  if (errorCode !== undefined) line += `,"error_code":${quote(errorCode)}`;
  if (model !== undefined) line += `,"model":${quote(model)}`;
  if (keyName !== undefined) line += `,"key":${quote(keyName)}`;
  line += `,"stream":${record.stream}`;
  if (timeToFirstToken !== undefined) line += `,"time_to_first_token_ms":${round(timeToFirstToken)}`;
  line += `,"duration_ms":${round(record.duration)}`;
  if (tokens !== undefined) {
    const { promptTokens, completionTokens, estimated } = tokens;
    line += `,"prompt_tokens":${number(promptTokens)},"completion_tokens":${
      number(completionTokens)
    },"tokens_estimated":${estimated}`;
  }
  return `${line}}\n`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** JSON has no other numbers. */
function number(value: number): string {
  return Number.isFinite(value) ? String(value) : "null";
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
