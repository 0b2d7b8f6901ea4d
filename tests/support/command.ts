/** Runs commands that serve, as a person would in a terminal. */

import { fromFileUrl } from "@std/path";

/** Where `deno.json` is, and commands are to be run; with a slash at its end. */
export const ROOT: string = fromFileUrl(new URL("../../", import.meta.url));

/** A running command that serves. */
export interface ServingCommand extends AsyncDisposable {
  /** Where it serves, as it says itself. */
  readonly url: string;
  /**
   * Tells it to stop, and waits for that.
   *
   * @returns How it ended, and what it wrote to its standard error.
   */
  stop(signal: Deno.Signal): Promise<{ readonly status: Deno.CommandStatus; readonly stderr: string }>;
}

/**
 * Starts a command and waits until it says where it serves.
 *
 * @param args Arguments of `deno`.
 * @param env Variables beside those of this process.
 * @returns The running command; dispose it in the end.
 * @throws {Error} If it ends before it serves.
 */
export async function startServing(args: readonly string[], env: Record<string, string> = {}): Promise<ServingCommand> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { promise: said, resolve } = Promise.withResolvers<string>();
  const onText = (text: string) => {
    const [, url] = /Listening on (http:\/\/[\w.:[\]]+)/.exec(text) ?? [];
    if (url !== undefined) resolve(url);
  };
  // `deno serve` says it on one, `serve.ts` on the other.
  const written = Promise.all([readAll(child.stdout, onText), readAll(child.stderr, onText)]);
  async function stop(signal: Deno.Signal) {
    child.kill(signal);
    const status = await child.status;
    const [, stderr] = await written;
    return { status, stderr };
  }
  const ended = child.status.then(async ({ code }) => {
    const [, stderr] = await written;
    return new Error(`The command ended with exit code ${code}: ${stderr}`);
  });
  const url = await Promise.race([said, ended]);
  if (url instanceof Error) throw url;
  let stopped: ReturnType<typeof stop> | undefined;
  return {
    url,
    stop: (signal) => stopped ??= stop(signal),
    async [Symbol.asyncDispose]() {
      await (stopped ??= stop("SIGKILL"));
      await ended;
    },
  };
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
