/** What comes in by `node:http` as a web `Request`. */
import type { IncomingMessage } from "node:http";
import { ChatModelError } from "../types/mod.ts";
import type { Exchange } from "./_exchange.ts";
import { methodNotAllowed } from "./_respond.ts";

/** Methods that servers answer; which of them a path has, only its app knows. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "DELETE", "OPTIONS"];

/** Methods that `Request` does not take. */
const REFUSED_METHODS = ["CONNECT", "TRACE", "TRACK"];

/**
 * A host as it may stand in a URL without changing what else stands there: no `/`, `?`, `#`, `@`, `\`.
 * By RFC 9110 §7.2 with the characters of RFC 3986 §3.2.2.
 */
const HOST_REGEXP = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d{0,5})?$/i;

/**
 * Makes a request for an app of what came in.
 *
 * @throws {ChatModelError} Status 400 or 405, if it cannot be handed to one.
 */
export function toRequest(exchange: Exchange): Request {
  const { incoming } = exchange;
  const { method = "GET", url = "/" } = incoming;
  if (REFUSED_METHODS.includes(method)) throw methodNotAllowed(method, url, METHODS);
  if (exchange.expectsUnknown) {
    throw new ChatModelError('Cannot serve the request: its Expect header is unknown. Send "100-continue" or none', {
      code: "unknown_expectation",
    });
  }
  checkTransferEncoding(incoming);
  const host = checkedHost(exchange);
  const target = targetUrl(url, host);
  const init: RequestInit = { method, headers: toHeaders(incoming), signal: exchange.gone.signal };
  if (method !== "GET" && method !== "HEAD") init.body = bodyOf(exchange);
  return new Request(target, init);
}

/** Node reads chunks, and hands on as it is what is packed in them. */
function checkTransferEncoding({ headers: { "transfer-encoding": encoding } }: IncomingMessage): void {
  if (encoding === undefined || encoding.toLowerCase() === "chunked") return;
  throw new ChatModelError(
    `Cannot serve the request: transfer encoding "${encoding}" is not supported. ` +
      "Send chunks, and say in Content-Encoding what they are packed with",
    { code: "unsupported_encoding" },
  );
}

/**
 * The URL that a request's target stands for.
 *
 * @throws {ChatModelError} Status 400, if it is none.
 */
export function targetUrl(target: string, host: string): string {
  return target.startsWith("/") ? `http://${host}${target}` : wholeUrl(target);
}

/** Proxies send the whole URL. */
function wholeUrl(target: string): string {
  const url = URL.parse(target);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "") return url.href;
  throw new ChatModelError(
    "Cannot serve the request: its target is neither a path nor an URL of HTTP. Send a path such as /v1/models",
    {
      code: "invalid_url",
    },
  );
}

function checkedHost({ incoming, connection }: Exchange): string {
  const { headers: { host }, httpVersionMinor } = incoming;
  // The same on all requests of a connection, as a rule.
  if (host !== undefined && host === connection.host) return host || "localhost";
  if (host === undefined) {
    if (httpVersionMinor === 0) return "localhost";
    throw invalidHost("its Host header is missing");
  }
  if (!isHost(host)) {
    throw invalidHost("its Host header is no host");
  }
  connection.host = host;
  return host || "localhost";
}

/** Whether a Host header names a host. */
export function isHost(host: string): boolean {
  return HOST_REGEXP.test(host) && URL.canParse(`http://${host || "localhost"}/`);
}

function invalidHost(problem: string): ChatModelError {
  return new ChatModelError(`Cannot serve the request: ${problem}. Send one such as "localhost:8000"`, {
    code: "invalid_host_header",
  });
}

function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  let hasHost = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") {
      if (hasHost) throw invalidHost("it has more than one Host header");
      hasHost = true;
    }
    append(headers, name, rawHeaders[i + 1] ?? "");
  }
  return headers;
}

function append(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch (error) {
    throw new ChatModelError(`Cannot serve the request: its header "${name}" holds what no header can`, {
      code: "invalid_header",
      cause: error,
    });
  }
}

/** Whether a body follows the head. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** A request's body, read as it is asked for. What is not asked for is thrown away, so that the connection stays good. */
function bodyOf(exchange: Exchange): ReadableStream<Uint8Array> {
  const { incoming } = exchange;
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
      exchange.onBroken = () => end(() => controller.error(new TypeError("The client sends no more")));
      if (exchange.isBroken) exchange.onBroken();
      // Broken off, or answered without having been read to its end.
      incoming.once("close", () => end(() => controller.error(new TypeError("The request's body broke off"))));
    },
    pull() {
      exchange.invite();
      incoming.resume();
    },
    cancel() {
      open = false;
      incoming.resume();
    },
    // Who waits to be told to send is told only when the app reads.
  }, exchange.awaitsInvitation ? { highWaterMark: 0 } : undefined);
}
