import { join } from "@std/path";
import type { Python } from "./_python.ts";
import { type Context, runChecks, runDeno } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

/** Evaluations, read by MLflow: on a server, and in a database of ours. */
export async function checkEvaluation(context: Context, python: Python): Promise<void> {
  const embedded = await Deno.makeTempDir({ prefix: "interop-evaluation-" });
  await check(context, `evaluation, embedded, ${python.version}`, {
    python,
    cwd: embedded,
    env: { MLFLOW_TRACKING_URI: `sqlite:///${join(embedded, "mlflow.db")}` },
  });
  const cwd = await Deno.makeTempDir({ prefix: "interop-evaluation-server-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], { cwd, ready: "/health" });
  await check(context, `evaluation, server ${python.version}`, {
    python,
    cwd,
    env: { MLFLOW_TRACKING_URI: server.url, CHATMODEL_CACHE: join(cwd, "cache") },
  });
}

async function check(
  context: Context,
  where: string,
  options: { readonly python: Python; readonly cwd: string; readonly env: { readonly [name: string]: string } },
): Promise<void> {
  const made = await context.report.check(
    `${where}: a version passes the gate`,
    () => runDeno("evaluation.ts", { ...options, args: ["--traces"] }),
  );
  if (made === undefined) return;
  await runChecks(context, `${where}: Python`, { ...options, script: "evaluation_checks.py", args: [made] });
}
