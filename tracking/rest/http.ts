import { TrackingError } from "../errors.ts";
import { readAuthorization } from "./_authorization.ts";
import { type BaseUri, parseBaseUri } from "./_base_uri.ts";
import { makeCertifiedClient } from "./_certificates.ts";
import { type ReadEnvironment, readEnvironment, readFlag, readNumber } from "./_environment.ts";
import {
  errorOfAnswer,
  errorOfPage,
  type FailedRequest,
  isRecord,
  lateLoss,
  type Loss,
  lossOf,
  parseJson,
} from "./_errors.ts";
import { sleep } from "../../_sleep.ts";
import { retryDelay, Watch } from "./_waits.ts";

/** Options for talking to a tracking server. */
export interface MlflowHttpOptions {
  /** Headers for each request; they win over what the environment says. */
  readonly headers?: HeadersInit;
  /** What to send requests with. Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** Deno's client, such as one with certificates of its own; it is not closed. Default: by the environment. */
  readonly client?: Deno.HttpClient;
  /** Reads a variable of the environment. Default: Deno's, as far as that is allowed already. */
  readonly env?: (name: string) => string | undefined;
  /** Tries after the first, at most 9. Default: `MLFLOW_HTTP_REQUEST_MAX_RETRIES`, else 7. */
  readonly maxRetries?: number;
  /** Milliseconds in which something must come or go. Default: `MLFLOW_HTTP_REQUEST_TIMEOUT` (in s), else 120 000. */
  readonly timeout?: number;
}

/** Parts of a query. Lists are sent as one name several times, what is `undefined` not at all. */
export type Query = {
  readonly [name: string]: string | number | boolean | readonly string[] | undefined;
};

/** What a request of MLflow's API is about. */
export interface MlflowRequest {
  /** What is to be done, as it stands behind "Cannot". Default: method and path. */
  readonly action?: string;
  /** Query. */
  readonly query?: Query;
  /** Body, sent as JSON. */
  readonly body?: { readonly [key: string]: unknown };
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether it does no harm to do it twice. If not, it is tried again only where nothing was sent, and after 429 and
   * 503. Default: whether the method is another than `POST`.
   */
  readonly idempotent?: boolean;
  /**
   * Asked what to make of an error that came after a try of which the answer was lost: perhaps the lost one did what
   * was wanted. It returns what stands for the answer, or throws.
   */
  readonly recover?: (error: TrackingError, lost: LostAnswer) => Promise<unknown>;
}

/** An answer that did not arrive. */
export interface LostAnswer {
  /** When the first try was sent, in ms since 1970, by the server's clock as far as it tells. */
  readonly firstSent: number;
}

/** What is sent as the body of an upload. */
export interface UploadBody {
  /** The bytes: of a known number, as some servers store nothing of a body that comes without its length. */
  readonly content: Uint8Array<ArrayBuffer> | Blob;
  /** Called when it is no longer needed, sent or not. */
  readonly end?: () => void | Promise<void>;
}

/** An upload or download. */
export interface TransferRequest {
  /** What is to be done, as it stands behind "Cannot". */
  readonly action: string;
  /** How a body is sent. Default: `PUT`. */
  readonly method?: "PUT" | "POST";
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** Headers. */
  readonly headers?: { readonly [name: string]: string };
  /** Whether a download is tried again where its answer was lost. Default: true. */
  readonly repeatsLost?: boolean;
}

/** One request, whatever it is for. */
interface Sending {
  readonly method: string;
  readonly url: string;
  readonly action: string;
  readonly headers: Headers;
  readonly makeBody: (touch: () => void) => Promise<UploadBody | undefined>;
  readonly signal: AbortSignal | undefined;
  /** Whether it may be done once only. It gets a connection of its own: a kept one may be closed already. */
  readonly isOnce?: boolean;
  readonly isRepeatable: (loss: Pick<Loss, "mayBeDone">, status?: number) => boolean;
  readonly recover?: MlflowRequest["recover"];
}

/** An answer with a good status, of which the body is still to be read. The watch ends with it. */
interface Answer {
  readonly response: Response;
  readonly watch: Watch;
}

type Try =
  | { readonly answer: Answer }
  | (Loss & { readonly answer?: never; readonly status?: number; readonly date?: number });

/** What is not told to another host; without a home there is no file of credentials. */
const SECRETS: ReadonlySet<string> = new Set([
  "MLFLOW_TRACKING_USERNAME",
  "MLFLOW_TRACKING_PASSWORD",
  "MLFLOW_TRACKING_TOKEN",
  "MLFLOW_TRACKING_CLIENT_CERT_PATH",
  "HOME",
  "USERPROFILE",
]);

