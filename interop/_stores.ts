import { join } from "@std/path";
import { saveModel } from "../models/mod.ts";
import { NEWEST, type Python, QUIET, run } from "./_python.ts";
import { CONFIG, type Context, HERE, runChecks, runDeno, runSuite } from "./_scripts.ts";
import { startMlflow } from "./_server.ts";

/** Both sides in one store: ours writes, Python reads, calls and writes, ours reads. */
async function bothWays(
  context: Context,
  where: string,
  options: { readonly python: Python; readonly cwd: string; readonly env: { readonly [name: string]: string } },
): Promise<string> {
  const { report } = context;
  const made = await report.check(`${where}: the tutorial from Deno`, () => runDeno("tutorial.ts", options));
  if (made === undefined) return "";
  await runChecks(context, `${where}: Python`, { ...options, script: "store_checks.py", args: [made] });
  await report.check(
    `${where}: Deno reads what Python wrote`,
    () => runDeno("read_back.ts", { ...options, args: ["models:/m-"] }),
  );
  const { model_id: modelId }: { model_id: string } = JSON.parse(made);
  return modelId;
}

/** A server with its own database and proxied artifacts; the newest one with the suites, too. */
export async function checkServer(context: Context, python: Python): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-server-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], { cwd, ready: "/health" });
  const where = `server ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: server.url, OLLAMA_HOST: context.ollama, CHATMODEL_CACHE: join(cwd, "cache") };
  const modelId = await bothWays(context, where, { python, cwd, env });
  if (python.version === NEWEST) {
    await runSuite(context, `${where}: the suite of tracking stores`, { script: "store_suite.ts", env });
    await runSuite(context, `${where}: the suite of registries`, { script: "registry_suite.ts", env });
  }
  if (modelId !== "") await checkServing(context, where, { python, uri: `models:/${modelId}`, cwd, env });
}

/** `mlflow models serve` of what was logged here. */
async function checkServing(
  { report }: Context,
  where: string,
  options: {
    readonly python: Python;
    readonly uri: string;
    readonly cwd: string;
    readonly env: { readonly [name: string]: string };
  },
): Promise<void> {
  const { python, uri, cwd, env } = options;
  await report.check(`${where}: mlflow models serve answers /invocations`, async () => {
    await using served = await startMlflow(
      python,
      (port) => ["models", "serve", "-m", uri, "-h", "127.0.0.1", "-p", String(port), "--env-manager", "local"],
      {
        cwd,
        env: { ...env, CHATMODEL_DENO: Deno.execPath(), PATH: `${join(python.python, "..")}:${Deno.env.get("PATH")}` },
        ready: "/ping",
      },
    );
    const asked = Array.from({ length: 8 }, async () => {
      const response = await fetch(`${served.url}/invocations`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], max_tokens: 25 }),
      });
      const body = await response.json();
      if (response.status !== 200 || !body.choices[0].message.content) throw new Error(JSON.stringify(body));
    });
    await Promise.all(asked);
  });
}

/** A database of ours and of MLflow's in the working directory. */
export async function checkEmbedded(context: Context, python: Python): Promise<void> {
  const { report } = context;
  const cwd = await Deno.makeTempDir({ prefix: "interop-embedded-" });
  const where = `embedded, ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: "", OLLAMA_HOST: context.ollama };
  if (python.version !== NEWEST) {
    // The database as that version makes it, rather than ours.
    await report.check(`${where}: MLflow makes the database`, async () => {
      const made = await run(python.python, ["-c", "import mlflow; mlflow.search_experiments()"], { cwd, env: QUIET });
      if (!made.success) throw new Error(made.stderr.slice(-1500));
      await Deno.stat(join(cwd, "mlflow.db"));
    });
  }
  await bothWays(context, where, { python, cwd, env });
  await report.check(
    `${where}: a plain mlflow server in the folder shows it, and what it writes is read here`,
    async () => {
      await using server = await startMlflow(
        python,
        (port) => ["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
        { cwd, ready: "/health" },
      );
      const get = async (path: string) => await (await fetch(`${server.url}/api/2.0/mlflow/${path}`)).json();
      const { experiment } = await get("experiments/get-by-name?experiment_name=chatmodel-quickstart");
      const { registered_model: model } = await get("registered-models/get?name=assistant");
      if (model.aliases[0].alias !== "champion") throw new Error(JSON.stringify(model));
      const response = await fetch(`${server.url}/api/2.0/mlflow/runs/create`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          experiment_id: experiment.experiment_id,
          run_name: "by-the-server",
          start_time: Date.now(),
        }),
      });
      if (!response.ok) throw new Error(await response.text());
      await response.body?.cancel();
      const found = await run(
        Deno.execPath(),
        [
          ...["run", "-A", "--config", CONFIG, join(HERE, "../cli.ts"), "runs", "list", "--experiment"],
          ...["chatmodel-quickstart", "--filter", "attributes.run_name = 'by-the-server'", "--json"],
        ],
        { cwd, env: { MLFLOW_TRACKING_URI: "" } },
      );
      const runs: unknown[] = JSON.parse(found.stdout || "[]");
      if (runs.length !== 1) throw new Error(found.stderr || found.stdout);
    },
  );
}

/** The loader that goes with each model, by itself. */
export async function checkLoader({ report }: Context, python: Python): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "interop-loader-" });
  const folder = join(parent, "model");
  await saveModel(folder, {
    model: join(HERE, "models/loader_model.ts"),
    modelConfig: { greeting: "hello", nested: { a: 1 } },
  });
  const checks = await run(python.python, [join(HERE, "loader_checks.py"), folder], {
    cwd: parent,
    env: { ...QUIET, PYTHONPATH: HERE, PATH: `${join(Deno.execPath(), "..")}:${Deno.env.get("PATH")}` },
  });
  report.script(`loader, ${python.version}`, checks.stdout, checks.stderr);
}
