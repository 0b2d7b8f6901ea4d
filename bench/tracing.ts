// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Measures what tracing costs: the same server without it, with it, and with it towards a backend that is not there; in
 * one run, the server on one core, `wrk` and the collector on another, rounds in turn, the median of the ratios.
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
  /** Least share of the rate without tracing. */
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
    async [Symbol.asyncDispose]() {
      child.kill();
      await reader.cancel();
      await child.status;
    },
  };
}

/** Requests a second, as `wrk` counts them. */
async function load(url: string, body: Case["body"], seconds: number): Promise<number> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  const headers = 'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n';
  await Deno.writeTextFile(script, `${headers}wrk.body = '${JSON.stringify(body)}'\n`);
  const { stdout, success } = await new Deno.Command("taskset", {
    args: [
      ...["-c", String(LOAD), "wrk", "-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "-s", script],
      `${url}/v1/chat/completions`,
    ],
    stdout: "piped",
  }).output();
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const match = /Requests\/sec:\s+([\d.]+)/.exec(text);
  if (!success || match === null || text.includes("Non-2xx")) throw new Error(`Cannot measure:\n${text}`);
  return Number(match[1]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function measure(seconds: number, warmUp: number): Promise<boolean> {
  await using collector = await start(LOAD, ["collect"]);
  await using stack = new AsyncDisposableStack();
  const servers = new Map<Mode, Running>();
  for (const mode of MODES) servers.set(mode, stack.use(await start(SERVER, ["serve", mode, collector.url])));
  let met = true;
  for (const { title, body, goal } of CASES) {
    const rates = new Map<Mode, number[]>(MODES.map((mode) => [mode, []]));
    for (const { url } of servers.values()) await load(url, body, warmUp);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [mode, { url }] of servers) rates.get(mode)?.push(await load(url, body, seconds));
    }
    const off = rates.get("off") ?? [];
    console.log(`${title}: ${Math.round(median(off))} a second without tracing`);
    for (const mode of ["on", "dead"] as const) {
      const ratio = median((rates.get(mode) ?? []).map((rate, i) => rate / (off[i] ?? NaN)));
      met &&= ratio >= goal;
      console.log(`  ${mode.padEnd(5)} ${ratio.toFixed(2)}  (goal ≥ ${goal}: ${ratio >= goal ? "met" : "MISSED"})`);
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
