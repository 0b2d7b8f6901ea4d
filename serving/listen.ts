import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import type { App } from "./app.ts";
import type { Connection } from "./_connection.ts";
import { ChatModelError } from "../types/mod.ts";
import { lookInterval, makeServer } from "./_http_server.ts";

/** A server that listens. */
export interface ListeningServer {
  /** Where it listens. */
  readonly addr: { readonly hostname: string; readonly port: number };
  /** Resolves when it has been shut down and all its connections are closed. */
  readonly finished: Promise<void>;
  /**
   * Takes no more connections; those that are open end with their answers.
   *
   * @param options How long clients get to hear of it.
   */
  shutdown(options?: ShutdownOptions): void;
}

/** Options for {@linkcode ListeningServer.shutdown}. */
export interface ShutdownOptions {
  /**
   * Milliseconds for which connections without a request stay open, and more are taken, if any is open at all: answers
   * say meanwhile that they are the last. Who has just sent a request by a connection that it kept is answered so,
   * where it would find it closed else. @default {0}
   */
  readonly linger?: number;
}

/** Options for {@linkcode listen}. */
export interface ListenOptions {
  /** Address to listen on. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** Port to listen on; 0 for any free one. @default {8000} */
  readonly port?: number;
  /**
   * Milliseconds that the head of a request gets to come in as a whole, give or take a quarter, or five seconds if that
   * is less. A client that takes longer is answered with status 408 and code `request_timeout`, and the connection
   * closed; one that has not sent anything finds it closed. A head that begins behind a hundred requests that run is
   * not waited for longer than others. `Infinity` for no limit. @default {15_000}
   */
  readonly headersTimeout?: number;
  /**
   * Milliseconds after which it is looked at whether the body of a request comes in, again and again: if in that time
   * it was less than 500 bytes a second, the client is answered with status 408 and code `request_timeout`, and the
   * connection closed. How long a body takes as a whole is not limited, and time in which the app does not read is not
   * counted. `Infinity` for no limit. @default {60_000}
   */
  readonly bodyTimeout?: number;
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
 * what comes behind them is read when they have been answered. What is no HTTP is answered as all errors are, and the
 * connection closed. A connection on which nothing goes on for some seconds after an answer is closed as well.
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
 * @throws {ChatModelError} If a timeout is no number above 0; `code` `invalid_option`.
 * @throws {Deno.errors.NotCapable} If the permission to listen is missing. Else what listening fails with, as an error
 * of Node's with a `code`, such as `EADDRINUSE`.
 */
export async function listen(app: Pick<App, "fetch">, options: ListenOptions = {}): Promise<ListeningServer> {
  const { hostname = "127.0.0.1", port = 8000 } = options;
  const { headersTimeout = 15_000, bodyTimeout = 60_000 } = options;
  checkTimeout("headersTimeout", headersTimeout);
  checkTimeout("bodyTimeout", bodyTimeout);
  await checkPermission(hostname, port);
  const connections = new Map<Duplex, Connection>();
  const server = makeServer(app, connections, {
    // Node's 0 is no limit.
    headersTimeout: headersTimeout === Infinity ? 0 : Math.ceil(headersTimeout),
    requestTimeout: 0,
    connectionsCheckingInterval: lookInterval(headersTimeout),
    bodyTimeout,
  });
  // A model may think for long before it says a word: that is the app's to limit.
  server.timeout = 0;
  const finished = new Promise<void>((resolve) => server.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
  let isStopping = false;
  const stop = () => {
    server.close();
    server.closeIdleConnections();
    for (const connection of connections.values()) connection.closeIfUnused();
  };
  return {
    addr: addressOf(server, { hostname, port }),
    finished,
    shutdown({ linger = 0 } = {}) {
      if (isStopping) return;
      isStopping = true;
      if (linger <= 0 || connections.size === 0) return stop();
      for (const connection of connections.values()) connection.retire(linger);
      server.on("connection", (socket) => connections.get(socket)?.retire(linger));
      setTimeout(() => NetServer.prototype.close.call(server), linger);
    },
  };
}

function checkTimeout(name: "headersTimeout" | "bodyTimeout", value: number): void {
  if (value > 0) return;
  throw new ChatModelError(
    `Cannot listen as "${name}" must be a number of milliseconds above 0, or Infinity: current value is ${value}`,
    { code: "invalid_option", param: name },
  );
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
