import {
  ChatModelError,
  type ChatModelErrorOptions,
  ModelNotFoundError,
  OverloadedError,
  UpstreamError,
} from "../../types/mod.ts";
import { pageText, publicText } from "../_http/public_text.ts";
import { readRetryAfter } from "../_http/retry.ts";
import { unreachable } from "../_http/unreachable.ts";
import { type ErrorValue, readErrorBodyValue } from "./_error_value.ts";

/** The call that failed. */
export interface Call {
  /** What was to be done, as it stands behind "Cannot", such as `list models`. */
  readonly action: string;
  /** Base URL of the server, as it may be shown. */
  readonly url: string;
  /** The model it was about. */
  readonly model?: string;
  /** What is too long when the model's window is. @default {"messages"} */
  readonly content?: "messages" | "input";
  /** Hides what is secret in a text of the server's. */
  readonly hide: (text: string) => string;
}

/** An answer that is no success. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const CONTEXT_REGEXP = new RegExp(
  "maximum context length|context[ _]length|exceeds? the (?:available )?context|context window|" +
    "prompt is too long|input is too long|maximum model length|max_model_len",
  "i",
);

/** Characters of a server's text that are kept for the log. */
const MAX_CAUSE = 4_000;

const CHECK_URL = `Check the base URL: with most servers it ends in "/v1"`;

const UNSUPPORTED_REGEXP = /does not support|is not supported/i;

/** Codes of OpenAI's, and of other servers of this package, which say the same as they do here. */
const KEPT_CODES: ReadonlySet<string> = new Set([
  "invalid_value",
  "unsupported_value",
  "unsupported_feature",
  "invalid_image_url",
]);

/** Upstream statuses by which a proxy, or a server that serves others, says that it did not get through. */
const GATEWAY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504, 520, 521, 522, 523, 524, 529, 530]);

/** The typed error of an answer with a status of 300 or above. */
export function errorOfAnswer(call: Call, answer: ErrorAnswer): ChatModelError {
  const { status, headers } = answer;
  if (status < 400) return redirected(call, headers.get("location"));
  const body = call.hide(answer.body);
  const value = readErrorBodyValue(parseJson(body));
  const said = value === undefined ? pageText(body) : publicText(value.message);
  return makeError(call, {
    status,
    value: value ?? { message: said },
    said,
    isPage: value === undefined,
    retryAfter: readRetryAfterMs(headers) ?? readRetryAfter(headers),
    mediaType: headers.get("content-type") ?? "no content type",
  });
}

/** The typed error of an error that stands in an answer that began well. */
export function errorOfValue(call: Call, value: ErrorValue): ChatModelError {
  const message = call.hide(value.message);
  const status = value.status ?? statusOfType(value);
  return makeError(call, { status, value: { ...value, message }, said: publicText(message), isPage: false });
}

function statusOfType({ type = "", code = "" }: ErrorValue): number {
  if (/rate_limit|insufficient_quota/.test(type) || /rate_limit|insufficient_quota/.test(code)) return 429;
  if (/overloaded/.test(type) || /overloaded/.test(code)) return 503;
  if (/authentication/.test(type)) return 401;
  if (/permission/.test(type)) return 403;
  if (code === "model_not_found") return 404;
  if (/invalid_request|BadRequest|exceed_context_size/.test(type) || code === "context_length_exceeded") return 400;
  return 500;
}

interface Facts {
  readonly status: number;
  readonly value: ErrorValue;
  /** What may be shown of what was said. */
  readonly said: string;
  /** Whether it was said in no form that such a server uses. */
  readonly isPage: boolean;
  readonly retryAfter?: number | undefined;
  readonly mediaType?: string;
}

function makeError(call: Call, facts: Facts): ChatModelError {
  const { status, value, said, isPage, retryAfter } = facts;
  const at = `Cannot ${call.action}: the server at "${call.url}"`;
  // Other words follow it.
  const colon = said === "" ? "" : `: ${said.replace(/\.$/, "")}`;
  const cause = new Error(`HTTP ${status}: ${value.message.slice(0, MAX_CAUSE)}`);
  const options: ChatModelErrorOptions = { cause, ...(retryAfter !== undefined && { retryAfter }) };
  if (status === 429) return rateLimited(`${at} refuses more calls for now${colon}`, value, options);
  if (status === 401) {
    const hint = "Give 'apiKey' or set OPENAI_API_KEY, which goes to the server of OPENAI_BASE_URL only";
    return new UpstreamError(`${at} wants to know who asks${colon}. ${hint}`, {
      ...options,
      code: "upstream_authentication",
    });
  }
  if (status === 403 || status === 402) {
    return new UpstreamError(`${at} refuses who asks${colon}. See what the key may do there, and what is paid for`, {
      ...options,
      code: "upstream_forbidden",
    });
  }
  if (isPage) return pageError(call, facts);
  if (status === 503) return new OverloadedError(`${at} is busy${colon}`, options);
  return errorOfText(call, `${at} says${colon || " no more than that it failed"}`, { status, value, cause });
}

function rateLimited(message: string, { type, code }: ErrorValue, options: ChatModelErrorOptions): OverloadedError {
  if (code === "insufficient_quota" || type === "insufficient_quota") {
    // No waiting helps.
    return new OverloadedError(message, { ...options, code: "rate_limit_exceeded", retryable: false });
  }
  // OpenAI's API has a time with each 429, and some clients do not try again without it.
  return new OverloadedError(message, { retryAfter: 1_000, ...options, code: "rate_limit_exceeded" });
}

