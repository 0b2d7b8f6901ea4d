import type { ChatModelErrorOptions } from "../../types/mod.ts";
import { TrackingError } from "../errors.ts";
import { type ReadEnvironment, readFlag } from "./_environment.ts";
import { readRetryAfter } from "./_waits.ts";

/** A request that failed. */
export interface FailedRequest {
  /** What was to be done, as it stands behind "Cannot". */
  readonly action: string;
  /** The tracking URI, without secrets. */
  readonly url: string;
  /** For hints about what is set and what is not. */
  readonly env: ReadEnvironment;
  /** Whether credentials went with it. @default {false} */
  readonly hasCredentials?: boolean;
}

/** Letters of an answer that an error quotes at most. */
const MAX_QUOTED = 2_000;

const CODES: { readonly [status: number]: string } = {
  400: "BAD_REQUEST",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "ENDPOINT_NOT_FOUND",
  405: "ENDPOINT_NOT_FOUND",
  408: "DEADLINE_EXCEEDED",
  409: "RESOURCE_CONFLICT",
  429: "REQUEST_LIMIT_EXCEEDED",
  501: "NOT_IMPLEMENTED",
  502: "TEMPORARILY_UNAVAILABLE",
  503: "TEMPORARILY_UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** What MLflow's client tries again. */
const RETRIED_STATUS: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Whether another try may help: of MLflow's own 500s only those that do not name a lasting reason. */
export function isTransient(status: number, errorCode: string): boolean {
  if (!RETRIED_STATUS.has(status)) return false;
  return status !== 500 || errorCode === "INTERNAL_ERROR" || errorCode === "TEMPORARILY_UNAVAILABLE";
}

/** What an error answer says, whatever its form. */
interface Said {
  /** MLflow's code; absent where the answer is not MLflow's. */
  readonly errorCode?: string;
  readonly message: string;
  /** Whether it is JSON, as all that MLflow's own routes say. */
  readonly isJson: boolean;
}

/** The typed error of an answer that is no success. */
export function errorOfAnswer(request: FailedRequest, response: Response, body: string): TrackingError {
  const { action, url } = request;
  const { status, headers } = response;
  if (status >= 300 && status < 400) return redirected(request, response);
  const said = readSaid(body, headers.get("content-type") ?? "");
  const errorCode = said.errorCode ?? CODES[status] ?? (status < 500 ? "BAD_REQUEST" : "INTERNAL_ERROR");
  const retryAfter = readRetryAfter(headers);
  const hint = hintOf(request, { status, errorCode, said });
  const options: ChatModelErrorOptions = {
    status,
    retryable: isTransient(status, errorCode),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  const quoted = said.message === "" ? `status ${status}` : said.message;
  return new TrackingError(errorCode, `Cannot ${action}: MLflow at "${url}" answers: ${quoted}${hint}`, options);
}

function hintOf(
  request: FailedRequest,
  { status, errorCode, said }: { status: number; errorCode: string; said: Said },
): string {
  const { url, env, hasCredentials = false } = request;
  if (status === 403 && /invalid host header/i.test(said.message)) {
    return `. Start the server with --allowed-hosts "${new URL(url).host}" or set MLFLOW_SERVER_ALLOWED_HOSTS there`;
  }
  if (status === 401) return `. ${credentialsHint(env, hasCredentials)}${pluginHint(env)}`;
  if (status === 403) {
    return `. Ask for the permission, or use another account: ${credentialsHint(env, hasCredentials)}${
      pluginHint(env)
    }`;
  }
  if (errorCode === "FEATURE_DISABLED" && env("MLFLOW_WORKSPACE")) {
    return ". Unset MLFLOW_WORKSPACE, as this server has no workspaces";
  }
  const isUnknownPath = errorCode === "ENDPOINT_NOT_FOUND" && (status === 404 || status === 405);
  // Simple file servers know no POST, and web servers speak of a wrong scheme so.
  const isForeign = !said.isJson && (status === 400 || status === 501);
  if (isUnknownPath || isForeign) return `. ${notMlflow(url)}`;
  if (status === 411) return ". A proxy in front of MLflow wants to know the length first: let it take chunked bodies";
  if (status === 413) return ". Raise the limit for bodies of the proxy in front of MLflow";
  return "";
}

function notMlflow(url: string): string {
  return `"${url}" may be no MLflow tracking server, or one that is too old for this: check MLFLOW_TRACKING_URI`;
}

function credentialsHint(env: ReadEnvironment, hasCredentials: boolean): string {
  const [hasName, hasPassword, hasToken] = ["USERNAME", "PASSWORD", "TOKEN"].map((name) =>
    Boolean(env(`MLFLOW_TRACKING_${name}`))
  );
  if (hasName && hasPassword) return "Check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD";
  if (hasName && !hasCredentials) return "Set MLFLOW_TRACKING_PASSWORD, too";
  if (hasPassword && !hasCredentials) return "Set MLFLOW_TRACKING_USERNAME, too";
  if (hasToken) {
    return "Check MLFLOW_TRACKING_TOKEN, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: " +
      "MLflow's own basic-auth takes no tokens";
  }
  if (hasCredentials) {
    return "Check the name and the password in ~/.mlflow/credentials, or in the tracking URI if it has any: " +
      "they were sent, and refused";
  }
  return "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN), " +
    "or write them to ~/.mlflow/credentials, and let Deno read them (--allow-env, --allow-read)";
}

function pluginHint(env: ReadEnvironment): string {
  const isSigned = /^(?:true|1)$/i.test(env("MLFLOW_TRACKING_AWS_SIGV4") ?? "");
  const name = env("MLFLOW_TRACKING_AUTH")
    ? "MLFLOW_TRACKING_AUTH"
    : isSigned
    ? "MLFLOW_TRACKING_AWS_SIGV4"
    : undefined;
  return name === undefined
    ? ""
    : `. ${name} is set, but the plugins of Python that it names do not work here: give 'fetch' one that signs requests`;
}

/** The typed error of a good status with a body that MLflow does not send. */
export function errorOfPage(request: FailedRequest, response: Response): TrackingError {
  const type = response.headers.get("content-type") ?? "no content type";
  return new TrackingError(
    "ENDPOINT_NOT_FOUND",
    `Cannot ${request.action}: "${request.url}" answered with something other than JSON (${type}). ${
      notMlflow(request.url)
    }`,
  );
}

/** The typed error of JSON that is not as MLflow's. */
export function errorOfShape(action: string, issues: readonly string[]): TrackingError {
  return new TrackingError(
    "INTERNAL_ERROR",
    `Cannot ${action}: MLflow's answer is not as expected: ${issues.join("; ")}`,
  );
}

function redirected(request: FailedRequest, response: Response): TrackingError {
  const location = response.headers.get("location");
  const target = location === null ? null : URL.parse(location, response.url || request.url);
  const place = target === null ? "" : ` to "${target.origin}${target.pathname}"`;
  return new TrackingError(
    "ENDPOINT_NOT_FOUND",
    `Cannot ${request.action}: "${request.url}" redirects${place}. Set MLFLOW_TRACKING_URI to where the server is`,
    { status: response.status },
  );
}

/** Reads the four forms of MLflow's errors: its own JSON, FastAPI's `detail`, plain text and pages. */
function readSaid(body: string, type: string): Said {
  const value = parseJson(body);
  if (isRecord(value)) {
    const found = readRecord(value);
    if (found !== undefined) return { ...found, isJson: true };
  }
  const isPage = /html/i.test(type);
  return { message: quote(isPage ? textOfPage(body) : body), isJson: value !== undefined };
}

function readRecord(value: { readonly [key: string]: unknown }): Omit<Said, "isJson"> | undefined {
  const { error_code: errorCode, message, detail } = value;
  if (typeof errorCode === "string" || typeof message === "string") {
    return {
      message: quote(typeof message === "string" ? message : ""),
      ...(typeof errorCode === "string" && errorCode !== "" && { errorCode }),
    };
  }
  if (typeof detail === "string") return { message: quote(detail) };
  if (isRecord(detail)) return readRecord(detail) ?? { message: quote(JSON.stringify(detail)) };
  return detail === undefined ? undefined : { message: quote(JSON.stringify(detail)) };
}

function textOfPage(page: string): string {
  return page.replace(/<(script|style|title)\b.*?<\/\1>/gis, " ").replace(/<[^>]*>/g, " ");
}

/** Without the statement that SQLAlchemy appends, which holds the values that were to be stored. */
function quote(text: string): string {
  const line = text.replace(/\[SQL:.*$/s, "").replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return line.length <= MAX_QUOTED ? line : `${line.slice(0, MAX_QUOTED)}…`;
}

/** The value of a JSON text; `undefined` if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is an object with names. */
export function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What became of a request that got no answer. */
export interface Loss {
  readonly error: TrackingError;
  /** Whether another try may help. */
  readonly mayRetry: boolean;
  /** Whether the server may have done what it was asked. */
  readonly mayBeDone: boolean;
}

/** What became of a request that `fetch` gave up. */
export function lossOf(request: FailedRequest, cause: unknown): Loss {
  const { url, env } = request;
  const text = fetchFailure(cause);
  const at = `Cannot ${request.action}: MLflow at "${url}" cannot be reached`;
  const make = (message: string, options: ChatModelErrorOptions = {}) =>
    new TrackingError("TEMPORARILY_UNAVAILABLE", message, { code: "upstream_unreachable", cause, ...options });
  if (cause instanceof Deno.errors.NotCapable) {
    const error = new TrackingError("PERMISSION_DENIED", `${at}: run with --allow-net=${new URL(url).host}`, { cause });
    return { error, mayRetry: false, mayBeDone: false };
  }
  if (/certificate|UnknownIssuer|NotValidForName/i.test(text)) {
    const reason = text.replace(/^.*client error \(\w+\): /s, "");
    return { error: make(`${at}: ${reason}. ${certificateHint(url, env)}`), mayRetry: false, mayBeDone: false };
  }
  // Deno tells so where there was no connection to send anything by.
  const isUnsent = /client error \(Connect\)|dns error|connection refused/i.test(text);
  const reason = /connection refused/i.test(text)
    ? `connection refused. Start it with 'mlflow server', or check MLFLOW_TRACKING_URI`
    : /dns error|failed to lookup/i.test(text)
    ? `no such host. Check MLFLOW_TRACKING_URI`
    : isUnsent
    ? `${text.replace(/^.*client error \(\w+\): /s, "")}. Check MLFLOW_TRACKING_URI`
    : "the connection broke before an answer came. See whether it runs, and whether MLFLOW_TRACKING_URI names it";
  return { error: make(`${at}: ${reason}`, { retryable: true }), mayRetry: true, mayBeDone: !isUnsent };
}

/** What became of a request that took too long. */
export function lateLoss(request: FailedRequest, timeout: number): Loss {
  const error = new TrackingError(
    "DEADLINE_EXCEEDED",
    `Cannot ${request.action}: nothing came from MLflow at "${request.url}" for ${timeout} ms. ` +
      "Raise 'timeout' or MLFLOW_HTTP_REQUEST_TIMEOUT",
    { code: "timeout", retryable: true },
  );
  return { error, mayRetry: true, mayBeDone: true };
}

function certificateHint(url: string, env: ReadEnvironment): string {
  const hint = `Set MLFLOW_TRACKING_SERVER_CERT_PATH to the certificate of who signed it`;
  let isInsecureWanted = false;
  try {
    isInsecureWanted = readFlag(env, "MLFLOW_TRACKING_INSECURE_TLS");
  } catch {
    isInsecureWanted = true; // A word that is neither yes nor no: it was meant to change something.
  }
  return isInsecureWanted
    ? `${hint}. MLFLOW_TRACKING_INSECURE_TLS does not help, as Deno leaves out the check only if it is run with ` +
      `--unsafely-ignore-certificate-errors=${new URL(url).hostname}`
    : hint;
}

/** All that `fetch` tells: it puts the reason into the cause. */
function fetchFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
