/** A genuine Redis for tests. */
// deno-lint-ignore no-import-prefix -- as in the code: nothing else is to have it
import { createClient } from "npm:redis@^6.3.1";

/** A running Redis server. */
export interface RedisServer extends AsyncDisposable {
  /** Where it is. */
  readonly url: string;
  /** Kills it at once, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again where it was, with nothing in it. */
  start(): Promise<void>;
  /** Holds it still, with its connections open, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/**
 * Starts a server that keeps everything in memory.
 *
 * @throws {Error} If Redis is not installed.
 */
export async function startRedis(): Promise<RedisServer> {
  const port = freePort();
  let child = await spawn(port);
  let running = true;
  async function kill() {
    if (running) child.kill("SIGKILL");
    running = false;
    await child.status;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start: async () => {
      child = await spawn(port);
      running = true;
    },
    signal: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: kill,
  };
}

/** Has Redis asked for something, past the stores. */
export async function withClient<T>(
  url: string,
  action: (client: ReturnType<typeof makeClient>) => Promise<T>,
): Promise<T> {
  const client = makeClient(url);
  // What fails is told by the commands.
  client.on("error", () => {});
  await client.connect();
  try {
    return await action(client);
  } finally {
    client.destroy();
  }
}

function makeClient(url: string) {
  return createClient({ url });
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

async function spawn(port: number): Promise<Deno.ChildProcess> {
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--save", "", "--appendonly", "no", "--daemonize", "no"];
  const options = { args, stdin: "null", stdout: "null", stderr: "null", cwd: "/tmp" } as const;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("redis-server", options).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error("Cannot start Redis as it is not installed: apt-get install -y redis-server", { cause });
  }
  const ended = child.status.then(({ code }) => {
    throw new Error(`Cannot start Redis: it ended with exit code ${code}`);
  });
  // Once it has begun to serve, how it ends is for who ends it.
  ended.catch(() => {});
  await Promise.race([serving(port), ended]);
  return child;
}

async function serving(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(new TextEncoder().encode("PING\r\n"));
      const answer = new Uint8Array(16);
      const length = await connection.read(answer);
      if (new TextDecoder().decode(answer.subarray(0, length ?? 0)).startsWith("+PONG")) return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("Cannot start Redis: it does not answer");
}

/** Waits until something is so. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 2000) throw new Error("It did not come to be so");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What connections to a server go through. */
export interface Relay extends AsyncDisposable {
  /** Where to connect to. */
  readonly url: string;
  /** From now on nothing comes through the connections there are, though they stay; later ones are not affected. */
  mute(): void;
}

/** Stands between a client and a server, as a network does. */
export function startRelay(url: string): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.Conn>();
  const muted = new Set<Deno.Conn>();
  const pipes: Promise<void>[] = [];
  async function pipe(from: Deno.Conn, to: Deno.Conn) {
    const buffer = new Uint8Array(65_536);
    try {
      for (let length = await from.read(buffer); length !== null; length = await from.read(buffer)) {
        if (!muted.has(from)) await to.write(buffer.slice(0, length));
      }
    } catch {
      // One side has been closed, and so the other is.
    }
    for (const connection of [from, to]) {
      if (connections.delete(connection)) connection.close();
    }
  }
  const accepting = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
      connections.add(client).add(server);
      pipes.push(pipe(client, server), pipe(server, client));
    }
  })();
  return {
    url: `redis://127.0.0.1:${listener.addr.port}`,
    mute: () => {
      for (const connection of connections) muted.add(connection);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const connection of connections) connection.close();
      connections.clear();
      await Promise.all(pipes);
    },
  };
}
