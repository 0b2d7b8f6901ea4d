import {
  ChatModelError,
  type ChatModelErrorOptions,
  ModelNotFoundError,
  OverloadedError,
  UpstreamError,
  type ValidationIssue,
} from "../../types/mod.ts";
import { pageText, publicText } from "../_http/public_text.ts";
import { readRetryAfter } from "../_http/retry.ts";
import { unreachable } from "../_http/unreachable.ts";
import { type ErrorText, readErrorText } from "./_error_text.ts";

/** The call that failed. */
export interface Call {
  /** What was to be done, as it stands behind "Cannot", such as `list models`. */
  readonly action: string;
  /** Ollama's base URL. */
  readonly url: string;
  /** The model it was about. */
  readonly model?: string;
  /** What is too long when the model's window is. @default {"messages"} */
  readonly content?: "messages" | "input";
  /** Options sent with it. */
  readonly options?: { readonly [name: string]: unknown };
}

/** An answer that is no success. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const CONTEXT_REGEXP =
  /input length exceeds the context length|exceeds the available context size|prompt is longer than the context length/i;
const UNSUPPORTED_REGEXP = /does not support|is not supported/i;
const OPTION_REGEXP = /^option "(\w+)" must be/;
const FORMAT_REGEXP = /^invalid format:|^invalid JSON schema in format/;

/** The typed error of an answer with a status of 300 or above. */
export function errorOfAnswer(call: Call, answer: ErrorAnswer): ChatModelError {
  const { status, headers, body } = answer;
  const text = readErrorText(body);
  const at = `Cannot ${call.action}: Ollama at "${call.url}"`;
  const cause = new Error(`HTTP ${status}: ${text.full}`);
  const retryAfter = readRetryAfter(headers);
  const options: ChatModelErrorOptions = { cause, ...(retryAfter !== undefined && { retryAfter }) };
  const said = text.full === "" ? "" : `: ${text.isOwn ? publicText(text.full) : pageText(text.full)}`;
  if (status < 400) return redirected(at, headers.get("location"), options);
  if (status === 429) {
    return new OverloadedError(`${at} refuses more calls for now${said}`, {
      // OpenAI's API has it with each 429, and some clients do not try again without it.
      retryAfter: 1_000,
      ...options,
      code: "rate_limit_exceeded",
    });
  }
  if (status === 503) return new OverloadedError(`${at} is busy${said}`, options);
  if (status === 401) {
    const hint = `Give 'apiKey' or set OLLAMA_API_KEY, or run 'ollama signin' where Ollama runs`;
    return new UpstreamError(`${at} wants to know who asks${said}. ${hint}`, {
      ...options,
      code: "upstream_authentication",
    });
  }
  if (status === 403) {
    // Ollama says nothing where it dislikes the Host or Origin header.
    const hint = said === "" ? ` this host name or origin. Use its IP address, or set OLLAMA_ORIGINS there` : said;
    return new UpstreamError(`${at} refuses${hint}`, { ...options, code: "upstream_forbidden" });
  }
  if (!text.isOwn) return notOllama(call, answer);
  return errorOfText(call, { status, text, cause });
}

/** The typed error of a page where JSON was expected: of a proxy in between, or of something else at that address. */
export function notOllama(call: Call, answer: ErrorAnswer): UpstreamError {
  const { status, headers, body } = answer;
  const type = headers.get("content-type") ?? "no content type";
  const page = pageText(body);
  return new UpstreamError(
    `Cannot ${call.action}: "${call.url}" answered with status ${status} (${publicText(type)})` +
      `${page === "" ? "" : `: ${page}`}. Check that it is Ollama's address`,
    // By these a proxy says that it did not reach what is behind it.
    { code: status >= 502 ? "upstream_unavailable" : "upstream_error", cause: new Error(`HTTP ${status}: ${body}`) },
  );
}

