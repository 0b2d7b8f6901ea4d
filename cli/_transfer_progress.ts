import type { OnProgress } from "../tracking/mod.ts";

/** Bytes from which on a file is worth a bar. */
const LARGE = 1_000_000;

const WIDTH = 30;

/** Shows how far up- and downloads are, on a terminal only: elsewhere they would fill a log. */
export class TransferProgress {
  readonly #isTerminal = Deno.stderr.isTerminal();
  #shown = false;

  /** Told how far a file is. */
  readonly show: OnProgress = ({ path, bytes, total }) => {
    if (!this.#isTerminal || Math.max(bytes, total ?? 0) < LARGE) return;
    this.#shown = true;
    write(`\r\x1b[K${path}  ${bar(bytes, total)}`);
  };

  /** Leaves the line to what comes next. */
  end(): void {
    if (this.#shown) write("\r\x1b[K");
    this.#shown = false;
  }
}

function bar(bytes: number, total: number | undefined): string {
  if (!total) return megabytes(bytes);
  const filled = Math.min(WIDTH, Math.round(WIDTH * bytes / total));
  return `[${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${megabytes(bytes)} of ${megabytes(total)}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
