import { join } from "@std/path";
import type { Python } from "./_python.ts";
import { type Context, runSuite } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

/** Traces on a server with its own database: written from here, read back by its REST API. */
export async function checkTracing(context: Context, python: Python): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-tracing-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], { cwd, ready: "/health" });
  await runSuite(context, `server ${python.version}: traces`, {
    script: python.version.startsWith("2.") ? "tracing_old_suite.ts" : "tracing_suite.ts",
    env: { MLFLOW_TRACKING_URI: server.url, OLLAMA_HOST: context.ollama },
  });
}