/** The typed error of a line `{"error": …}` in an answer that began well. */
export function errorOfLine(call: Call, line: string): ChatModelError {
  const text = readErrorText(line);
  return errorOfText(call, { status: 500, text, cause: new Error(text.full) });
}

function errorOfText(
  call: Call,
  { status, text, cause }: { status: number; text: ErrorText; cause: Error },
): ChatModelError {
  const { action, url, model = "" } = call;
  const said = publicText(text.full);
  if (status === 404 && model !== "") {
    return new ModelNotFoundError(
      `Cannot find model "${model}": Ollama at "${url}" does not have it. Get it with 'ollama pull ${model}'`,
      { cause },
    );
  }
  const message = `Cannot ${action}: Ollama at "${url}" says: ${said}`;
  if (text.type === "exceed_context_size_error" || CONTEXT_REGEXP.test(text.full)) {
    const { content = "messages" } = call;
    const advice = content === "input" ? 'shorten the texts, set "truncate"' : "shorten the conversation";
    // LangChain's clients know the case by "maximum context length" in the text alone.
    return new ChatModelError(
      `${message}. The model's maximum context length is passed: ${advice} or raise "num_ctx"`,
      {
        code: "context_length_exceeded",
        param: content,
        cause,
      },
    );
  }
  if (UNSUPPORTED_REGEXP.test(text.full)) {
    return new ChatModelError(message, { code: "unsupported_feature", cause });
  }
  const option = OPTION_REGEXP.exec(text.full)?.[1];
  // The option may also come from the model itself, and then whoever asked is not at fault.
  const isCallersFault = option === undefined
    ? FORMAT_REGEXP.test(text.full)
    : Object.hasOwn(call.options ?? {}, option);
  if (isCallersFault || (status >= 400 && status < 500 && status !== 499)) {
    return new ChatModelError(message, { code: "upstream_rejected", cause });
  }
  const hint = option === undefined ? "" : `. It is set in the model itself: mend its Modelfile`;
  return new UpstreamError(`${message}${hint}`, { cause });
}

function redirected(at: string, location: string | null, options: ChatModelErrorOptions): UpstreamError {
  // Not followed, as keys and prompts must not go where no one told them to.
  const target = location === null ? null : URL.parse(location);
  const hint = target === null ? "" : `: set OLLAMA_HOST to where it is, perhaps "${target.origin}"`;
  return new UpstreamError(`${at} redirects${hint}`, { ...options, code: "upstream_redirect" });
}

/** The typed error of a call that got no answer at all. */
export function errorOfFetch({ url }: Call, error: unknown): ChatModelError {
  const startHint = "Start it with 'ollama serve' or set OLLAMA_HOST";
  return unreachable(error, { name: "Ollama", url, startHint, checkHint: "Check OLLAMA_HOST" });
}

/** The connection broke while the answer was under way. */
export function connectionLost(call: Call, cause: unknown): UpstreamError {
  return new UpstreamError(
    `Cannot ${call.action}: the connection to Ollama at "${call.url}" broke in the middle of the answer`,
    { code: "upstream_lost", cause },
  );
}

/** The answer ended too early, though in good order. */
export function incomplete(call: Call, missing: string): UpstreamError {
  return new UpstreamError(`Cannot ${call.action}: the answer of Ollama at "${call.url}" ended without ${missing}`, {
    code: "upstream_incomplete",
  });
}

/** A line or body that is not what it must be. It is not quoted, as it may hold what the model wrote. */
export function badRecord(call: Call, number: number, issues: readonly ValidationIssue[] | "no JSON"): UpstreamError {
  const what = issues === "no JSON"
    ? "is no JSON"
    : `is not as expected: ${issues.map((issue) => `"${issue.path}": ${issue.message}`).join("; ")}`;
  return new UpstreamError(
    `Cannot ${call.action}: record ${number} of the answer of Ollama at "${call.url}" ${what}`,
    { code: "upstream_bad_record" },
  );
}
