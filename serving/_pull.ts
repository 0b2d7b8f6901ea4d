import type { OllamaClient, OllamaPullProgress } from "../adapters/ollama/mod.ts";
import { TimeoutError } from "../types/mod.ts";

/** Cells of the bar. */
const WIDTH = 30;

/** Characters of a status that are shown: a line that a terminal breaks cannot be written over. */
const MAX_STATUS = 60;

/** What a terminal could take for a command: control characters, and those that turn the direction of text. */
const CONTROL_REGEXP = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** Options for {@linkcode pullWithProgress}. */
export interface PullOptions {
  /** Milliseconds without any word from Ollama after which the download has failed. @default {300_000} */
  readonly idleLimit?: number;
  /** Whether what is written can be written over. Default: whether the standard error is a terminal. */
  readonly isTerminal?: boolean;
  /** Takes what is to be shown. Default: writes it to the standard error. */
  readonly write?: (text: string) => void;
}

/**
 * Has Ollama download a model, and shows how far it is: a bar on a terminal, else a line for each tenth.
 *
 * @throws {UpstreamError} If the download fails.
 * @throws {TimeoutError} If nothing is heard of it for too long.
 */
export async function pullWithProgress(client: OllamaClient, model: string, options: PullOptions = {}): Promise<void> {
  const { idleLimit = 300_000, isTerminal = Deno.stderr.isTerminal(), write = writeToStderr } = options;
  const idle = new AbortController();
  const fail = () => idle.abort(stalled(model, idleLimit));
  let timer = setTimeout(fail, idleLimit);
  let last = "";
  try {
    for await (const progress of client.pull(model, { signal: idle.signal })) {
      clearTimeout(timer);
      timer = setTimeout(fail, idleLimit);
      const line = isTerminal ? bar(progress) : tenth(progress);
      if (line === last) continue;
      last = line;
      write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
    }
  } finally {
    clearTimeout(timer);
    if (isTerminal && last !== "") write("\n");
  }
}

function stalled(model: string, limit: number): TimeoutError {
  return new TimeoutError(
    `Cannot pull model "${model}": Ollama said nothing for ${limit} ms. Look at its network and its log, and start ` +
      `again: the download goes on from where it is`,
  );
}

function bar(progress: OllamaPullProgress): string {
  const status = statusOf(progress);
  const amounts = amountsOf(progress);
  if (amounts === undefined) return status;
  const { share, completed, total } = amounts;
  const filled = Math.round(WIDTH * share);
  const percent = String(Math.floor(100 * share)).padStart(3);
  return `${status} [${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${percent} %  ${size(completed)} of ${
    size(total)
  }`;
}

function tenth(progress: OllamaPullProgress): string {
  const amounts = amountsOf(progress);
  const status = statusOf(progress);
  return amounts === undefined
    ? status
    : `${status}: ${Math.floor(10 * amounts.share) * 10} % of ${size(amounts.total)}`;
}

/** What is said comes from far away, and must not move the cursor. */
function statusOf({ status }: OllamaPullProgress): string {
  const shown = Array.from(status.replaceAll(CONTROL_REGEXP, " ").trim());
  return shown.length > MAX_STATUS ? `${shown.slice(0, MAX_STATUS - 1).join("")}…` : shown.join("");
}

/** Bytes, and their share of 1; nothing where they make no sense. What is beyond the ends is shown as the end. */
function amountsOf(
  { total = 0, completed = 0 }: OllamaPullProgress,
): { readonly total: number; readonly completed: number; readonly share: number } | undefined {
  if (!Number.isFinite(total) || !Number.isFinite(completed) || total <= 0) return undefined;
  const within = Math.min(Math.max(completed, 0), total);
  return { total, completed: within, share: within / total };
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function writeToStderr(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
