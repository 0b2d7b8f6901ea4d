import { join } from "@std/path";
import type { Python } from "./_python.ts";
import { type Context, runChecks, runDeno } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

/** A server without logged models: they are put among the artifacts of a run. */
export async function checkOldServer(context: Context, python: Python): Promise<void> {
  const { report, ollama } = context;
  const cwd = await Deno.makeTempDir({ prefix: "interop-old-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], { cwd, ready: "/health" });
  const where = `server ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: server.url, OLLAMA_HOST: ollama, CHATMODEL_CACHE: join(cwd, "cache") };
  const made = await report.check(
    `${where}: the tutorial from Deno, with models among the artifacts of a run`,
    () => runDeno("run_artifacts_tutorial.ts", { cwd, env }),
  );
  if (made === undefined) return;
  await runChecks(context, `${where}: Python`, { python, script: "run_artifacts_checks.py", cwd, env, args: [made] });
  await report.check(
    `${where}: Deno reads what Python wrote`,
    () => runDeno("read_back.ts", { cwd, env, args: ["mlflow-artifacts:/"] }),
  );
}
