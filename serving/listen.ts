import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import type { App } from "./app.ts";
import type { Connection } from "./_connection.ts";
import { makeServer } from "./_http_server.ts";

/** A server that listens. */
export interface ListeningServer {
  /** Where it listens. */
  readonly addr: { readonly hostname: string; readonly port: number };
  /** Resolves when it has been shut down and all its connections are closed. */
  readonly finished: Promise<void>;
  /** Takes no more connections; those that are open end with their answers. */
  shutdown(): void;
}

/** Options for {@linkcode listen}. */
export interface ListenOptions {
  /** Address to listen on. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** Port to listen on; 0 for any free one. @default {8000} */
  readonly port?: number;
}

/**
 * Serves an app, so that a client that leaves stops the model at any time.
 *
 * By `node:http` rather than `Deno.serve`: as of Deno 2.9 the latter does not tell that a client has left before the
 * headers of the answer were sent, unless head and body of its request came in one small packet. A model would run to
 * its end for no one. It costs some 30 µs a request, which next to a model is nothing.
 *
 * A client that closes only the side on which it sends still gets its answers. Until then it may be sent "100 Continue"
 * or comments of an event stream, which show whether it is still there; a client of HTTP/1.0, to which the former must
 * not be sent, is given a second. Of what a client sends without waiting for answers, a hundred requests run at a time;
 * what comes behind them is read when they have been answered. What is no HTTP is answered as all errors are, and the connection closed.
 *
 * @example Usage
 * ```ts
 * import { createApp, listen } from "@chatmodel/chat-model/serve";
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 * import { assertEquals } from "@std/assert";
 *
 * const server = await listen(createApp({ demo: DemoChatModel }), { port: 0 });
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/v1/models`);
 * assertEquals((await response.json()).data[0].id, "demo");
 * server.shutdown();
 * await server.finished;
 * ```
 *
 * @param app What answers.
 * @param options Where to listen.
 * @returns The server. It needs `--allow-net` for its address.
 * @throws {Deno.errors.NotCapable} If the permission to listen is missing. Else what listening fails with, as an error
 * of Node's with a `code`, such as `EADDRINUSE`.
 */
export async function listen(app: App, options: ListenOptions = {}): Promise<ListeningServer> {
  const { hostname = "127.0.0.1", port = 8000 } = options;
  await checkPermission(hostname, port);
  const connections = new Map<Duplex, Connection>();
  const server = makeServer(app, connections);
  // A model may think for long before it says a word: that is the app's to limit. Node limits how long a request may
  // take to come in.
  server.timeout = 0;
  const finished = new Promise<void>((resolve) => server.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    addr: addressOf(server, { hostname, port }),
    finished,
    shutdown() {
      server.close();
      server.closeIdleConnections();
      for (const connection of connections.values()) connection.closeIfUnused();
    },
  };
}

/** Asked for beforehand: without it, `node:http` fails where no one can catch it. */
async function checkPermission(hostname: string, port: number): Promise<void> {
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const { state } = await Deno.permissions.request({ name: "net", host });
  if (state !== "granted") throw new Deno.errors.NotCapable(`Requires net access to "${host}"`);
}

function addressOf(server: Server, asked: ListeningServer["addr"]): ListeningServer["addr"] {
  const address = server.address();
  return typeof address === "object" && address !== null ? { hostname: address.address, port: address.port } : asked;
}
