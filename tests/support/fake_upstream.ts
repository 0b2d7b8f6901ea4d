/**
 * A raw HTTP/1.1 server, so that its faults are real ones of the network: cut chunks, resets, stalls, garbage.
 * It takes down what it was asked, and when the other side closed each connection.
 *
 * It stands on `node:net`, as Deno's own sockets cannot send a reset.
 */
import { createServer, type Server, type Socket } from "node:net";
import { Buffer } from "node:buffer";

/** One thing that an upstream does while it answers. */
export type Step =
  /** Sends these bytes, in packets of `packet` bytes if given. */
  | { readonly send: string | Uint8Array; readonly packet?: number }
  /** Does nothing for so many milliseconds. */
  | { readonly wait: number }
  /** Does nothing until the other side closes the connection. */
  | "stall"
  /** Closes the connection in good order. */
  | "close"
  /** Resets the connection. */
  | "reset";

/** What an upstream does with one request. */
export type Answer = readonly Step[];

/** A request as it came in. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  /** The body as text. */
  readonly body: string;
}

/** A connection to an upstream. */
export interface UpstreamConnection {
  /** Requests that came by it. */
  readonly requests: UpstreamRequest[];
  /** Whether it is open on both sides. */
  isOpen: boolean;
  /** When it was closed, by `performance.now()`. */
  closedAt?: number;
  /** Whether the other side closed it first. */
  closedByPeer: boolean;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
}

/** A running fake upstream. */
export interface FakeUpstream extends AsyncDisposable {
  /** Its base URL. */
  readonly url: string;
  /** All requests, in their order. */
  readonly requests: UpstreamRequest[];
  /** All connections, in their order. */
  readonly connections: UpstreamConnection[];
  /** Resolves when so many requests have come in. */
  requested(count: number): Promise<void>;
  /** Resolves when every connection that is open now has been closed by the other side. */
  allClosed(): Promise<void>;
}

/** An answer with a JSON body. */
export function json(value: unknown, options: { status?: number; headers?: Record<string, string> } = {}): Answer {
  const { status = 200, headers = {} } = options;
  return text(JSON.stringify(value), { status, headers: { "content-type": "application/json", ...headers } });
}

/** An answer with any body of known length. */
export function text(body: string, options: { status?: number; headers?: Record<string, string> } = {}): Answer {
  const { status = 200, headers = {} } = options;
  const bytes = new TextEncoder().encode(body);
  return [{ send: head(status, { ...headers, "content-length": `${bytes.length}` }) }, { send: bytes }];
}

/** What stands in for Ollama when a proxy finds no one behind it. */
export function htmlError(status = 502): Answer {
  const page =
    `<html><head><title>x</title><style>a{}</style></head><body><h1>${status} Bad Gateway</h1></body></html>`;
  return text(page, { status, headers: { "content-type": "text/html" } });
}

/** Options for {@linkcode ndjson}. */
export interface NdjsonOptions {
  /** How it ends after its lines. @default {"end"} */
  readonly end?: "end" | "cut" | "reset" | "stall";
  /** Bytes a packet. Default: a packet a line. */
  readonly packet?: number;
  /** Milliseconds before the headers. @default {0} */
  readonly slowHeaders?: number;
  /** Text appended to the last line. @default {"\n"} */
  readonly lastLineEnd?: string;
}

/** An answer of lines, a chunk each; objects are written as JSON. */
export function ndjson(lines: readonly unknown[], options: NdjsonOptions = {}): Answer {
  const { end = "end", packet, slowHeaders = 0, lastLineEnd = "\n" } = options;
  const chunks = lines.map((line, index) => {
    const content = typeof line === "string" ? line : JSON.stringify(line);
    return chunk(content + (index === lines.length - 1 ? lastLineEnd : "\n"));
  });
  const ends: Record<typeof end, Answer> = {
    end: [{ send: "0\r\n\r\n" }],
    cut: [{ send: "ff\r\n{" }, "close"],
    reset: ["reset"],
    stall: ["stall"],
  };
  return [
    ...(slowHeaders > 0 ? [{ wait: slowHeaders }] : []),
    { send: head(200, { "content-type": "application/x-ndjson", "transfer-encoding": "chunked" }) },
    ...chunks.map((send) => packet === undefined ? { send } : { send, packet }),
    ...ends[end],
  ];
}