/** Bytes of an answer that are read at most. */
const MAX_LENGTH = 268_435_456;
const MAX_ERROR_LENGTH = 1_048_576;

/**
 * Sends requests to an MLflow tracking server: with credentials, retries and errors as MLflow's own client has them.
 *
 * Nothing is read from the environment before the first request. Tried again are the statuses 408, 429, 500, 502, 503
 * and 504 and broken connections, with `Retry-After` where it is given; but not what MLflow says that a server lacks or
 * cannot do (500 with a code such as `FEATURE_DISABLED`), and what is not `idempotent` only where it was surely not done.
 */
export class MlflowHttp implements Disposable {
  /** The tracking URI, without a slash at its end, and without secrets. */
  readonly uri: string;
  readonly #base: BaseUri;
  readonly #options: MlflowHttpOptions;
  readonly #env: ReadEnvironment;
  #ownClient: Promise<Deno.HttpClient | undefined> | undefined;

  /**
   * Makes one; nothing is sent yet.
   *
   * @param uri The tracking URI: `http:` or `https:`, perhaps with name and password, perhaps with a path.
   * @param options How to send.
   * @throws {TrackingError} With `INVALID_PARAMETER_VALUE` if the URI is no such one.
   */
  constructor(uri: string, options: MlflowHttpOptions = {}) {
    this.#base = parseBaseUri(uri);
    this.uri = this.#base.url;
    this.#options = options;
    this.#env = options.env ?? readEnvironment;
  }

  /** Reads a variable of the environment, as this was told to. */
  get env(): (name: string) => string | undefined {
    return this.#env;
  }

