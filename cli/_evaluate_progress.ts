import type { EvaluationProgress } from "../evaluation/mod.ts";
import { tell } from "./_output.ts";

const WIDTH = 30;
/** How many lines there are at most where there is no terminal. */
const LINES = 10;
/** Milliseconds between two pictures of the bar. */
const PERIOD = 50;

/** Shows how far an evaluation is: as a bar on a terminal, by at most ten lines elsewhere. */
export class EvaluateProgress {
  readonly #title: string;
  readonly #isTerminal = Deno.stderr.isTerminal();
  #shownAt = 0;
  #told = 0;
  #done = 0;
  #total = 0;

  /**
   * Begins.
   *
   * @param title What is evaluated.
   */
  constructor(title: string) {
    this.#title = title;
  }

  /** Rows that are done. */
  get done(): number {
    return this.#done;
  }

  /** Rows in all. */
  get total(): number {
    return this.#total;
  }

  /** Told how far it is. */
  readonly show = ({ type, total, done, failed }: EvaluationProgress): void => {
    [this.#done, this.#total] = [done, total];
    const failures = failed === 0 ? "" : `, ${failed} failed`;
    if (this.#isTerminal) {
      const now = performance.now();
      if (type === "row-end" && now - this.#shownAt < PERIOD) return;
      this.#shownAt = now;
      const filled = Math.floor(WIDTH * done / total);
      const bar = `[${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}]`;
      const line = `${bar} ${done} of ${total} rows${failures}  ${this.#title}`;
      // What goes on in the next line could not be taken back.
      write(`\r\x1b[K${line.slice(0, (Deno.consoleSize().columns || 80) - 1)}`);
      return;
    }
    if (type === "evaluation-start") {
      this.#told = Math.floor(LINES * done / total);
      return tell(`${this.#title}: ${done === 0 ? `${total} rows` : `${done} of ${total} rows were done before`}`);
    }
    const step = Math.floor(LINES * done / total);
    if (type !== "row-end" || step <= this.#told) return;
    this.#told = step;
    tell(`${this.#title}: ${done} of ${total} rows${failures}`);
  };

  /** Leaves the line to what comes next. */
  end(): void {
    if (this.#isTerminal && this.#shownAt > 0) write("\r\x1b[K");
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
