import { type Python, QUIET } from "./_python.ts";

/** Milliseconds that a server may take to answer for the first time. */
const START_TIMEOUT = 120_000;

/** A server that runs until it is disposed of. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
}

/** How a server is started. */
export interface ServerOptions {
  /** Working directory. */
  readonly cwd: string;
  /** Variables, besides this program's own. */
  readonly env?: { readonly [name: string]: string };
  /** Path that answers once the server is there. */
  readonly ready: string;
}

/** Starts `mlflow server`, or another command of MLflow's that serves, and waits until it answers. */
export function startMlflow(
  { mlflow }: Python,
  args: (port: number) => readonly string[],
  options: ServerOptions,
): Promise<RunningServer> {
  return startServer(mlflow, args, options);
}

/** Starts a command that serves, and waits until it answers. */
export async function startServer(
  command: string,
  args: (port: number) => readonly string[],
  options: ServerOptions,
): Promise<RunningServer> {
  const port = freePort();
  const { cwd, env = {}, ready } = options;
  const log = await Deno.makeTempFile({ prefix: "mlflow-server-" });
  // By a shell, as only that sends both outputs to a file, and in a group of its own, as MLflow starts others.
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", 'exec "$0" "$@" >"$LOG" 2>&1', command, ...args(port)],
    cwd,
    env: { ...QUIET, ...env, LOG: log },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  let ended = false;
  const status = child.status.then(() => ended = true);
  const stop = async () => {
    // The whole group: MLflow's servers leave their workers behind.
    await new Deno.Command("sh", { args: ["-c", `kill -TERM -${child.pid}; sleep 1; kill -KILL -${child.pid}`] })
      .output();
    await status;
    await Deno.remove(log);
  };
  const until = performance.now() + START_TIMEOUT;
  for (;;) {
    try {
      const response = await fetch(url + ready);
      await response.body?.cancel();
      if (response.ok) break;
    } catch {
      // Not there yet.
    }
    if (ended || performance.now() > until) {
      const text = await Deno.readTextFile(log);
      await stop();
      throw new Error(`"${command}" did not start: ${text.slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