  /**
   * The same at another address, such as one that `mlflow-artifacts://host` names. Credentials and headers go with it
   * only to the same host: whoever may create an experiment can write any address into it.
   *
   * @param uri The other address.
   * @returns What to send by.
   */
  at(uri: string): MlflowHttp {
    const { credentials } = this.#base;
    const url = new URL(uri);
    if (url.hostname !== new URL(this.uri).hostname) {
      const env = (name: string) => SECRETS.has(name) ? undefined : this.#env(name);
      const { headers: _, client: __, ...options } = this.#options;
      return new MlflowHttp(uri, { ...options, env });
    }
    url.username = encodeURIComponent(credentials?.username ?? "");
    url.password = encodeURIComponent(credentials?.password ?? "");
    return new MlflowHttp(url.href, this.#options);
  }

  /**
   * Sends a request and reads its answer.
   *
   * @param method HTTP method.
   * @param path Path below the tracking URI, such as `/api/3.0/mlflow/traces`; one that does not begin with a slash is
   * below `/api/2.0/mlflow/`.
   * @param request What it is about.
   * @returns The JSON of the answer, `{}` for an empty one. It is not checked.
   * @throws {TrackingError} What the server says, or that it cannot be reached.
   */
  async request(method: string, path: string, request: MlflowRequest = {}): Promise<unknown> {
    const { action = `send ${method} ${path}`, query, body, signal, recover } = request;
    const { idempotent = method !== "POST" } = request;
    const text = body === undefined ? undefined : new TextEncoder().encode(JSON.stringify(body));
    const answer = await this.#send({
      method,
      url: this.#urlOf(path, query),
      action,
      headers: await this.#headers(path, text && { "content-type": "application/json" }),
      // A Blob, as Deno by itself sends bytes again where a kept connection breaks, though they may have arrived.
      makeBody: () => Promise.resolve(text && { content: new Blob([text]) }),
      signal,
      isOnce: !idempotent,
      isRepeatable: ({ mayBeDone }, status) => idempotent || !mayBeDone || status === 429 || status === 503,
      ...(recover && { recover }),
    });
    return "value" in answer ? answer.value : await this.#readJson(action, answer, signal);
  }

  /**
   * Stores a body.
   *
   * @param path Path below the tracking URI, percent-encoded; or a whole URL, which gets no credentials.
   * @param makeBody Makes the body, anew for each try. It calls what it is given whenever a part of it goes.
   * @param request What it is about.
   * @returns The headers of the answer.
   */
  async put(
    path: string,
    makeBody: (touch: () => void) => Promise<UploadBody>,
    request: TransferRequest,
  ): Promise<Headers> {
    const { action, method = "PUT", signal, headers } = request;
    const isForeign = !path.startsWith("/");
    const answer = await this.#send({
      method,
      url: isForeign ? path : this.#urlOf(path),
      action,
      headers: isForeign ? new Headers(headers) : await this.#headers(path, headers),
      makeBody,
      signal,
      isRepeatable: () => true,
    });
    if ("value" in answer) return new Headers();
    try {
      await drain(answer, MAX_ERROR_LENGTH);
    } catch {
      // The good status was there: what else the server has to say is of no interest, and MLflow says nothing.
      signal?.throwIfAborted();
    } finally {
      answer.watch.end();
    }
    return answer.response.headers;
  }

  /**
   * Opens a body for reading.
   *
   * @param path Path below the tracking URI, percent-encoded.
   * @param request What it is about.
   * @returns The answer, its body still to be read; `touch` is to be called for each part that is read, `end` when no
   * more is read, and `explain` says what a failure of the body means.
   */
  async open(path: string, request: TransferRequest): Promise<OpenBody> {
    const { action, signal, headers, repeatsLost = true } = request;
    const answer = await this.#send({
      method: "GET",
      url: this.#urlOf(path),
      action,
      headers: await this.#headers(path, headers),
      makeBody: () => Promise.resolve(undefined),
      signal,
      // MLflow fails so at what it cannot hand out at all, such as a folder.
      isRepeatable: ({ mayBeDone }, status) => status === undefined ? repeatsLost || !mayBeDone : status !== 500,
    });
    if ("value" in answer) throw new TrackingError("INTERNAL_ERROR", `Cannot ${action}: no answer`);
    const { response, watch } = answer;
    return {
      response,
      touch: () => watch.touch(),
      end: () => watch.end(),
      explain: (cause) => this.#explain(action, watch, cause, signal),
    };
  }

  /** Closes what was opened for certificates. */
  [Symbol.dispose](): void {
    const client = this.#ownClient;
    this.#ownClient = undefined;
    // Where it could not be made, the request that wanted it has said so.
    client?.then((made) => made?.close(), () => {});
  }

  async #send(sending: Sending): Promise<Answer | { readonly value: unknown }> {
    const { signal, isRepeatable, recover } = sending;
    const { maxRetries, backOff, timeout, followsRetryAfter } = this.#limits();
    const started = Date.now();
    let isLost = false;
    for (let attempt = 0;; attempt++) {
      const result = await this.#try(sending, timeout);
      if (result.answer !== undefined) return result.answer;
      const { error, mayRetry, mayBeDone, status, date } = result;
      const wantsRetry = mayRetry && attempt < maxRetries && isRepeatable({ mayBeDone }, status);
      const retryAfter = followsRetryAfter ? error.retryAfter : undefined;
      const delay = wantsRetry ? retryDelay(attempt, backOff, retryAfter) : undefined;
      if (delay === undefined) {
        if (!isLost || mayRetry || recover === undefined) throw error;
        const now = Date.now();
        return { value: await recover(error, { firstSent: (date ?? now) - (now - started) }) };
      }
      isLost ||= mayBeDone;
      await sleep(delay, signal);
    }
  }

  async #try(sending: Sending, timeout: number): Promise<Try> {
    const { method, url, action, headers, signal, isOnce = false } = sending;
    const { fetch: call = fetch } = this.#options;
    signal?.throwIfAborted();
    const client = isOnce ? await this.#freshClient() : await this.#client();
    const watch = new Watch(timeout, signal);
    if (isOnce && client !== this.#options.client) watch.onEnd(() => client?.close());
    const failed: FailedRequest = {
      action,
      url: this.uri,
      env: this.#env,
      hasCredentials: headers.has("authorization"),
    };
    let body: UploadBody | undefined;
    let isAnswered = false;
    try {
      body = await sending.makeBody(() => watch.touch());
      const response = await call(url, {
        method,
        headers,
        signal: watch.signal,
        redirect: this.#redirect(method),
        ...(body !== undefined && { body: body.content }),
        ...(client !== undefined && { client }),
      });
      watch.touch();
      if (response.ok) {
        isAnswered = true;
        return { answer: { response, watch } };
      }
      const text = await drain({ response, watch }, MAX_ERROR_LENGTH);
      const error = errorOfAnswer(failed, response, text);
      const { status } = response;
      const date = Date.parse(response.headers.get("date") ?? "");
      return {
        error,
        mayRetry: error.retryable,
        // What was refused for being too much, or by a proxy that found no one, was not done.
        mayBeDone: status >= 500 && status !== 503 || status === 408,
        status,
        ...(Number.isFinite(date) && { date }),
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (watch.isLate) return lateLoss(failed, timeout);
      if (error instanceof TrackingError) throw error;
      return lossOf(failed, error);
    } finally {
      if (!isAnswered) watch.end();
      await body?.end?.();
    }
  }

  async #readJson(action: string, answer: Answer, signal: AbortSignal | undefined): Promise<unknown> {
    const { response, watch } = answer;
    let text: string;
    try {
      text = await drain(answer, MAX_LENGTH);
    } catch (error) {
      throw this.#explain(action, watch, error, signal);
    } finally {
      watch.end();
    }
    if (text.trim() === "") return {};
    const value = parseJson(text);
    if (isRecord(value)) return value;
    throw errorOfPage({ action, url: this.uri, env: this.#env }, response);
  }

  #explain(action: string, watch: Watch, cause: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    const failed: FailedRequest = { action, url: this.uri, env: this.#env };
    if (watch.isLate) return lateLoss(failed, this.#limits().timeout).error;
    if (cause instanceof TrackingError) return cause;
    return new TrackingError(
      "TEMPORARILY_UNAVAILABLE",
      `Cannot ${action}: the connection to MLflow at "${this.uri}" broke in the middle of the answer`,
      { code: "upstream_lost", retryable: true, cause },
    );
  }

  #urlOf(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (Array.isArray(value)) { for (const item of value) search.append(name, item); }
      else if (value !== undefined) search.append(name, String(value));
    }
    const text = search.size === 0 ? "" : `?${search}`;
    return `${this.uri}${path.startsWith("/") ? path : `/api/2.0/mlflow/${path}`}${text}`;
  }

  async #headers(path: string, own: { readonly [name: string]: string } = {}): Promise<Headers> {
    const headers = new Headers({ accept: "application/json, */*", ...own });
    const workspace = this.#env("MLFLOW_WORKSPACE");
    if (workspace && !path.includes("/mlflow/workspaces")) headers.set("x-mlflow-workspace", workspace);
    const given = new Headers(this.#options.headers);
    if (!given.has("authorization")) {
      const authorization = await readAuthorization(this.#env, this.#base.credentials);
      if (authorization !== undefined) headers.set("authorization", authorization);
    }
    for (const [name, value] of given) headers.set(name, value);
    return headers;
  }

  #redirect(method: string): RequestRedirect {
    // Of what is sent, a redirection would make a GET without a body, or send a body where no one told it to.
    return method === "GET" && readFlag(this.#env, "MLFLOW_ALLOW_HTTP_REDIRECTS", true) ? "follow" : "manual";
  }

  #client(): Promise<Deno.HttpClient | undefined> {
    const { client, fetch: call } = this.#options;
    if (client !== undefined || call !== undefined || !this.uri.startsWith("https:")) return Promise.resolve(client);
    const made = this.#ownClient ??= makeCertifiedClient(this.#env);
    made.catch(() => {
      if (this.#ownClient === made) this.#ownClient = undefined; // The next request reads the files anew.
    });
    return made;
  }

  async #freshClient(): Promise<Deno.HttpClient | undefined> {
    const { client, fetch: call } = this.#options;
    if (client !== undefined || call !== undefined) return client;
    const options = { poolMaxIdlePerHost: 0 };
    const certified = this.uri.startsWith("https:") ? await makeCertifiedClient(this.#env, options) : undefined;
    return certified ?? Deno.createHttpClient(options);
  }

  #limits() {
    const env = this.#env;
    const number = (name: string, fallback: number, max: number, min = 0) =>
      readNumber(env, `MLFLOW_HTTP_REQUEST_${name}`, { fallback, min, max });
    const { maxRetries = number("MAX_RETRIES", 7, 9), timeout = number("TIMEOUT", 120, 2_000_000, 0.001) * 1000 } =
      this.#options;
    return {
      maxRetries,
      timeout,
      backOff: { factor: number("BACKOFF_FACTOR", 2, 120), jitter: number("BACKOFF_JITTER", 1, 120) },
      followsRetryAfter: readFlag(env, "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", true),
    };
  }
}

/** A body that is being read. */
export interface OpenBody {
  /** The answer. */
  readonly response: Response;
  /** To be called for each part that is read. */
  readonly touch: () => void;
  /** To be called when no more is read. */
  readonly end: () => void;
  /** What a failure of the body means. */
  readonly explain: (cause: unknown) => unknown;
}

/** Reads a body as text, so much of it at most. */
async function drain({ response, watch }: Answer, maxLength: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body) {
    watch.touch();
    length += chunk.length;
    if (length > maxLength) break; // Which cancels the rest.
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
