import { join } from "@std/path";
import type { Python } from "./_python.ts";
import { type Context, runChecks, runDeno, runSuite } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

/**
 * Traces of calls: on a server with its own database, read back by its REST API, and in MLflow's database without a server;
 * both read by MLflow's own client.
 */
export async function checkTracing(context: Context, python: Python): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-tracing-" });
  const isOld = python.version.startsWith("2.");
  {
    await using server = await startMlflow(python, (port) => [
      ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
      ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
    ], { cwd, ready: "/health" });
    await runSuite(context, `server ${python.version}: traces`, {
      script: isOld ? "tracing_old_suite.ts" : "tracing_suite.ts",
      env: { MLFLOW_TRACKING_URI: server.url, OLLAMA_HOST: context.ollama },
    });
    if (isOld) return;
    await checkCalls(context, `tracing, server ${python.version}`, {
      python,
      cwd,
      env: { MLFLOW_TRACKING_URI: server.url },
    });
  }
  // A database that is made here is of the newest version: older ones are made by the server.
  const env = { MLFLOW_TRACKING_URI: `sqlite:///${join(cwd, "server.db")}` };
  await checkCalls(context, `tracing, embedded, ${python.version}`, { python, cwd, env });
}

/** Ours calls models, Python reads the traces. */
async function checkCalls(
  context: Context,
  where: string,
  options: { readonly python: Python; readonly cwd: string; readonly env: { readonly [name: string]: string } },
): Promise<void> {
  const made = await context.report.check(`${where}: calls from Deno`, () => runDeno("tracing_calls.ts", options));
  if (made === undefined) return;
  await runChecks(context, `${where}: Python`, { ...options, script: "tracing_checks.py", args: [made] });
}
