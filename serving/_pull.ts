import type { OllamaClient, OllamaPullProgress } from "../adapters/ollama/mod.ts";

/** Cells of the bar. */
const WIDTH = 30;

/**
 * Has Ollama download a model, and shows how far it is: a bar on a terminal, else a line for each tenth.
 *
 * @throws {UpstreamError} If the download fails.
 */
export async function pullWithProgress(client: OllamaClient, model: string): Promise<void> {
  const isTerminal = Deno.stderr.isTerminal();
  let last = "";
  for await (const progress of client.pull(model)) {
    const line = isTerminal ? bar(progress) : tenth(progress);
    if (line === last) continue;
    last = line;
    write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  }
  if (isTerminal) write("\n");
}

function bar({ status, total, completed = 0 }: OllamaPullProgress): string {
  if (!total) return status;
  const filled = Math.min(WIDTH, Math.round(WIDTH * completed / total)); // More than there is to come is shown as all of it.
  const percent = String(Math.floor(100 * completed / total)).padStart(3);
  return `${status} [${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${percent} %  ${size(completed)} of ${
    size(total)
  }`;
}

function tenth({ status, total, completed = 0 }: OllamaPullProgress): string {
  return total ? `${status}: ${Math.floor(10 * completed / total) * 10} % of ${size(total)}` : status;
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
