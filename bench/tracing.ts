// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Measures what tracing costs: the same server without it, with it, and with it towards a backend that is not there; in
 * one run, the server on one core, `wrk` and the collector on another, rounds in turn, the median of the ratios. Goals
 * are for the processor's time that a request takes (user and system, of the server's process, as Linux counts it), which
 * others on the machine hardly change; the rate is told beside it.
 *
 * Run it: `deno run -A bench/tracing.ts [SECONDS [WARM_UP]]`. Needs Linux and `wrk` (`apt-get install wrk`). Ends with
 * exit code 1 if a goal is missed.
 */
import { DemoChatModel } from "../adapters/demo/mod.ts";
import { ChatModel } from "../chat_model.ts";
import { createApp } from "../serve.ts";
import { enableTracing } from "../tracing/mod.ts";
import { FRAMES } from "./frames.ts";

const ROUNDS = 5;
const CONNECTIONS = 50;
/** Cores. */
const SERVER = 0;
const LOAD = 1;
const SCRIPT = new URL(import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;
const MODES = ["off", "on", "dead"] as const;

type Mode = typeof MODES[number];

class SyncWords extends ChatModel {
  override *predictStream(): Generator<string> {
    for (let i = 0; i < FRAMES; i++) yield "word ";
  }
}

class AsyncWords extends ChatModel {
  override async *predictStream(): AsyncGenerator<string> {
    for (let i = 0; i < FRAMES; i++) yield "word ";
  }
}

interface Case {
  readonly title: string;
  readonly body: Record<string, unknown>;
  /** Least that the time of a request without tracing is of that with it. */
  readonly goal: number;
}

const messages = [{ role: "user", content: "Hello, how are you today?" }];
const CASES: readonly Case[] = [
  { title: "an answer of the demo model", body: { model: "demo", messages }, goal: 0.85 },
  { title: "a stream, generator", body: { model: "sync", stream: true, messages }, goal: 0.9 },
  { title: "a stream, async generator", body: { model: "async", stream: true, messages }, goal: 0.9 },
];

/** The server of a mode: prints its port. */
async function serve(mode: Mode, collector: string): Promise<void> {
  if (mode !== "off") {
    await enableTracing({
      endpoint: mode === "on" ? collector : "http://127.0.0.1:9",
      captureContent: true,
      onWarning: () => {},
    });
  }
  const app = createApp({ demo: new DemoChatModel(), sync: SyncWords, async: AsyncWords });
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, app.fetch);
}

/** Takes whatever comes, and tells at `/count` how many bytes that was. */
function collect(): void {
  let bytes = 0;
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, async (request) => {
    if (request.method === "GET") return new Response(String(bytes));
    bytes += (await request.bytes()).length;
    return new Response();
  });
}

interface Running extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

async function start(core: number, args: readonly string[]): Promise<Running> {
  const child = new Deno.Command("taskset", {
    args: ["-c", String(core), Deno.execPath(), "run", "--no-check", "--config", CONFIG, "-A", SCRIPT, ...args],
    stdout: "piped",
    stderr: "null", // Connections that `wrk` cuts at its end are reported there.
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    url: `http://127.0.0.1:${value.trim()}`,
    // `taskset` becomes the program that it starts.
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill();
      await reader.cancel();
      await child.status;
    },
  };
}

interface Cost {
  /** Requests a second, as `wrk` counts them. */
  readonly rate: number;
  /** Microseconds of the processor for each. */
  readonly time: number;
}

/** Linux counts a process's time in these parts of a second. */
const TICK = 10_000;

/** Microseconds of the processor that a process has taken. */
async function timeOf(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  const [, fields = ""] = text.split(") ");
  const [user = NaN, system = NaN] = fields.split(" ").slice(11, 13).map(Number);
  return (user + system) * TICK;
}

/** What requests cost while as many as possible are made. */
async function load({ url, pid }: Running, body: Case["body"], seconds: number): Promise<Cost> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  const headers = 'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n';
  await Deno.writeTextFile(script, `${headers}wrk.body = '${JSON.stringify(body)}'\n`);
  const before = await timeOf(pid);
  const { stdout, success } = await new Deno.Command("taskset", {
    args: [
      ...["-c", String(LOAD), "wrk", "-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "-s", script],
      `${url}/v1/chat/completions`,
    ],
    stdout: "piped",
  }).output();
  const after = await timeOf(pid);
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const [, count] = /(\d+) requests in/.exec(text) ?? [];
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  if (!success || text.includes("Non-2xx")) throw new Error(`Cannot measure:\n${text}`);
  return { rate: Number(rate), time: (after - before) / Number(count) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function medians(costs: readonly Cost[]): Cost {
  return { rate: median(costs.map(({ rate }) => rate)), time: median(costs.map(({ time }) => time)) };
}

async function measure(seconds: number, warmUp: number): Promise<boolean> {
  await using collector = await start(LOAD, ["collect"]);
  await using stack = new AsyncDisposableStack();
  const servers = new Map<Mode, Running>();
  for (const mode of MODES) servers.set(mode, stack.use(await start(SERVER, ["serve", mode, collector.url])));
  let met = true;
  for (const { title, body, goal } of CASES) {
    const costs = new Map<Mode, Cost[]>(MODES.map((mode) => [mode, []]));
    for (const server of servers.values()) await load(server, body, warmUp);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [mode, server] of servers) costs.get(mode)?.push(await load(server, body, seconds));
    }
    const off = costs.get("off") ?? [];
    const { rate, time } = medians(off);
    console.log(`${title}: ${time.toFixed(0)} µs of the processor, ${Math.round(rate)} a second without tracing`);
    for (const mode of ["on", "dead"] as const) {
      const ratios = medians((costs.get(mode) ?? []).map((cost, i) => ({
        rate: cost.rate / (off[i]?.rate ?? NaN),
        time: (off[i]?.time ?? NaN) / cost.time,
      })));
      met &&= ratios.time >= goal;
      console.log(
        `  ${mode.padEnd(5)} time ${ratios.time.toFixed(2)}  (goal ≥ ${goal}: ${
          ratios.time >= goal ? "met" : "MISSED"
        })  ` +
          `rate ${ratios.rate.toFixed(2)}`,
      );
    }
  }
  const bytes = await (await fetch(`${collector.url}/count`)).text();
  console.log(`${bytes} bytes of traces arrived`);
  return met;
}

const [what, ...args] = Deno.args;
if (what === "collect") collect();
else if (what === "serve") await serve(MODES.find((mode) => mode === args[0]) ?? "off", args[1] ?? "");
else if (!await measure(Number(what ?? 4), Number(args[0] ?? 15))) Deno.exit(1);
