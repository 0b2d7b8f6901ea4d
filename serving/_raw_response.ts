/** Answers to requests that could not be read, for which `node:http` has no response. */
import { STATUS_CODES } from "node:http";
import { ChatModelError } from "../types/mod.ts";
import { METHODS } from "./_incoming.ts";
import { requestIdOf } from "./_request_scope.ts";
import { type Header, methodNotAllowed, pushRetryHeaders } from "./_respond.ts";

/**
 * The answer to what the parser of `node:http` could not read.
 *
 * @param code Node's code of the error.
 * @returns The answer; `undefined` if it was the connection that failed, and no one can be told.
 */
export function parserErrorResponse(code: string): Uint8Array | undefined {
  const error = parserError(code);
  return error && rawResponse(error, requestIdOf(undefined));
}

/** The answer to CONNECT. */
export function connectRefusal(target: string, requestId: string | undefined): Uint8Array {
  return rawResponse(methodNotAllowed("CONNECT", target, METHODS), requestIdOf(requestId), [
    `allow: ${METHODS.join(", ")}`,
  ]);
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

function rawResponse(error: ChatModelError, requestId: string, more: readonly string[] = []): Uint8Array {
  const body = JSON.stringify({ error: error.toErrorObject() });
  const retryHeaders: Header[] = [];
  pushRetryHeaders(error, retryHeaders);
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    "content-type: application/json",
    `content-length: ${new TextEncoder().encode(body).length}`,
    `x-request-id: ${requestId}`,
    ...retryHeaders.map(([name, value]) => `${name}: ${value}`),
    `date: ${new Date().toUTCString()}`,
    "connection: close",
    ...more,
  ];
  return new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`);
}
