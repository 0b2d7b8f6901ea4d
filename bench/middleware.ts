/**
 * What guards cost: a server with keys, limits, an access log in a file and metrics, against the same server without, in
 * one run, on one core, `wrk` on another; three rounds in turn, the median of the ratios:
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

/** Requests a second, as `wrk` counts them. */
async function load(server: BenchServer, stream: boolean, time: number): Promise<number> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  await Deno.writeTextFile(
    script,
    `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer ${SECRET}"
wrk.body = '${chatBody("Hello, how are you today?", stream)}'
`,
  );
  const { stdout, success } = await new Deno.Command("taskset", {
    args: ["-c", "1", "wrk", "-t1", `-c${CONNECTIONS}`, `-d${time}s`, "-s", script, server.url + CHAT],
    stdout: "piped",
  }).output();
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  if (!success || rate === undefined || text.includes("Non-2xx")) throw new Error(`Cannot measure:\n${text}`);
  return Number(rate);
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
  const rates: { readonly off: number; readonly on: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push({ off: await load(off, stream, seconds), on: await load(on, stream, seconds) });
  }
  const ratio = percentile(rates.map(({ on, off }) => on / off), 0.5);
  const median = (which: "on" | "off") => percentile(rates.map((rate) => rate[which]), 0.5).toFixed(0);
  facts[title] = `off ${median("off")}/s, on ${median("on")}/s, ratio ${ratio.toFixed(2)} (goal ${goal}; rounds ${
    rates.map(({ on, off }) => (on / off).toFixed(2)).join(", ")
  })`;
  if (!(ratio >= goal)) missed.push(`${title}: ratio ${ratio.toFixed(2)}, goal ${goal}`);
}
const { size } = await Deno.stat(log);
if (size === 0) missed.push("the access log is empty");
facts["access log"] = `${(size / 1e6).toFixed(0)} MB`;
const code = report("All guards on against all off, one core", facts, missed);
await Deno.remove(folder, { recursive: true });
Deno.exit(code);