/** Bytes that are no HTTP. */
export function garbage(): Answer {
  return [{ send: "this is no HTTP at all\r\n\r\n" }, "close"];
}

function head(status: number, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n`;
}

function chunk(content: string): Uint8Array {
  const bytes = new TextEncoder().encode(content);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

/**
 * Starts a fake upstream at a free port of 127.0.0.1.
 *
 * @param answers What it does with the requests in turn, the last one with all that follow; or a function for that.
 * @returns The upstream; dispose it in the end.
 */
export async function startFakeUpstream(
  answers: readonly Answer[] | ((request: UpstreamRequest, index: number) => Answer),
): Promise<FakeUpstream> {
  const requests: UpstreamRequest[] = [];
  const connections: UpstreamConnection[] = [];
  const sockets = new Set<Socket>();
  const waiting: { count: number; resolve: () => void }[] = [];
  const answerTo = (request: UpstreamRequest): Answer => {
    const index = requests.push(request) - 1;
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    return typeof answers === "function" ? answers(request, index) : answers[index] ?? answers.at(-1) ?? ["close"];
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    connections.push(serveConnection(socket, answerTo));
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections,
    requested: (count) =>
      requests.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    allClosed: async () => {
      await Promise.all(connections.map((connection) => connection.closed));
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const gone = connections.map((connection) => connection.closed);
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...gone]);
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve(address.port);
    });
  });
}

function serveConnection(
  socket: Socket,
  answerTo: (request: UpstreamRequest) => Answer,
): UpstreamConnection {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const connection: UpstreamConnection = { requests: [], isOpen: true, closedByPeer: false, closed };
  let received = Buffer.alloc(0);
  let answering = Promise.resolve();
  const close = (byPeer: boolean) => {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    connection.closedAt = performance.now();
    connection.closedByPeer = byPeer;
    resolve();
  };
  socket.setNoDelay(true);
  socket.on("end", () => close(true));
  // A peer that goes while something is sent to it makes an error of the sending: that is its closing, too.
  socket.on("error", () => close(true));
  socket.on("close", () => close(false));
  socket.on("data", (data: Uint8Array) => {
    received = Buffer.concat([received, data]);
    for (let parsed = parseRequest(received); parsed !== undefined; parsed = parseRequest(received)) {
      const { request, length } = parsed;
      received = received.subarray(length);
      connection.requests.push(request);
      const answer = answerTo(request);
      answering = answering.then(() => run(answer, socket, connection));
    }
  });
  return connection;
}

function parseRequest(bytes: Buffer): { request: UpstreamRequest; length: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [first = "", ...lines] = bytes.subarray(0, headEnd).toString().split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = new Headers(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));
  const length = headEnd + 4 + Number(headers.get("content-length") ?? 0);
  if (bytes.length < length) return undefined;
  return { request: { method, path, headers, body: bytes.subarray(headEnd + 4, length).toString() }, length };
}

async function run(answer: Answer, socket: Socket, connection: UpstreamConnection): Promise<void> {
  for (const step of answer) {
    if (!connection.isOpen) return;
    if (step === "stall") await connection.closed;
    else if (step === "close") socket.end();
    else if (step === "reset") socket.resetAndDestroy();
    else if ("wait" in step) await waitFor(step.wait, connection.closed);
    else await send(socket, step.send, step.packet);
  }
}

async function send(socket: Socket, content: string | Uint8Array, packet = Infinity): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let start = 0; start < bytes.length && !socket.destroyed; start += packet) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(start, start + packet), () => resolve()));
  }
}

async function waitFor(milliseconds: number, closed: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([new Promise((resolve) => timer = setTimeout(resolve, milliseconds)), closed]);
  clearTimeout(timer);
}
