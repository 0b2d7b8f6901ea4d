/** Answers to requests that could not be read, for which `node:http` has no response. */
import { STATUS_CODES } from "node:http";
import { ChatModelError } from "../types/mod.ts";
import type { App } from "./app.ts";
import type { Exchange } from "./_exchange.ts";
import { isHost, METHODS, targetUrl } from "./_incoming.ts";
import { requestIdOf } from "./_request_scope.ts";
import { AnswerHeaders, type Header, methodNotAllowed, pushRetryHeaders } from "./_respond.ts";

/** A whole answer, head and body, as it goes over the wire; nothing, if no one can be told. */
export type RawAnswer = Uint8Array | undefined;

/** What the parser of `node:http` tells of what it could not read. */
export interface ParserError {
  /** What is wrong, in Node's words. */
  readonly code?: string;
  /** The bytes that came last. */
  readonly rawPacket?: Uint8Array;
  /** Where in them it failed. */
  readonly bytesParsed?: number;
}

/** The first line of a request by RFC 9112 §3, and what is there of its headers. */
const HEAD_REGEXP = /^([\w!#$%&'*+.^`|~-]+) ([!-~\x80-\xff]+) HTTP\/1\.[01]\r?\n([^]*)$/;

/**
 * The answer to what the parser of `node:http` could not read.
 *
 * @param app What answers a method that the parser does not know: which ones a path has, only it knows.
 * @param error The error.
 * @param newest The request that came last.
 * @returns The answer; `undefined` if it was the connection that failed, and no one can be told.
 */
export function parserErrorResponse(
  app: App,
  error: ParserError,
  newest: Exchange | undefined,
): RawAnswer | Promise<RawAnswer> {
  const refusal = parserError(error.code ?? "");
  if (refusal === undefined) return undefined;
  // It is the body of that one that is at fault.
  if (newest?.incoming.complete === false) return rawResponse(refusal, givenIdOf(newest));
  const unknown = refusal.code === "malformed_request" ? unknownMethodResponse(app, error) : undefined;
  return unknown ?? rawResponse(refusal, undefined);
}

/** The answer to CONNECT. */
export function connectRefusal(target: string, requestId: string | undefined): Uint8Array {
  return rawResponse(methodNotAllowed("CONNECT", target, METHODS), requestId);
}

function givenIdOf({ incoming }: Exchange): string | undefined {
  return incoming.headersDistinct["x-request-id"]?.[0];
}

function parserError(code: string): ChatModelError | undefined {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new ChatModelError(
        "Cannot read the request: its head is larger than 16 KiB. Send fewer or shorter headers",
        {
          code: "headers_too_large",
        },
      );
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new ChatModelError("Cannot read the request: the extensions of its chunks are too large. Send none", {
        code: "request_too_large",
      });
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new ChatModelError("Cannot read the request: it took too long to come in. Send it again", {
        code: "request_timeout",
      });
  }
  if (!code.startsWith("HPE_")) return undefined;
  return new ChatModelError(
    "Cannot read the request: it is not valid HTTP/1.1. Check its first line, its headers, and the sizes of its chunks",
    { code: "malformed_request" },
  );
}

/** The answer to a request that is good but for its method, which the parser does not know; `undefined` if it is not. */
function unknownMethodResponse(app: App, error: ParserError): Uint8Array | Promise<RawAnswer> | undefined {
  const { rawPacket, bytesParsed = 0 } = error;
  if (rawPacket === undefined) return undefined;
  const text = latin1.decode(rawPacket);
  // The parser fails at the first letter that begins no method that it knows.
  const start = bytesParsed === 0 ? 0 : text.lastIndexOf("\n", bytesParsed - 1) + 1;
  const [, method = "", target = "", lines = ""] = HEAD_REGEXP.exec(text.slice(start)) ?? [];
  if (method === "" || bytesParsed - start > method.length) return undefined;
  const headers = readHeaders(lines);
  if (headers === undefined) return undefined;
  const requestId = headers.get("x-request-id") ?? undefined;
  try {
    const request = requestOf(method, target, headers);
    return request === undefined
      ? rawResponse(methodNotAllowed(method, target, METHODS), requestId)
      : answerOf(app, request, requestId);
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    return rawResponse(error, requestId);
  }
}

const latin1 = new TextDecoder("latin1");

/** Headers, as far as they have come; `undefined` if one is malformed. */
function readHeaders(lines: string): Headers | undefined {
  const headers = new Headers();
  const end = lines.search(/^\r?\n/m);
  for (const line of (end < 0 ? lines.slice(0, lines.lastIndexOf("\n") + 1) : lines.slice(0, end)).split("\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    try {
      headers.append(line.slice(0, Math.max(colon, 0)), line.slice(colon + 1).trim());
    } catch {
      return undefined;
    }
  }
  return headers;
}

/** `undefined` for a method that `Request` refuses, or takes for another one: `get`. */
function requestOf(method: string, target: string, headers: Headers): Request | undefined {
  const host = headers.get("host") ?? "";
  const url = targetUrl(target, host !== "" && isHost(host) ? host : "localhost");
  let request: Request;
  try {
    request = new Request(url, { method, headers });
  } catch {
    return undefined;
  }
  return request.method === method ? request : undefined;
}

async function answerOf(app: App, request: Request, requestId: string | undefined): Promise<RawAnswer> {
  try {
    const response = await app.fetch(request);
    if (response.status >= 400) return wire(response.status, response.headers, await response.text());
    // Its body was not read: whatever that is an answer to, it was not asked.
    await response.body?.cancel();
    return rawResponse(methodNotAllowed(request.method, new URL(request.url).pathname, METHODS), requestId);
  } catch {
    return undefined; // As for all requests, what an app lets through is the end of the connection.
  }
}

function rawResponse(error: ChatModelError, requestId: string | undefined): Uint8Array {
  const headers = new AnswerHeaders(requestIdOf(requestId));
  pushRetryHeaders(error, headers);
  headers.push(["content-type", "application/json"]);
  if (error.status === 405) headers.push(["allow", METHODS.join(", ")]);
  return wire(error.status, Object.entries(headers.complete()), JSON.stringify({ error: error.toErrorObject() }));
}

function wire(status: number, headers: Iterable<Header>, body: string): Uint8Array {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...Array.from(headers, ([name, value]) => `${name}: ${value}`),
    `content-length: ${encoder.encode(body).length}`,
    `date: ${new Date().toUTCString()}`,
    "connection: close",
  ];
  return encoder.encode(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const encoder = new TextEncoder();
