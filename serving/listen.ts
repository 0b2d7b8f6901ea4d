import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ChatModelError } from "../types/mod.ts";
import type { App } from "./app.ts";
import { errorResponse, methodNotAllowed } from "./_respond.ts";

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
  // Clients open connections in advance. Those that never carried a request pass for busy with `node:http`, which
  // would wait for them when it closes.
  const unused = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    unused.delete(incoming.socket);
    void answer(app, incoming, outgoing);
  });
  server.on("connection", (socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
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
      for (const socket of unused) socket.destroy();
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

async function answer(app: App, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort(new DOMException("The client closed the connection", "AbortError"));
  });
  // A write that came too late: what there is to know, "close" tells.
  outgoing.on("error", () => {});
  try {
    const refusal = whyRefused(incoming);
    if (refusal !== undefined) return await send(errorResponse(refusal, []), outgoing, gone.signal);
    const request = toRequest(incoming, gone.signal);
    const response = await app.fetch(request);
    if (gone.signal.aborted) return await response.body?.cancel();
    // Refused before it was read, for its size, say: the rest is not waited for.
    if (request.body !== null && !request.bodyUsed) await request.body.cancel();
    await send(response, outgoing, gone.signal);
  } catch (error) {
    // The app answers every failure itself: this is the connection's, and ends with it.
    outgoing.destroy(error instanceof Error ? error : undefined);
  }
}

async function send(response: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  outgoing.statusCode = response.status;
  outgoing.setHeaders(response.headers);
  if (response.body !== null && response.headers.get("content-type") === "text/event-stream") {
    return await pump(response.body, outgoing, gone);
  }
  if (response.body === null) {
    outgoing.end();
    return;
  }
  const body = new Uint8Array(await response.arrayBuffer());
  // With its length, so that a client can tell a whole answer from one that broke off.
  outgoing.setHeader("content-length", body.length);
  outgoing.end(body);
}

/** Methods that `Request` does not take. */
const REFUSED_METHODS = ["CONNECT", "TRACE", "TRACK"];

/** What is wrong with a request that cannot be handed to an app. */
function whyRefused({ method = "GET", url = "/", headers: { host } }: IncomingMessage): ChatModelError | undefined {
  if (REFUSED_METHODS.includes(method)) return methodNotAllowed(method, url, ["GET", "HEAD", "POST", "OPTIONS"]);
  if (!host || URL.canParse(`http://${host}/`)) return undefined;
  return new ChatModelError("Cannot serve the request: its Host header is no host", {
    status: 400,
    code: "invalid_host_header",
  });
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headers: { host } } = incoming;
  const init: RequestInit = { method, headers: toHeaders(incoming), signal };
  if (method !== "GET" && method !== "HEAD") init.body = bodyOf(incoming);
  // Proxies send the whole URL, "OPTIONS *" no path at all.
  const target = url.startsWith("/") ? `http://${host || "localhost"}${url}` : URL.canParse(url) ? url : undefined;
  return new Request(target ?? `http://${host || "localhost"}/${url}`, init);
}

function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  return headers;
}

/** A request's body, read as it is asked for. What is not asked for is thrown away, so that the connection stays good. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let open = true;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (settle: () => void) => {
        if (open) settle();
        open = false;
      };
      incoming.pause();
      incoming.on("data", (chunk: Uint8Array) => {
        if (!open) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.once("end", () => end(() => controller.close()));
      incoming.once("error", (error) => end(() => controller.error(error)));
      // Broken off, or answered without having been read to its end.
      incoming.once("close", () => end(() => controller.error(new TypeError("The request's body broke off"))));
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      open = false;
      incoming.resume();
    },
  });
}

/** Writes a stream as fast as the client takes it. */
async function pump(body: ReadableStream<Uint8Array>, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  const reader = body.getReader();
  const cancel = () => reader.cancel(gone.reason).catch(() => {}); // The stream reports its failures in its frames.
  gone.addEventListener("abort", cancel);
  outgoing.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || gone.aborted) break;
    if (!outgoing.write(value)) await drained(outgoing, gone);
  }
  if (!gone.aborted) outgoing.end();
}

function drained(outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      outgoing.off("drain", settle);
      gone.removeEventListener("abort", settle);
      resolve();
    };
    outgoing.once("drain", settle);
    gone.addEventListener("abort", settle);
    if (gone.aborted) settle();
  });
}
