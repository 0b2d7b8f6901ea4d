/**
 * Checks this package against genuine MLflow: installs it from PyPI into environments of its own (kept in `.cache/`),
 * starts its servers, has both sides log, list, load, serve and call each other's models; and against OpenAI's client
 * for Python. Prints each check, and `N passed, N failed` in the end; ends with exit code 1 if one fails.
 *
 * Run it: `deno task interop`, or `deno task interop --only NAME` for one part. Needs `python3`; nothing is left running.
 */
import { readRecording, startReplay } from "../tests/support/replay.ts";
import { checkBasicAuth } from "./_basic_auth.ts";
import { checkEvaluation } from "./_evaluation.ts";
import { checkMultipart } from "./_multipart.ts";
import { checkOldServer } from "./_old_server.ts";
import { readOptions } from "./_options.ts";
import { installMlflow, MLFLOW_2, NEWEST, OLDER, progress, type Python } from "./_python.ts";
import { Report } from "./_report.ts";
import type { Context } from "./_scripts.ts";
import { checkEmbedded, checkLoader, checkServer } from "./_stores.ts";
import { checkTracing } from "./_tracing.ts";
import { checkTraces } from "./_traces.ts";
import { checkOpenAIPython } from "./openai_python/check.ts";

/** One part of the checks: with the MLflow that it needs, or without any. */
type Part =
  | {
    readonly name: string;
    readonly version: string;
    readonly check: (context: Context, python: Python) => Promise<void>;
  }
  | { readonly name: string; readonly version?: undefined; readonly check: (context: Context) => Promise<void> };

const PARTS: readonly Part[] = [
  { name: "loader", version: NEWEST, check: checkLoader },
  { name: `server-${NEWEST}`, version: NEWEST, check: checkServer },
  { name: `embedded-${NEWEST}`, version: NEWEST, check: checkEmbedded },
  { name: `server-${OLDER}`, version: OLDER, check: checkServer },
  { name: `embedded-${OLDER}`, version: OLDER, check: checkEmbedded },
  { name: `traces-${NEWEST}`, version: NEWEST, check: checkTraces },
  { name: `traces-${OLDER}`, version: OLDER, check: checkTraces },
  { name: `tracing-${NEWEST}`, version: NEWEST, check: checkTracing },
  { name: `tracing-${OLDER}`, version: OLDER, check: checkTracing },
  { name: `tracing-${MLFLOW_2}`, version: MLFLOW_2, check: checkTracing },
  { name: `evaluation-${NEWEST}`, version: NEWEST, check: checkEvaluation },
  { name: `server-${MLFLOW_2}`, version: MLFLOW_2, check: checkOldServer },
  { name: "basic-auth", version: NEWEST, check: checkBasicAuth },
  { name: "multipart", version: NEWEST, check: checkMultipart },
  { name: "openai-python", check: checkOpenAIPython },
];

const options = readOptions(Deno.args, PARTS.map(({ name }) => name));
if ("text" in options) {
  progress(options.text);
  Deno.exit(options.isError ? 2 : 0);
}
const parts = PARTS.filter(({ name }) => options.names.includes(name));
const pythons = new Map<string, Python>();
for (const version of new Set(parts.flatMap(({ version }) => version ?? []))) {
  pythons.set(version, await installMlflow(version));
}
const report = new Report();
await using ollama = startReplay([
  readRecording("num_predict_5_stream", "v0.24"),
  readRecording("chat_nonstream", "v0.24"),
]);
for (const part of parts) {
  const { name } = part;
  const started = performance.now();
  await report.check(`${name}: is checked to its end`, async () => {
    const context = { report, ollama: ollama.url };
    if (part.version === undefined) return await part.check(context);
    const python = pythons.get(part.version);
    if (python === undefined) throw new Error(`MLflow ${part.version} is not installed`);
    await part.check(context, python);
  });
  progress(`${name} took ${Math.round((performance.now() - started) / 1000)} s`);
}
// deno-lint-ignore no-console -- a command talks to its user
console.log(`${report.passed} passed, ${report.failures.length} failed`);
for (const name of report.failures) progress(`failed: ${name}`);
Deno.exit(report.failures.length === 0 && report.passed > 0 ? 0 : 1);