function errorOfText(
  { model, content = "messages" }: Call,
  message: string,
  { status, value, cause }: { readonly status: number; readonly value: ErrorValue; readonly cause: Error },
): ChatModelError {
  const { code, type } = value;
  const isClients = status < 500 && status !== 408 && status !== 409 && status !== 499;
  if (
    code === "context_length_exceeded" || type === "exceed_context_size_error" ||
    (isClients && CONTEXT_REGEXP.test(value.message))
  ) {
    // LangChain's clients know the case by "maximum context length" in the text alone.
    const hint = /maximum context length/i.test(message)
      ? "Shorten"
      : "The model's maximum context length is passed: shorten";
    return new ChatModelError(`${message}. ${hint} the ${content === "input" ? "texts" : "conversation"}`, {
      code: "context_length_exceeded",
      param: content,
      cause,
    });
  }
  if (status === 404) {
    if (model !== undefined && (code === "model_not_found" || /\bmodel\b/i.test(value.message))) {
      return new ModelNotFoundError(`${message}. Ask it for its models, or check the name "${model}"`, { cause });
    }
    return new UpstreamError(`${message}. ${CHECK_URL}`, { cause });
  }
  if (status === 405) return new UpstreamError(`${message}. ${CHECK_URL}`, { cause });
  if (isClients) {
    return new ChatModelError(message, {
      code: clientsCode(value),
      // OpenAI writes "messages[0].content".
      param: value.param?.replace(/\[(\d+)\]/g, ".$1") ?? null,
      cause,
    });
  }
  const isGateway = GATEWAY_STATUSES.has(status) || status === 408 || status === 409;
  return new UpstreamError(message, { cause, ...(isGateway && { code: "upstream_unavailable" }) });
}

/** What the client is told of a request that was refused. */
function clientsCode({ code, message }: ErrorValue): string {
  if (code !== undefined && KEPT_CODES.has(code)) return code;
  return UNSUPPORTED_REGEXP.test(message) ? "unsupported_feature" : "upstream_rejected";
}

/** The typed error of a page where JSON was expected: of a proxy in between, or of something else at that address. */
function pageError(call: Call, { status, said, mediaType = "", retryAfter }: Facts): ChatModelError {
  const cause = new Error(`HTTP ${status}: ${said}`);
  const message = `Cannot ${call.action}: "${call.url}" answered with status ${status} (${publicText(mediaType)})` +
    `${said === "" ? "" : `: ${said}`}`;
  if (status === 503) return new OverloadedError(message, { cause, ...(retryAfter !== undefined && { retryAfter }) });
  const hint = status === 404 || status === 405
    ? CHECK_URL
    : "Check that it is the address of an OpenAI-compatible server";
  return new UpstreamError(`${message}. ${hint}`, {
    code: GATEWAY_STATUSES.has(status) ? "upstream_unavailable" : "upstream_error",
    cause,
  });
}

/** The typed error of a page in the place of a good answer. */
export function notOpenAI(call: Call, { status, headers, body }: ErrorAnswer): ChatModelError {
  const said = pageText(call.hide(body));
  const mediaType = headers.get("content-type") ?? "no content type";
  return pageError(call, { status, value: { message: said }, said, isPage: true, mediaType });
}

function redirected(call: Call, location: string | null): UpstreamError {
  // Not followed, as keys and prompts must not go where no one told them to.
  const target = location === null ? null : URL.parse(location, call.url);
  const hint = target === null ? "" : `: if that is right, give a base URL at "${target.origin}"`;
  return new UpstreamError(`Cannot ${call.action}: the server at "${call.url}" redirects${hint}`, {
    code: "upstream_redirect",
  });
}

/** OpenAI's header for shorter times. */
function readRetryAfterMs(headers: Headers): number | undefined {
  const value = headers.get("retry-after-ms");
  return value !== null && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}

/** The typed error of a call that got no answer at all. */
export function errorOfFetch({ url, hide }: Call, error: unknown): ChatModelError {
  const checkHint = "Check the base URL";
  return unreachable(error, { name: "the server", url, hide, startHint: "Start it, or check the base URL", checkHint });
}

/** The connection broke while the answer was under way. */
export function connectionLost(call: Call, cause: unknown): UpstreamError {
  return new UpstreamError(
    `Cannot ${call.action}: the connection to the server at "${call.url}" broke in the middle of the answer`,
    { code: "upstream_lost", cause },
  );
}

/** The answer ended too early, though in good order. */
export function incomplete(call: Call, missing: string): UpstreamError {
  return new UpstreamError(
    `Cannot ${call.action}: the answer of the server at "${call.url}" ended without ${missing}`,
    {
      code: "upstream_incomplete",
    },
  );
}

/** An answer or a piece of one that is not what it must be. It is not quoted, as it may hold what the model wrote. */
export function badRecord(call: Call, fault: string): UpstreamError {
  return new UpstreamError(`Cannot ${call.action}: the answer of the server at "${call.url}" ${fault}`, {
    code: "upstream_bad_record",
  });
}

/** The JSON value that a text is, or `undefined` if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
