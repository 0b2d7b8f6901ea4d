/** The server of `node:http` under an app. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { App } from "./app.ts";
import { Connection } from "./_connection.ts";
import { answer, Exchange, type Expectation } from "./_exchange.ts";
import { connectRefusal, type ParserError, parserErrorResponse } from "./_raw_response.ts";

/** Milliseconds that a request gets to come in, and between the looks at which of them are late. Default: Node's. */
export interface RequestTimes
  extends Pick<ServerOptions, "requestTimeout" | "headersTimeout" | "connectionsCheckingInterval"> {
  /** After how long it is looked at whether enough of a body has come, again and again. @default {Infinity} */
  readonly bodyTimeout?: number;
}

/** Milliseconds between the looks at which clients are late, at most. */
const MAX_INTERVAL = 5_000;

/** How often to look at whether clients are late, so that a limit is kept more or less. */
export function lookInterval(timeout: number): number {
  return Math.ceil(Math.min(timeout / 4, MAX_INTERVAL));
}

/**
 * Makes a server that does not listen yet.
 *
 * @param app What answers.
 * @param connections Where its open connections are noted.
 * @param times How long requests may take to come in.
 */
export function makeServer(
  app: Pick<App, "fetch">,
  connections: Map<Duplex, Connection>,
  times: RequestTimes = {},
): Server {
  const take = (incoming: IncomingMessage, outgoing: ServerResponse, expectation: Expectation) => {
    const connection = connections.get(incoming.socket);
    if (connection === undefined) return void outgoing.destroy(); // It was closed already.
    const exchange = new Exchange(connection, { incoming, outgoing, expectation });
    connection.add(exchange, () => void answer(app, exchange));
  };
  // A missing host is refused like all else that is wrong with a request.
  const { bodyTimeout = Infinity, ...nodeTimes } = times;
  const server = createServer(
    { ...nodeTimes, requireHostHeader: false },
    (incoming, outgoing) => take(incoming, outgoing, "none"),
  );
  // Who closes one side of the connection gets answers all the same: a property that Node has, but does not document.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("checkContinue", (incoming, outgoing) => take(incoming, outgoing, "continue"));
  server.on("checkExpectation", (incoming, outgoing) => take(incoming, outgoing, "unknown"));
  server.on("connection", (socket) => {
    connections.set(socket, new Connection(socket));
    socket.once("close", () => connections.delete(socket));
  });
  server.on("clientError", (error: ParserError, socket) => {
    const connection = connections.get(socket);
    if (connection === undefined) return;
    // Opened in advance: no one waits for an answer.
    if (error.code === REQUEST_TIMEOUT && connection.isUnused) return void socket.destroy();
    connection.endWith(parserErrorResponse(app, error, connection.newest));
  });
  server.on("connect", (incoming, socket) => {
    const answer = connectRefusal(incoming.url ?? "", incoming.headersDistinct["x-request-id"]?.[0]);
    connections.get(socket)?.endWith(answer);
  });
  if (bodyTimeout !== Infinity) watchBodies(app, server, { connections, bodyTimeout });
  return server;
}

const REQUEST_TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";

/** Refuses bodies that come too slowly. Node can only limit how long the whole of one takes. */
function watchBodies(app: Pick<App, "fetch">, server: Server, { connections, bodyTimeout }: {
  readonly connections: ReadonlyMap<Duplex, Connection>;
  readonly bodyTimeout: number;
}): void {
  const check = () => {
    const now = performance.now();
    for (const connection of connections.values()) {
      if (!connection.isBodyLate(now, bodyTimeout)) continue;
      connection.endWith(parserErrorResponse(app, { code: REQUEST_TIMEOUT }, connection.newest));
    }
  };
  // One for all: neither a request nor a piece of it has to set a timer.
  server.once("listening", () => {
    const timer = setInterval(check, lookInterval(bodyTimeout));
    server.once("close", () => clearInterval(timer));
  });
}
