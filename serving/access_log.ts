import type { RequestRecord } from "./request_record.ts";

/** Milliseconds for which lines wait for others, so as to be written together. */
const DELAY = 100;

/** UTF-16 units of lines that may wait; when a disk is full or a reader stalls, what comes beyond is lost, and counted. */
const MAX_WAITING = 4_194_304;

const NEWLINE = 10;

const encoder = new TextEncoder();

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
  #lines: string[] = [];
  #length = 0;
  #lost = 0;
  /** Whether what was written last is the beginning of a line. */
  #isCut = false;
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
    const line = `${JSON.stringify(toLine(record, new Date()))}\n`;
    if (this.#length + line.length > MAX_WAITING) return this.#lose(1, "they come faster than they can be written");
    this.#lines.push(line);
    this.#length += line.length;
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
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#length = 0;
    try {
      let bytes = encoder.encode(`${this.#isCut ? "\n" : ""}${lines.join("")}`);
      while (bytes.length > 0) {
        const count = await this.#sink.write(bytes);
        if (count === 0) throw new Error("it takes no more");
        this.#isCut = bytes[count - 1] !== NEWLINE;
        bytes = bytes.subarray(count);
      }
    } catch (error) {
      return this.#lose(lines.length, error instanceof Error ? error.message : String(error));
    }
    if (this.#lost === 0) return;
    this.#options.onWarning(`The access log goes on; lines lost: ${this.#lost}`);
    this.#lost = 0;
  }

  #lose(count: number, reason: string): void {
    if (this.#lost === 0) this.#options.onWarning(`Cannot write the access log, lines are lost: ${reason}`);
    this.#lost += count;
  }
}

/** The members of a line, in the order in which people look for them. */
function toLine(record: RequestRecord, time: Date): Record<string, unknown> {
  const { tokens } = record;
  return {
    time: time.toISOString(),
    request_id: record.requestId,
    method: record.method,
    route: record.route,
    status: record.status,
    outcome: record.outcome,
    error_code: record.errorCode,
    model: record.model,
    key: record.keyName,
    stream: record.stream,
    time_to_first_token_ms: round(record.timeToFirstToken),
    duration_ms: round(record.duration),
    prompt_tokens: tokens?.promptTokens,
    completion_tokens: tokens?.completionTokens,
    tokens_estimated: tokens?.estimated,
  };
}

function round(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10;
}
