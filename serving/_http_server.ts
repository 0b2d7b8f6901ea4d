/** The server of `node:http` under an app. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { App } from "./app.ts";
import { Connection } from "./_connection.ts";
import { answer, Exchange, type Expectation } from "./_exchange.ts";
import { connectRefusal, parserErrorResponse } from "./_raw_response.ts";

/** Milliseconds that a request gets to come in, and between the looks at which of them are late. Default: Node's. */
export type RequestTimes = Pick<ServerOptions, "requestTimeout" | "headersTimeout" | "connectionsCheckingInterval">;

/**
 * Makes a server that does not listen yet.
 *
 * @param app What answers.
 * @param connections Where its open connections are noted.
 * @param times How long requests may take to come in.
 */
export function makeServer(app: App, connections: Map<Duplex, Connection>, times: RequestTimes = {}): Server {
  const take = (incoming: IncomingMessage, outgoing: ServerResponse, expectation: Expectation) => {
    const connection = connections.get(incoming.socket);
    if (connection === undefined) return void outgoing.destroy(); // It was closed already.
    const exchange = new Exchange(connection, { incoming, outgoing, expectation });
    connection.add(exchange, () => void answer(app, exchange));
  };
  // A missing host is refused like all else that is wrong with a request.
  const server = createServer(
    { ...times, requireHostHeader: false },
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
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    connections.get(socket)?.endWith(parserErrorResponse(error.code ?? ""));
  });
  server.on("connect", (incoming, socket) => {
    const answer = connectRefusal(incoming.url ?? "", incoming.headersDistinct["x-request-id"]?.[0]);
    connections.get(socket)?.endWith(answer);
  });
  return server;
}
