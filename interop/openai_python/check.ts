/**
 * Has OpenAI's client for Python, with its strict validation on, ask this package's server before a replayed Ollama, and
 * the replayed Ollama's own OpenAI layer.
 */
import { fromFileUrl } from "@std/path";
import { type Version, VERSIONS } from "../../tests/support/replay.ts";
import { installPython, progress, QUIET, run } from "../_python.ts";
import type { Report } from "../_report.ts";
import { CONFIG, HERE } from "../_scripts.ts";
import { startServer } from "../_server.ts";
import { startNative, startOwn } from "./_scripted_ollama.ts";
import { type Column, readResults, type Results, tableOf } from "./_table.ts";

/** The client. */
const OPENAI = "openai==3.57.0";

const SERVE = fromFileUrl(new URL("../../serve.ts", import.meta.url));
const SCRIPT = fromFileUrl(new URL("./openai_checks.py", import.meta.url));
const PROOF = new URL("../../docs/openai_proof.md", import.meta.url);

/** What the recorded servers are called. */
const NAMES: { readonly [version in Version]: string } = { "v0.24": "0.24.0", head: "0.33.0-rc2" };

/** All checks must pass with this package's server; what Ollama's own layer does is compared with the document. */
export async function checkOpenAIPython({ report }: { readonly report: Report }): Promise<void> {
  const python = await installPython("openai-python", [OPENAI]);
  const columns: Column[] = [];
  for (const version of VERSIONS) {
    await using own = startOwn(version);
    // The limits and the alternatives are those that were recorded.
    const { stdout } = await ask(python, own.url, ["3", "1", "3"]);
    const results = readResults(stdout);
    for (const [name, failure] of results) progress(`Ollama ${NAMES[version]}'s own /v1: ${name}: ${failure ?? "ok"}`);
    columns.push({ title: `Ollama ${NAMES[version]}'s own`, results: [results] });
  }
  const ours: Results[] = [];
  for (const version of VERSIONS) {
    await using ollama = startNative(version);
    await using server = await startServer(
      Deno.execPath(),
      (port) => ["run", "-A", "--config", CONFIG, SERVE, "--host", "127.0.0.1", "--port", String(port)],
      { cwd: HERE, env: { OLLAMA_HOST: ollama.url, NO_COLOR: "1" }, ready: "/v1/models" },
    );
    const { stdout, stderr } = await ask(python, server.url, ["1", "3", "4"]);
    const where = `openai-python, before Ollama ${NAMES[version]}`;
    report.script(where, stdout, stderr);
    const unknown = ollama.unknown.length === 0 ? undefined : ollama.unknown.join("; ");
    report.note(`${where}: Ollama is asked nothing but what was recorded`, unknown);
    ours.push(readResults(stdout));
  }
  await report.check("openai-python: docs/openai_proof.md has the table of what was found", async () => {
    const table = tableOf([...columns, { title: "ours, before both", results: ours }]);
    const text = (await Deno.readTextFile(PROOF)).replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
    if (!text.includes(table)) throw new Error(`it lacks this table:\n${table}`);
  });
}

function ask(python: string, url: string, args: readonly string[]): ReturnType<typeof run> {
  return run(python, [SCRIPT, ...args], { env: { ...QUIET, OPENAI_BASE_URL: `${url}/v1`, PYTHONPATH: HERE } });
}
