import { ChatModelError } from "../types/mod.ts";
import { limitHeadersOf } from "./limits/mod.ts";
import { ENCODINGS } from "./_content_encoding.ts";

/** A header of an answer. */
export type Header = [name: string, value: string];

/**
 * The headers of an answer, as they come together on its way.
 *
 * A plain record, complete before the answer is made: Deno has a faster way to send those than lists of pairs, and
 * leaves it for good when an answer's headers are touched afterwards.
 */
export class AnswerHeaders {
  readonly #record: Record<string, string>;
  readonly #startedAt = performance.now();

  constructor(requestId: string) {
    this.#record = { "x-request-id": requestId };
  }

  /** Adds headers, their names in lower case; one that is there already gets another value. */
  push(...headers: readonly Header[]): void {
    for (const [name, value] of headers) this.add(name, value);
  }

  /** Adds one, as {@linkcode AnswerHeaders.push} does; without a list, for what every answer has. */
  add(name: string, value: string): void {
    const known = this.#record[name];
    this.#record[name] = known === undefined ? value : `${known}, ${value}`;
  }

  /** All of them, for the answer that is made now, and how long that took. */
  complete(): Record<string, string> {
    this.#record["openai-processing-ms"] = String(Math.round(performance.now() - this.#startedAt));
    return this.#record;
  }
}

/** An answer in JSON. */
export function jsonResponse(body: string, status: number, headers: AnswerHeaders): Response {
  headers.add("content-type", "application/json");
  return new Response(body, { status, headers: headers.complete() });
}

/** An error as OpenAI clients read it, with the headers by which they decide whether to try again. */
export function errorResponse(error: ChatModelError, headers: AnswerHeaders): Response {
  pushRetryHeaders(error, headers);
  return jsonResponse(JSON.stringify({ error: error.toErrorObject() }), errorStatus(error), headers);
}

/** The status to answer an error with: an author's error may carry one that no answer can have. */
export function errorStatus({ status }: ChatModelError): number {
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : 500;
}

/**
 * OpenAI's clients try again by status unless told otherwise: what cannot succeed later is said to be final. Where a
 * body's encoding was the reason, those are named that are not (RFC 9110 §12.5.3).
 */
export function pushRetryHeaders(error: ChatModelError, headers: Pick<AnswerHeaders, "push">): void {
  if (!error.retryable) headers.push(["x-should-retry", "false"]);
  if (error.retryable && error.retryAfter !== undefined) {
    headers.push(["retry-after-ms", String(Math.ceil(error.retryAfter))]);
    headers.push(["retry-after", String(Math.max(1, Math.ceil(error.retryAfter / 1000)))]);
  }
  headers.push(...limitHeadersOf(error));
  // RFC 9110 §11.6.1: a 401 says what would be right.
  if (errorStatus(error) === 401) headers.push(["www-authenticate", "Bearer"]);
  if (error.code === "unsupported_encoding") headers.push(["accept-encoding", ENCODINGS]);
}

/** No such route. */
export function invalidUrl(method: string, path: string): ChatModelError {
  return new ChatModelError(
    `Invalid URL (${method} ${path}). Chat completions are at POST /v1/chat/completions, the models at GET /v1/models, all routes in GET /openapi.json`,
    { code: "unknown_url" },
  );
}

/** The route is there, but not for this method. */
export function methodNotAllowed(method: string, path: string, allowed: readonly string[]): ChatModelError {
  return new ChatModelError(
    `Cannot ${method} ${path}: only ${allowed.join(", ")} ${allowed.length > 1 ? "are" : "is"} allowed`,
    { code: "method_not_supported" },
  );
}
