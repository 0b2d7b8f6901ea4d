// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Has many processes write to one embedded store at once, kills some of them at random, and looks whether all that was
 * acknowledged is there: `deno run -A bench/store/durability.ts [PYTHON]`. With a Python that has MLflow, that reads it
 * all back, too.
 */
import { DatabaseSync } from "node:sqlite";
import { fromFileUrl, join } from "@std/path";
import { openTrackingStore, type TrackingStore } from "../../tracking/mod.ts";

const PROCESSES = 8;
const WRITES = 500;
const KILLS = 50;

const WRITER = fromFileUrl(new URL("./writer.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));
const READER = fromFileUrl(new URL("./read_back.py", import.meta.url));

interface Written {
  readonly name: string;
  /** The last write that was acknowledged; -1 for none. */
  readonly last: number;
}

function start(uri: string, runId: string, name: string, count: number): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, WRITER, uri, runId, name, String(count)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function finish(child: Deno.ChildProcess, name: string): Promise<Written> {
  const { stdout } = await child.output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  // What follows the last line's end may be half a number.
  return { name, last: lines.length < 2 ? -1 : Number(lines[lines.length - 2]) };
}

async function lost(store: TrackingStore, runId: string, written: readonly Written[]): Promise<number> {
  const { data } = await store.getRun(runId);
  let count = 0;
  for (const { name, last } of written) {
    const { items } = await store.getMetricHistory(runId, `${name}.metric`, { maxResults: 50_000 });
    const steps = new Set(items.map(({ step }) => step));
    for (let i = 0; i <= last; i++) {
      if (!steps.has(i) || data.params[`${name}.param.${i}`] !== String(i)) count++;
    }
  }
  return count;
}

const folder = await Deno.makeTempDir({ prefix: "durability-" });
const path = join(folder, "mlflow.db");
const uri = `sqlite:///${path}`;
try {
  await using store = openTrackingStore(uri);
  const { info: { runId } } = await store.createRun({ experimentId: "0" });

  const begin = performance.now();
  const names = Array.from({ length: PROCESSES }, (_, i) => `p${i}`);
  const together = await Promise.all(names.map((name) => finish(start(uri, runId, name, WRITES), name)));
  const seconds = (performance.now() - begin) / 1000;
  const acknowledged = together.reduce((sum, { last }) => sum + last + 1, 0);
  console.log(
    `${PROCESSES} processes × ${WRITES} writes at once: ${acknowledged} acknowledged in ${seconds.toFixed(1)} s, ` +
      `${await lost(store, runId, together)} lost`,
  );
  if (acknowledged !== PROCESSES * WRITES) throw new Error("A writer ended before its time");

  const killed: Written[] = [];
  for (let i = 0; i < KILLS; i++) {
    const name = `k${i}`;
    const child = start(uri, runId, name, 100_000);
    const ended = finish(child, name);
    await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 400));
    child.kill("SIGKILL");
    killed.push(await ended);
  }
  const before = killed.reduce((sum, { last }) => sum + last + 1, 0);
  console.log(
    `${KILLS} writers killed at random: ${before} writes acknowledged, ${await lost(store, runId, killed)} lost`,
  );
  const all = await lost(store, runId, [...together, ...killed]);
  const database = new DatabaseSync(path);
  const integrity = database.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  const orphans = database.prepare("PRAGMA foreign_key_check").all().length;
  database.close();
  console.log(`PRAGMA integrity_check: ${String(integrity)}; foreign_key_check: ${orphans} problems`);

  let readBack = true;
  const [python] = Deno.args;
  if (python !== undefined) {
    const expected = Object.fromEntries([...together, ...killed].map(({ name, last }) => [name, last]));
    const { success, stdout, stderr } = await new Deno.Command(python, {
      args: [READER, uri, runId, JSON.stringify(expected)],
      env: { MLFLOW_DISABLE_TELEMETRY: "true" },
    }).output();
    console.log(new TextDecoder().decode(success ? stdout : stderr).trim());
    readBack = success;
  }
  if (all > 0 || integrity !== "ok" || orphans > 0 || !readBack) Deno.exit(1);
} finally {
  await Deno.remove(folder, { recursive: true });
}
