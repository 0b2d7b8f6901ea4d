/** The real command, for benchmarks: started on a model of their own, asked by many clients at once. */

const ROOT = new URL("../", import.meta.url);

/** A command that serves. */
export interface BenchServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Sends a signal. */
  kill(signal: Deno.Signal): void;
  /** How it ended, with what it wrote to the standard error. */
  readonly ended: Promise<{ readonly code: number; readonly stderr: string }>;
}

/** How to start it. */
export interface BenchServerOptions {
  /** Code of the module that gives the model; `ChatModel` is there. */
  readonly model: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The only core that it may use. Default: all of them. */
  readonly core?: number;
}

/** Starts `serve.ts` on a free port. */
export async function startServer(options: BenchServerOptions): Promise<BenchServer> {
  const { model, flags = [], env = {}, core } = options;
  const folder = await Deno.makeTempDir();
  const file = `${folder}/model.js`;
  const door = new URL("mod.ts", ROOT).href;
  await Deno.writeTextFile(file, `import { ChatModel } from ${JSON.stringify(door)};\n${model}\n`);
  const run = ["run", "-A", "--no-check", "--config", new URL("deno.json", ROOT).pathname];
  const args = [...run, new URL("serve.ts", ROOT).pathname, "--port=0", "--model", `bench=${file}`, ...flags];
  const command = core === undefined
    ? new Deno.Command(Deno.execPath(), { args, env, stdout: "piped", stderr: "piped" })
    : new Deno.Command("taskset", {
      args: ["-c", String(core), Deno.execPath(), ...args],
      env,
      stdout: "piped",
      stderr: "piped",
    });
  const child = command.spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("Stop with Ctrl-C")) {
    const { done, value = "" } = await reader.read();
    if (done) throw new Error(`The server did not start: ${await stderr}`);
    text += value;
  }
  const url = /http:\/\/\S+?:(\d+)/.exec(text);
  if (url === null) throw new Error(`The server has no address: ${text}`);
  // What it writes later, such as a log, is not to stop it.
  const draining = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read());
  })();
  let isOver = false;
  const ended = Promise.all([child.status, stderr, draining]).then(([{ code }, stderr]) => {
    isOver = true;
    return { code, stderr };
  });
  return {
    url: url[0],
    port: Number(url[1]),
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (!isOver) child.kill("SIGKILL");
      await ended;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Where chats are asked for. */
export const CHAT = "/v1/chat/completions";

/** The body of a chat. */
export function chatBody(content: string, stream: boolean): string {
  return JSON.stringify({ model: "bench", stream, messages: [{ role: "user", content }] });
}

/** A number of the command line: `--name N`. */
export function flag(name: string, fallback: number): number {
  const at = Deno.args.findIndex((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`));
  if (at < 0) return fallback;
  const text = Deno.args[at]?.split("=")[1] ?? Deno.args[at + 1] ?? "";
  const value = Number(text);
  if (text === "" || !(value > 0)) throw new RangeError(`Cannot measure: --${name} must be a number above 0`);
  return value;
}

/** The value below which a share of all lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Prints facts below each other, and what was missed; gives the exit code. */
export function report(title: string, facts: Readonly<Record<string, string>>, missed: readonly string[]): number {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  print(`\n${title}`);
  for (const [name, value] of Object.entries(facts)) print(`  ${name.padEnd(width)}  ${value}`);
  for (const what of missed) print(`  MISSED: ${what}`);
  if (missed.length === 0) print("  met");
  return missed.length === 0 ? 0 : 1;
}

function print(text: string): void {
  // deno-lint-ignore no-console -- what a benchmark is for
  console.log(text);
}

/** Milliseconds in which nothing happens. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Bytes of memory that a process has, by Linux. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
