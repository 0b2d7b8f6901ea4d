/**
 * What guards cost: a server with keys, limits, an access log in a file and metrics, against the same server without, in
 * one run, on one core, `wrk` on another; three rounds in turn, the median of the ratios. Told by second, and by second
 * that the core worked for the server, which holds also where others use it:
 * `deno run -A bench/middleware.ts [--seconds 4] [--warm-up 10]`. Needs Linux and `wrk` (`apt-get install wrk`).
 */
import { type BenchServer, CHAT, chatBody, flag, percentile, report, startServer } from "./_server.ts";
import { FRAMES } from "./frames.ts";

const ROUNDS = 3;
const CONNECTIONS = 50;
const seconds = flag("seconds", 4);
const warmUp = flag("warm-up", 10);
const SECRET = `sk-${"b".repeat(40)}`;

const MODEL = `export default class extends ChatModel {
  predict(_context, messages) {
    return { content: "You said: " + messages.at(-1).content, usage: { prompt_tokens: 10, completion_tokens: 10 } };
  }
  *predictStream() {
    for (let i = 0; i < ${FRAMES}; i++) yield "word ";
  }
}`;

/** How fast a server was. */
interface Speed {
  /** Requests a second, as `wrk` counts them: what else runs on the core makes it less. */
  readonly rate: number;
  /** Requests for each second that the core worked for the server. */
  readonly efficiency: number;
}

/** Seconds that cores have worked for a process: its user and system time, in hundredths, by proc(5). */
async function cpuSeconds({ pid }: BenchServer): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // Behind the name, which may hold anything, the third field is the first.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function load(server: BenchServer, stream: boolean, time: number): Promise<Speed> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  await Deno.writeTextFile(
    script,
    `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer ${SECRET}"
wrk.body = '${chatBody("Hello, how are you today?", stream)}'
`,
  );
  const before = await cpuSeconds(server);
  const { stdout, success } = await new Deno.Command("taskset", {
    args: ["-c", "1", "wrk", "-t1", `-c${CONNECTIONS}`, `-d${time}s`, "-s", script, server.url + CHAT],
    stdout: "piped",
  }).output();
  const worked = await cpuSeconds(server) - before;
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  const count = /(\d+) requests in/.exec(text)?.[1];
  if (!success || rate === undefined || count === undefined || text.includes("Non-2xx")) {
    throw new Error(`Cannot measure:\n${text}`);
  }
  return { rate: Number(rate), efficiency: Number(count) / worked };
}

const folder = await Deno.makeTempDir();
const keys = `${folder}/keys.json`;
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SECRET))).toHex();
await Deno.writeTextFile(
  keys,
  JSON.stringify({
    keys: [{
      name: "bench",
      sha256: digest,
      models: ["bench"],
      requests_per_minute: 1_000_000_000,
      tokens_per_minute: 1_000_000_000_000,
      max_concurrency: 1_000,
    }],
  }),
);
const log = `${folder}/access.log`;
const flags = ["--api-keys", keys, "--max-concurrency=1000", "--access-log", log, "--metrics-port=0"];
await using off = await startServer({ model: MODEL, core: 0 });
await using on = await startServer({ model: MODEL, core: 0, flags });

const facts: Record<string, string> = {};
const missed: string[] = [];
for (const [title, stream, goal] of [["non-stream", false, 0.8], [`stream of ${FRAMES} frames`, true, 0.9]] as const) {
  for (const server of [off, on]) await load(server, stream, warmUp);
  const speeds: { readonly off: Speed; readonly on: Speed }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    speeds.push({ off: await load(off, stream, seconds), on: await load(on, stream, seconds) });
  }
  for (const measure of ["rate", "efficiency"] as const) {
    const ratios = speeds.map(({ on, off }) => on[measure] / off[measure]);
    const ratio = percentile(ratios, 0.5);
    const median = (which: "on" | "off") => percentile(speeds.map((speed) => speed[which][measure]), 0.5).toFixed(0);
    const unit = measure === "rate" ? "s" : "CPU second";
    const rounds = ratios.map((each) => each.toFixed(2)).join(", ");
    facts[`${title}, by ${unit}`] = `off ${median("off")}, on ${median("on")}, ratio ${ratio.toFixed(2)} ` +
      `(goal ${goal}; rounds ${rounds})`;
    if (!(ratio >= goal)) missed.push(`${title}, by ${unit}: ratio ${ratio.toFixed(2)}, goal ${goal}`);
  }
}
const { size } = await Deno.stat(log);
if (size === 0) missed.push("the access log is empty");
facts["access log"] = `${(size / 1e6).toFixed(0)} MB`;
const code = report("All guards on against all off, one core", facts, missed);
await Deno.remove(folder, { recursive: true });
Deno.exit(code);
