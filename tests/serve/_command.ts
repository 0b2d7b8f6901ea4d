/** Runs `serve.ts` as its users do: as a process of its own. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const MOD = new URL("mod.ts", ROOT).href;

/** No server listens there: whoever asks is refused at once. */
export const NO_OLLAMA = "127.0.0.1:2";

/** What the start of a command can be told. */
export interface CommandOptions {
  /** Permissions. Default: those that the help names. */
  readonly permissions?: readonly string[];
  /** Value of `OLLAMA_HOST`. @default {NO_OLLAMA} */
  readonly ollama?: string;
  /** Working directory. Default: the package's. */
  readonly cwd?: string;
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that has ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export class Running implements AsyncDisposable {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;
  readonly #process: Deno.ChildProcess;
  #isOver = false;
  #onOutput: (() => void) | undefined;

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    const reading = [
      this.#read(process.stdout, (text) => this.stdout += text),
      this.#read(process.stderr, (text) => this.stderr += text),
    ];
    this.ended = Promise.all([process.status, ...reading]).then(([{ code, signal }]) => {
      this.#isOver = true;
      this.#onOutput?.();
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** The server's address, once it listens. */
  async url(): Promise<string> {
    await this.#until(() => this.stdout.includes("Stop with Ctrl-C"), "It never listened");
    const [, url] = /^Listening on (http:\/\/\S+:\d+) /m.exec(this.stdout) ?? [];
    assert(url, this.stdout);
    return url;
  }

  /** Waits until it has written a text to its standard error. */
  async says(text: string): Promise<void> {
    await this.#until(() => this.stderr.includes(text), `It never said "${text}"`);
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** How it ended; fails rather than hangs. */
  async end(): Promise<Ended> {
    await this.#until(() => this.#isOver, "It never ended");
    return await this.ended;
  }

  /** Sends a signal and checks that the command ends by itself, in good order. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ended> {
    this.kill(signal);
    const ended = await this.end();
    assertEquals([ended.code, ended.signal], [0, null], ended.stderr);
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.kill("SIGKILL");
    await this.ended;
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      take(decoder.decode(bytes, { stream: true }));
      this.#onOutput?.();
    }
  }

  async #until(condition: () => boolean, problem: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = () => reject(new Error(`${problem}.\nstdout: ${this.stdout}\nstderr: ${this.stderr}`));
    const timer = setTimeout(fail, 30_000);
    this.#onOutput = () => condition() ? resolve() : this.#isOver && fail();
    this.#onOutput();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Starts the command. */
export function start(args: readonly string[], options: CommandOptions = {}): Running {
  const { permissions = ["--allow-net", "--allow-read", "--allow-env=OLLAMA_HOST,OLLAMA_API_KEY"] } = options;
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      ...permissions,
      `--config=${new URL("deno.json", ROOT).pathname}`,
      new URL("serve.ts", ROOT).pathname,
      ...args,
    ],
    cwd: options.cwd ?? ROOT.pathname,
    env: { OLLAMA_HOST: options.ollama ?? NO_OLLAMA, OLLAMA_API_KEY: "", NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  return new Running(command.spawn());
}

/** Runs the command to its end. */
export async function run(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  await using running = start(args, options);
  return await running.end();
}

/** Checks that a command failed with one line that says what is wrong, and nothing else. */
export function assertFailed(ended: Ended, code: 1 | 2, ...words: readonly string[]): void {
  assertEquals(ended.code, code, ended.stderr + ended.stdout);
  assertEquals(ended.stdout, "");
  const lines = ended.stderr.split("\n");
  assertEquals([lines.length, lines[1]], [2, ""], ended.stderr);
  assert(lines[0]?.startsWith("error: "), ended.stderr);
  assert(!/\s{4}at /.test(ended.stderr), ended.stderr);
  for (const word of words) assert(lines[0]?.includes(word), `"${word}" is missing: ${ended.stderr}`);
}

/** Files of models in a folder of their own, outside of the package. */
export class ModelFiles implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync();

  /** Writes a file; `ChatModel` and `setModel` are imported. */
  write(name: string, code: string): string {
    const path = `${this.folder}/${name}`;
    Deno.writeTextFileSync(path, `import { ChatModel, setModel } from ${JSON.stringify(MOD)};\n${code}\n`);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Asks a server for a chat. */
export async function chat(url: string, body: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ messages: [{ role: "user", content: "Hi" }], ...body }),
  });
  const answer = await response.json();
  assertEquals(response.status, 200, JSON.stringify(answer));
  return answer.choices[0].message.content;
}

/** Names of the models that a server lists. */
export async function modelNames(url: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/models`);
  const { data } = await response.json();
  return data.map(({ id }: { readonly id: string }) => id);
}
