// deno-lint-ignore-file no-console -- a command talks to its user
/**
 * Measures what this package adds: each server against a bare one that does the same by hand, in one run, the server on
 * one core, `wrk` (and what stands for Ollama) on another. Three rounds, in turn; the median of the ratios counts.
 *
 * Run it: `deno task bench`; with a part of titles, only these comparisons. Needs Linux and `wrk`
 * (`apt-get install wrk`).
 */
import { FRAMES } from "./frames.ts";

const ROUNDS = 3;
/** Seconds of load before anything is measured: the compiler takes some hundred thousand requests to be done. */
const WARM_UP = 15;
const SECONDS = 4;
const CONNECTIONS = 50;
const SCRIPT = new URL("./servers.ts", import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;

interface Server extends AsyncDisposable {
  readonly url: string;
}

interface Target {
  readonly label: string;
  readonly server: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

interface Comparison {
  readonly title: string;
  readonly unit: string;
  /** How many of `unit` one request is. */
  readonly factor: number;
  readonly bare: Target;
  readonly ours: readonly (Target & { readonly goal: number })[];
}

const CHAT = "/v1/chat/completions";
const messages = [{ role: "user", content: "Hello, how are you today?" }];

const COMPARISONS: readonly Comparison[] = [
  {
    title: "Non-stream, demo model",
    unit: "requests/s",
    factor: 1,
    bare: { label: "bare Deno.serve", server: "bare", path: "/", body: { model: "demo", messages } },
    ours: [
      { label: "createApp, Deno.serve", server: "demo", path: CHAT, body: { model: "demo", messages }, goal: 0.5 },
      {
        label: "createApp, listen (serve.ts)",
        server: "demo+listen",
        path: CHAT,
        body: { model: "demo", messages },
        goal: 0,
      },
    ],
  },
  {
    title: `Stream of ${FRAMES} frames`,
    unit: "frames/s",
    factor: FRAMES,
    bare: { label: "bare, one enqueue a frame", server: "bare-sse", path: "/", body: { model: "m", stream: true } },
    ours: [
      {
        label: "generator, Deno.serve",
        server: "words",
        path: CHAT,
        body: { model: "sync", stream: true, messages },
        goal: 1.2,
      },
      {
        label: "async generator, Deno.serve",
        server: "words",
        path: CHAT,
        body: { model: "async", stream: true, messages },
        goal: 1.2,
      },
    ],
  },
  {
    title: "Through the Ollama adapter, non-stream, against a proxy that only hands on",
    unit: "requests/s",
    factor: 1,
    bare: {
      label: "bare fetch proxy",
      server: "bare-proxy",
      path: "/",
      body: { model: "plain", stream: false, messages },
    },
    ours: [{ label: "chat-model", server: "ollama", path: CHAT, body: { model: "plain", messages }, goal: 0.65 }],
  },
  {
    title: "Through the Ollama adapter, non-stream, against a proxy that translates by hand",
    unit: "requests/s",
    factor: 1,
    bare: { label: "bare translating proxy", server: "bare-translator", path: "/", body: { model: "plain", messages } },
    ours: [{ label: "chat-model", server: "ollama", path: CHAT, body: { model: "plain", messages }, goal: 0 }],
  },
  {
    title: `Through the Ollama adapter, stream of ${FRAMES} records`,
    unit: "frames/s",
    factor: FRAMES,
    bare: {
      label: "bare fetch proxy",
      server: "bare-proxy",
      path: "/",
      body: { model: "plain", stream: true, messages },
    },
    ours: [{
      label: "chat-model",
      server: "ollama",
      path: CHAT,
      body: { model: "plain", stream: true, messages },
      goal: 0,
    }],
  },
];

async function start(name: string, core: number, upstream = ""): Promise<Server> {
  const child = new Deno.Command("taskset", {
    args: ["-c", String(core), Deno.execPath(), "run", "--config", CONFIG, "-A", SCRIPT, name, upstream],
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
async function load(server: Server, target: Target, seconds: number): Promise<number> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  const body = JSON.stringify(target.body).replaceAll("'", "\\'");
  await Deno.writeTextFile(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = '${body}'\n`,
  );
  const { stdout, success } = await new Deno.Command("taskset", {
    args: ["-c", "1", "wrk", "-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "-s", script, server.url + target.path],
    stdout: "piped",
  }).output();
  await Deno.remove(script);
  const text = new TextDecoder().decode(stdout);
  const match = /Requests\/sec:\s+([\d.]+)/.exec(text);
  if (!success || match === null || text.includes("Non-2xx")) {
    throw new Error(`Cannot measure ${target.label}:\n${text}`);
  }
  return Number(match[1]);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function compare({ title, unit, factor, bare, ours }: Comparison): Promise<boolean> {
  await using upstream = await start("fake-ollama", 1);
  const targets = [bare, ...ours];
  const servers = new Map<string, Server>();
  await using stack = new AsyncDisposableStack();
  for (const { server } of targets) {
    if (!servers.has(server)) servers.set(server, stack.use(await start(server, 0, upstream.url)));
  }
  const at = (target: Target): Server => servers.get(target.server) ?? upstream;
  for (const target of targets) await load(at(target), target, WARM_UP);
  const rates = new Map<Target, number[]>(targets.map((target) => [target, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of targets) rates.get(target)?.push(await load(at(target), target, SECONDS));
  }
  console.log(`\n${title} (${unit})`);
  const bareRates = rates.get(bare) ?? [];
  console.log(`  ${bare.label.padEnd(30)} ${format(median(bareRates) * factor)}  = 1`);
  let met = true;
  for (const target of ours) {
    const own = rates.get(target) ?? [];
    const ratio = median(own.map((rate, i) => rate / (bareRates[i] ?? NaN)));
    met &&= ratio >= target.goal;
    const goal = target.goal > 0 ? `  (goal ≥ ${target.goal}: ${ratio >= target.goal ? "met" : "MISSED"})` : "";
    console.log(`  ${target.label.padEnd(30)} ${format(median(own) * factor)}  ratio ${ratio.toFixed(2)}${goal}`);
  }
  return met;
}

function format(rate: number): string {
  return Math.round(rate).toLocaleString("en").padStart(11);
}

/** Milliseconds from starting `serve.ts` to its first answer; what it needs is cached. */
async function coldStart(): Promise<number> {
  const begin = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("../serve.ts", import.meta.url).pathname, "--model", "demo", "--port", "0"],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const url = /http:\/\/\S+/.exec(value)?.[0];
  const response = await fetch(`${url}${CHAT}`, { method: "POST", body: JSON.stringify({ messages }) });
  await response.json();
  const time = performance.now() - begin;
  child.kill("SIGTERM");
  await reader.cancel();
  await child.status;
  return time;
}

/** Files and bytes that importing `mod.ts` loads, npm packages' not counted but named. */
async function graphSize(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("../mod.ts", import.meta.url).pathname],
    stdout: "piped",
  }).output();
  const { modules }: { modules: { kind: string; size?: number; npmPackage?: string }[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const own = modules.filter(({ kind, size }) => kind === "esm" && size !== undefined);
  const bytes = own.reduce((sum, { size = 0 }) => sum + size, 0);
  const packages = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  return `${own.length} files, ${(bytes / 1024).toFixed(0)} KiB of source; packages: ${[...packages].join(", ")}`;
}

if (import.meta.main) {
  const results: boolean[] = [];
  const wanted = Deno.args.length === 0
    ? COMPARISONS
    : COMPARISONS.filter(({ title }) => Deno.args.some((part) => title.includes(part)));
  for (const comparison of wanted) results.push(await compare(comparison));
  const starts: number[] = [];
  for (let i = 0; i < 5; i++) starts.push(await coldStart());
  console.log(
    `\nCold start of serve.ts to the first answer: median ${median(starts).toFixed(0)} ms of ${starts.length}`,
  );
  console.log(`Module graph of mod.ts: ${await graphSize()}`);
  if (results.includes(false)) Deno.exit(1);
}
