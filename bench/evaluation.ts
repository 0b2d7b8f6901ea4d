// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Evaluates the demo model on 10 000 rows by the command line: once in one go, with the memory at 1 000, 5 000 and
 * 10 000 rows; once killed half-way (SIGKILL) and resumed. Nothing may be lost or done twice, both must come to the same,
 * and memory must not grow with the rows.
 *
 * Run it: `deno run -A bench/evaluation.ts [ROWS]`. Needs `ps`. Ends with exit code 1 if a goal is missed.
 */
import { fromFileUrl, join } from "@std/path";

/** Megabytes by which memory may grow from the first tenth of the rows to the last. */
const MOST_GROWTH = 48;
const ROOT = fromFileUrl(new URL("../", import.meta.url));
const COUNT = Number(Deno.args[0] ?? 10_000);

/** One evaluation in a process of its own. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Megabytes by the number of rows. */
  readonly memory: ReadonlyMap<number, number>;
  readonly seconds: number;
}

const folder = await Deno.makeTempDir({ prefix: "bench-evaluation-" });
const failures: string[] = [];
try {
  await main();
} finally {
  await Deno.remove(folder, { recursive: true });
}
if (failures.length > 0) {
  for (const failure of failures) console.error(`missed: ${failure}`);
  Deno.exit(1);
}

async function main(): Promise<void> {
  if (!Number.isSafeInteger(COUNT) || COUNT < 100) throw new Error("ROWS must be a whole number of at least 100");
  await writeRows();
  const whole = await evaluate("whole.jsonl");
  check(whole.code === 0, "the evaluation in one go ends well", whole.stderr);
  const [early = NaN, half, late = NaN] = [0.1, 0.5, 1].map((share) => whole.memory.get(Math.floor(COUNT * share)));
  console.log(
    `${COUNT} rows in ${whole.seconds.toFixed(1)} s (${Math.round(COUNT / whole.seconds)} rows/s); RSS at ` +
      `10 %, 50 %, 100 %: ${[early, half, late].map((size) => `${size?.toFixed(0)} MB`).join(", ")}`,
  );
  check(late - early <= MOST_GROWTH, `memory grows by at most ${MOST_GROWTH} MB: ${(late - early).toFixed(0)} MB`);

  const killed = await evaluate("killed.jsonl", { killAt: Math.floor(COUNT / 2) });
  const before = await readJournal("killed.jsonl");
  console.log(`Killed with ${before.length} of ${COUNT} rows in the journal`);
  check(killed.code !== 0 && before.length >= COUNT / 2 && before.length < COUNT, "the process is killed half-way");
  const resumed = await evaluate("killed.jsonl");
  check(resumed.code === 0, "the resumed evaluation ends well", resumed.stderr);
  const after = await readJournal("killed.jsonl");
  const { candidate } = JSON.parse(resumed.stdout);
  console.log(`Resumed: ${candidate.rows.resumed} rows were there, ${COUNT - candidate.rows.resumed} were done`);
  check(candidate.rows.resumed === before.length, "nothing that was done is done again");
  check(after.length === COUNT && new Set(after).size === COUNT, "each row is in the journal once");
  check(before.every((index, place) => after[place] === index), "the journal is only added to");
  const one = JSON.parse(whole.stdout).candidate;
  check(
    JSON.stringify(steady(one.metrics)) === JSON.stringify(steady(candidate.metrics)),
    "both come to the same metrics",
  );
  await checkTable(candidate.runId);
}

async function writeRows(): Promise<void> {
  const rows = Array.from({ length: COUNT }, (_, index) =>
    JSON.stringify({
      inputs: { messages: [{ role: "user", content: `Question ${index}: how are you?` }] },
      expectations: { expected_response: index % 2 === 0 ? "demo" : "something else" },
      tags: { half: index % 2 === 0 ? "even" : "odd" },
    }));
  await Deno.writeTextFile(join(folder, "rows.jsonl"), rows.join("\n"));
}

async function evaluate(journal: string, { killAt }: { readonly killAt?: number } = {}): Promise<Ended> {
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--config", join(ROOT, "deno.json"), join(ROOT, "cli.ts"), "evaluate", "--model", "demo"],
      ...["--data", "rows.jsonl", "--scorers", "exact_match,length,token_f1,latency", "--seed", "1", "--json"],
      ...["--resume", journal],
    ],
    cwd: folder,
    env: { NO_COLOR: "1", MLFLOW_TRACKING_URI: "sqlite:///mlflow.db" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = new Response(child.stdout).text();
  const memory = new Map<number, number>();
  let stderr = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    for (const [, done] of text.matchAll(/: (\d+) of \d+ rows\n/g)) {
      if (Number(done) === killAt) child.kill("SIGKILL");
      memory.set(Number(done), await residentSize(child.pid));
    }
  }
  const { code } = await child.status;
  return { code, stdout: await stdout, stderr, memory, seconds: (performance.now() - started) / 1000 };
}

/** Megabytes that a process holds. */
async function residentSize(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", String(pid)] }).output();
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

/** Indexes of the rows in a journal, in the order in which they were written; without a line that was torn. */
async function readJournal(name: string): Promise<number[]> {
  const lines = (await Deno.readTextFile(join(folder, name))).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "row").map(({ result }) => result.index);
}

/** What does not depend on time. */
function steady(metrics: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => !name.startsWith("latency/")));
}

async function checkTable(runId: string): Promise<void> {
  const paths = [];
  for await (const { name } of Deno.readDir(join(folder, "mlruns"))) {
    paths.push(join(folder, "mlruns", name, runId, "artifacts/eval_results.json"));
  }
  const texts = await Promise.all(paths.map((path) => Deno.readTextFile(path).catch(() => "")));
  const { columns, data } = JSON.parse(texts.find((text) => text !== "") ?? "{}");
  const place = columns?.indexOf("row_id");
  const ids = new Set(data?.map((row: readonly unknown[]) => row[place]));
  check(data?.length === COUNT && ids.size === COUNT, "each row is in the run's table once");
}

function check(isMet: boolean, goal: string, said = ""): void {
  console.log(`${isMet ? "ok     " : "MISSED "} ${goal}`);
  if (!isMet) failures.push(said === "" ? goal : `${goal}: ${said.slice(-500)}`);
}
