/** Runs the shell blocks of a page as a reader would: in a clone of the repository, one after the other. */

import { dirname, join } from "@std/path";
import { ROOT } from "../support/command.ts";

/** What is not needed to run anything. */
const LEFT_OUT = new Set(["tests", "bench", "interop", "docs", "deploy", "node_modules"]);

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A clone of the repository in a folder of its own. */
export interface Workplace extends AsyncDisposable {
  /** Writes a file of a page. */
  write(path: string, text: string): Promise<void>;
  /** Runs commands in a shell, until they end. */
  run(commands: string): Promise<Ended>;
  /** Starts a command that serves, in place of the one before, and waits until it listens. */
  serve(command: string): Promise<void>;
}

/**
 * Makes a clone.
 *
 * @param env Variables beside those of this process.
 */
export async function openWorkplace(env: Record<string, string>): Promise<Workplace> {
  const folder = await Deno.makeTempDir({ prefix: "guide-" });
  await copy(ROOT, folder, LEFT_OUT);
  const bin = join(folder, ".bin");
  await Deno.mkdir(bin);
  await writeProgram(join(bin, "deno"), `exec "${Deno.execPath()}" "$@"`);
  // `npx -y deno …` is the Deno that runs this.
  await writeProgram(join(bin, "npx"), `shift 2\nexec "${Deno.execPath()}" "$@"`);
  const variables = { NO_COLOR: "1", MLFLOW_TRACKING_URI: "", ...env, PATH: `${bin}:${Deno.env.get("PATH")}` };
  let server: Server | undefined;
  return {
    async write(path, text) {
      await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
      await Deno.writeTextFile(join(folder, path), text);
    },
    async run(commands) {
      const { url = GUIDE_URL } = server ?? {};
      const { code, stdout, stderr } = await shell(commands.replaceAll(GUIDE_URL, url), folder, variables).output();
      const told = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(url, GUIDE_URL);
      return { code, stdout: told(stdout), stderr: told(stderr) };
    },
    async serve(command) {
      await server?.stop();
      server = undefined;
      server = await startServer(command, folder, variables);
    },
    async [Symbol.asyncDispose]() {
      await server?.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Where the pages say that a server is. */
const GUIDE_URL = "http://127.0.0.1:8000";

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

function shell(commands: string, cwd: string, env: Record<string, string>): Deno.Command {
  return new Deno.Command("sh", {
    args: ["-e", "-c", commands],
    cwd,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** At any free port. Variables may stand before the command, without spaces in their values. */
async function startServer(command: string, cwd: string, env: Record<string, string>): Promise<Server> {
  const [, assignments = "", rest = ""] = /^((?:\w+=\S* )*)([\s\S]*)$/.exec(command.trim()) ?? [];
  const own = Object.fromEntries(assignments.trim().split(" ").filter((text) => text !== "").map(splitAssignment));
  const [first = "", second = ""] = rest.split(" ");
  const place = first === "deno" && second === "serve" ? rest.replace("serve", "serve --port 0") : `${rest} --port 0`;
  const child = shell(`exec ${place.replace(/--port[ =]8\d+ /, "")}`, cwd, { ...env, ...own }).spawn();
  const { promise: listening, resolve } = Promise.withResolvers<string>();
  const onText = (text: string) => {
    const [, url] = /Listening on (http:\/\/[\w.:[\]]+)/.exec(text) ?? [];
    if (url !== undefined) resolve(url.replace("0.0.0.0", "127.0.0.1"));
  };
  const written = Promise.all([readAll(child.stdout, onText), readAll(child.stderr, onText)]);
  let isRunning = true;
  const ended = child.status.then(async ({ code }) => {
    isRunning = false;
    return new Error(`"${command}" ended with exit code ${code}: ${(await written)[1]}`);
  });
  const url = await Promise.race([listening, ended]);
  if (url instanceof Error) throw url;
  return {
    url,
    async stop() {
      if (isRunning) child.kill("SIGTERM");
      await ended;
    },
  };
}

function splitAssignment(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1).replaceAll(/^'|'$/g, "")];
}

async function readAll(stream: ReadableStream<Uint8Array>, onText: (text: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    onText(text);
  }
  return text;
}

async function writeProgram(path: string, commands: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${commands}\n`, { mode: 0o755 });
}

async function copy(from: string, to: string, leftOut: ReadonlySet<string> = new Set()): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (name.startsWith(".") || leftOut.has(name)) continue;
    if (isDirectory) await copy(join(from, name), join(to, name));
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}
