/** Answers to requests that could not be read, for which `node:http` has no response. */
import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import { ChatModelError } from "../types/mod.ts";
import type { App } from "./app.ts";
import { errorAnswer } from "./_error_answer.ts";
import type { Exchange } from "./_exchange.ts";
import { hasBody, isHost, METHODS, targetUrl } from "./_incoming.ts";
import { requestIdOf } from "./_request_scope.ts";
import { AnswerHeaders, methodNotAllowed } from "./_respond.ts";
import { pathOf, routePath } from "./_router.ts";

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

/** The first line of a request by RFC 9112 §3, with what is there of its headers. */
const HEAD_REGEXP = /^([\w!#$%&'*+.^`|~-]+) ([!-~\x80-\xff]+) HTTP\/1\.[01]\r?\n([^]*)$/;

const TOKEN_CHARACTER_REGEXP = /[\w!#$%&'*+.^`|~-]/;

/**
 * The answer to what the parser of `node:http` could not read.
 *
 * @param app What answers a method that the parser does not know: which ones a path has, only it knows.
 * @param error The error.
 * @param newest The request that came last.
 * @returns The answer; `undefined` if it was the connection that failed, and no one can be told.
 */
export function parserErrorResponse(
  app: Pick<App, "fetch">,
  error: ParserError,
  newest: Exchange | undefined,
): Promise<RawAnswer> | undefined {
  const refusal = parserError(error.code ?? "");
  if (refusal === undefined) return undefined;
  // It is the body of that one that is at fault.
  if (newest?.incoming.complete === false) {
    const { url, headersDistinct } = newest.incoming;
    return refuse(refusal, { requestId: headersDistinct["x-request-id"]?.[0], target: url });
  }
  const unknown = refusal.code === "malformed_request" ? unknownMethodResponse(app, error, newest) : undefined;
  return unknown ?? refuse(refusal, { requestId: undefined });
}

/** The answer to CONNECT. */
export function connectRefusal(target: string, requestId: string | undefined): Promise<Uint8Array> {
  return refuse(methodNotAllowed("CONNECT", target, METHODS), { requestId });
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
function unknownMethodResponse(
  app: Pick<App, "fetch">,
  { rawPacket, bytesParsed = 0 }: ParserError,
  newest: Exchange | undefined,
): Promise<RawAnswer> | undefined {
  if (rawPacket === undefined) return undefined;
  const text = Buffer.from(rawPacket).toString("latin1");
  // The parser fails at the first letter with which no method goes on that it knows.
  let start = bytesParsed;
  while (start > 0 && TOKEN_CHARACTER_REGEXP.test(text.charAt(start - 1))) start--;
  if (!isBoundary(text.slice(0, start), newest)) return undefined;
  const [, method = "", target = "", lines = ""] = HEAD_REGEXP.exec(text.slice(start)) ?? [];
  if (method === "") return undefined;
  const headers = readHeaders(lines);
  if (headers === undefined) return undefined;
  const requestId = headers.get("x-request-id") ?? undefined;
  try {
    const request = requestOf(method, target, headers);
    return request === undefined
      ? refuse(methodNotAllowed(method, target, METHODS), { requestId, target })
      : answerOf(app, request, requestId);
  } catch (error) {
    if (!ChatModelError.isInstance(error)) throw error;
    return refuse(error, { requestId });
  }
}

/** Whether a request may begin behind what came in the same packet before it. */
function isBoundary(before: string, newest: Exchange | undefined): boolean {
  // Where a body ends, only the parser knows.
  if (newest !== undefined && hasBody(newest.incoming)) return true;
  return before.trim() === "" || before.endsWith("\n\r\n") || before.endsWith("\n\n");
}

/** Headers, as far as they have come; `undefined` if one is malformed. */
function readHeaders(text: string): Headers | undefined {
  const headers = new Headers();
  const lines = text.split(/\r?\n/);
  const end = lines.indexOf("");
  // Without an end, the last line may have more to it.
  for (const line of lines.slice(0, end < 0 ? -1 : end)) {
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

async function answerOf(app: Pick<App, "fetch">, request: Request, requestId: string | undefined): Promise<RawAnswer> {
  try {
    const response = await app.fetch(request);
    if (response.status >= 400) return await wire(response);
    // Its body was not read: whatever that is an answer to, it was not asked.
    await response.body?.cancel();
  } catch {
    return undefined; // As for all requests, what an app lets through is the end of the connection.
  }
  const target = new URL(request.url).pathname;
  return await refuse(methodNotAllowed(request.method, target, METHODS), { requestId, target });
}

interface Refused {
  /** What the client calls its request. */
  readonly requestId: string | undefined;
  /** What it asked for, if that is known: its errors may have another form. */
  readonly target?: string | undefined;
}

function refuse(error: ChatModelError, { requestId, target = "/" }: Refused): Promise<Uint8Array> {
  const headers = new AnswerHeaders(requestIdOf(requestId));
  if (error.status === 405) headers.push(["allow", METHODS.join(", ")]);
  const path = pathOf(target.startsWith("/") ? `http://localhost${target}` : target);
  return wire(errorAnswer(error, routePath(path), headers));
}

/** Headers that tell how an answer is sent, which is decided here. */
const FRAMING = ["content-length", "transfer-encoding", "connection", "keep-alive", "date"];

async function wire(response: Response): Promise<Uint8Array> {
  const body = await response.bytes();
  const headers = [...response.headers].filter(([name]) => !FRAMING.includes(name));
  const head = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    `date: ${new Date().toUTCString()}`,
    "connection: close",
  ].join("\r\n");
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), body]);
}
