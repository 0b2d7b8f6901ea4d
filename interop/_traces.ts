import { join } from "@std/path";
import { NEWEST, type Python, QUIET, run } from "./_python.ts";
import { type Context, runChecks, runDeno, runSuite } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

/** Traces, both ways: on a server of one version, and in a database that it made, or that we did where it is the newest. */
export async function checkTraces(context: Context, python: Python): Promise<void> {
  await checkServer(context, python);
  const { report } = context;
  const cwd = await Deno.makeTempDir({ prefix: "interop-traces-" });
  const where = `traces, embedded, ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: `sqlite:///${join(cwd, "mlflow.db")}` };
  if (python.version !== NEWEST) {
    await report.check(`${where}: MLflow makes the database`, async () => {
      const script = "import mlflow; mlflow.search_experiments()";
      const made = await run(python.python, ["-c", script], { cwd, env: { ...QUIET, ...env } });
      if (!made.success) throw new Error(made.stderr.slice(-1500));
      await Deno.stat(join(cwd, "mlflow.db"));
    });
  }
  await bothWays(context, where, { python, cwd, env });
}

async function checkServer(context: Context, python: Python): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-traces-server-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], { cwd, ready: "/health" });
  const where = `traces, server ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: server.url };
  await bothWays(context, where, { python, cwd, env });
  await runSuite(context, `${where}: the suite of traces`, {
    script: "trace_suite.ts",
    env: { ...env, OLD_MLFLOW: python.version === NEWEST ? "" : "1" },
  });
}

/** Ours writes, Python reads and writes, ours reads. */
async function bothWays(
  context: Context,
  where: string,
  options: { readonly python: Python; readonly cwd: string; readonly env: { readonly [name: string]: string } },
): Promise<void> {
  const { report } = context;
  const made = await report.check(`${where}: traces from Deno`, () => runDeno("traces.ts", options));
  if (made === undefined) return;
  await runChecks(context, `${where}: Python`, { ...options, script: "trace_checks.py", args: [made] });
  await report.check(
    `${where}: Deno reads what Python wrote`,
    () => runDeno("read_traces.ts", { ...options, args: [made] }),
  );
}
