/**
 * Checks this package against genuine MLflow: installs it from PyPI into an environment of its own (kept in `.cache/`),
 * starts its servers, has both sides log, list, load, serve and call each other's models. Prints each check, and
 * `N passed, N failed` in the end; ends with exit code 1 if one fails.
 *
 * Run it: `deno task interop`. Needs `python3`; nothing is left running.
 */
import { fromFileUrl, join } from "@std/path";
import { readRecording, startReplay } from "../tests/support/replay.ts";
import { saveModel } from "../models/mod.ts";
import { installMlflow, progress, type Python, QUIET, run } from "./_python.ts";
import { Report } from "./_report.ts";
import { startMlflow } from "./_server.ts";

/** The MLflow whose format and schema are written, and an older one that many have. */
const VERSIONS = ["3.17.2", "3.12.0"] as const;

const HERE = fromFileUrl(new URL("./", import.meta.url));
const CONFIG = fromFileUrl(new URL("../deno.json", import.meta.url));

const report = new Report();

/** Runs a script of this folder with Deno, as a program of its own. */
async function deno(script: string, cwd: string, env: Record<string, string>): Promise<string> {
  const ended = await run(Deno.execPath(), ["run", "-A", "--config", CONFIG, join(HERE, script)], {
    cwd,
    env: { ...env, NO_COLOR: "1" },
  });
  if (!ended.success) throw new Error(ended.stderr.trim().slice(-1500));
  return ended.stdout.trim();
}

async function suite(script: string, title: string, env: Record<string, string>): Promise<void> {
  const ended = await run(
    Deno.execPath(),
    ["test", "-A", "--config", CONFIG, join(HERE, script)],
    { env: { ...env, NO_COLOR: "1" } },
  );
  report.suite(title, `${ended.stdout}\n${ended.stderr}`);
}

/** Both sides in one store: ours writes, Python reads, calls and writes, ours reads. */
async function bothWays(python: Python, where: string, cwd: string, env: Record<string, string>): Promise<string> {
  const made = await report.check(`${where}: the tutorial from Deno`, () => deno("tutorial.ts", cwd, env));
  if (made === undefined) return "";
  const checks = await run(python.python, [join(HERE, "store_checks.py"), made], {
    cwd,
    env: { ...QUIET, ...env, PYTHONPATH: HERE, CHATMODEL_DENO: Deno.execPath() },
  });
  report.script(`${where}: Python`, checks.stdout, checks.stderr);
  await report.check(`${where}: Deno reads what Python wrote`, () => deno("read_back.ts", cwd, env));
  const { model_id: modelId }: { model_id: string } = JSON.parse(made);
  return modelId;
}

async function checkServer(python: Python, ollama: string, withSuites: boolean): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-server-" });
  await using server = await startMlflow(python, (port) => [
    ...["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"],
    ...["--backend-store-uri", `sqlite:///${join(cwd, "server.db")}`, "--artifacts-destination", join(cwd, "files")],
  ], { cwd, ready: "/health" });
  const where = `server ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: server.url, OLLAMA_HOST: ollama, CHATMODEL_CACHE: join(cwd, "cache") };
  const modelId = await bothWays(python, where, cwd, env);
  if (withSuites) {
    await suite("store_suite.ts", `${where}: the suite of tracking stores`, env);
    await suite("registry_suite.ts", `${where}: the suite of registries`, env);
  }
  if (modelId !== "") await checkServing(python, where, `models:/${modelId}`, { cwd, env });
}

/** `mlflow models serve` of what was logged here. */
async function checkServing(
  python: Python,
  where: string,
  uri: string,
  { cwd, env }: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<void> {
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

async function checkEmbedded(python: Python, ollama: string): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "interop-embedded-" });
  const where = `embedded, ${python.version}`;
  const env = { MLFLOW_TRACKING_URI: "", OLLAMA_HOST: ollama };
  if (python.version !== VERSIONS[0]) {
    // The database as that version makes it, rather than ours.
    await report.check(`${where}: MLflow makes the database`, async () => {
      const made = await run(python.python, ["-c", "import mlflow; mlflow.search_experiments()"], { cwd, env: QUIET });
      if (!made.success) throw new Error(made.stderr.slice(-1500));
      await Deno.stat(join(cwd, "mlflow.db"));
    });
  }
  await bothWays(python, where, cwd, env);
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

async function checkLoader(python: Python): Promise<void> {
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

const pythons: Python[] = [];
for (const version of VERSIONS) pythons.push(await installMlflow(version));
await using ollama = startReplay([
  readRecording("num_predict_5_stream", "v0.24"),
  readRecording("chat_nonstream", "v0.24"),
]);
for (const [i, python] of pythons.entries()) {
  progress(`MLflow ${python.version}`);
  await report.check(`MLflow ${python.version}: loader, server and embedded store are checked`, async () => {
    if (i === 0) await checkLoader(python);
    await checkServer(python, ollama.url, i === 0);
    await checkEmbedded(python, ollama.url);
  });
}
// deno-lint-ignore no-console -- a command talks to its user
console.log(`${report.passed} passed, ${report.failures.length} failed`);
for (const name of report.failures) progress(`failed: ${name}`);
Deno.exit(report.failures.length === 0 && report.passed > 0 ? 0 : 1);
