import { decodeNdjson } from "../../streaming/decode.ts";
import type { CallLimit } from "../_http/call_limit.ts";
import {
  badRecord,
  type Call,
  connectionLost,
  errorOfAnswer,
  errorOfFetch,
  errorOfLine,
  incomplete,
  notOllama,
} from "./_errors.ts";
import { isObject, parseJson } from "./_json_value.ts";
import { readRecords, type RecordSource } from "./_record_batches.ts";
import type { ItemBatches } from "../_http/item_batches.ts";
import { type Failure, type FetchInit, fetchUntilGood } from "../_http/fetch_until_good.ts";
import { readBody, readErrorBody } from "../_http/read_body.ts";
import { readEnv } from "../_http/read_env.ts";
import type { OllamaClientOptions } from "./client_options.ts";
import { type OllamaHost, parseOllamaHost } from "./host.ts";

/** A call's endpoint and what it is limited by. */
export interface TransportRequest {
  readonly call: Call;
  readonly path: string;
  /** Body of a POST; absent for a GET. */
  readonly body?: object;
  readonly limit: CallLimit;
}

/** Sends requests to Ollama, tries again where that is safe, and reads answers. */
export class Transport {
  #options: OllamaClientOptions;
  #host: OllamaHost | undefined;
  readonly #urls = new Map<string, string>();
  #headers: Record<string, string> | undefined;

  constructor(options: OllamaClientOptions) {
    this.#options = options;
  }

  /** Where Ollama is; asked for at the first call, as reading the environment is no business of a constructor. */
  get host(): OllamaHost {
    return this.#host ??= parseOllamaHost(this.#options.host ?? readEnv("OLLAMA_HOST"));
  }

  /** Sends a request and reads its answer, one JSON value. */
  async read(request: TransportRequest): Promise<unknown> {
    const { call, limit } = request;
    try {
      const response = await this.#send(request);
      const { status, headers } = response;
      const text = await readBody(response, limit.signal, (cause) => connectionLost(call, cause));
      const value = parseJson(text);
      if (value === undefined) {
        if (/json/i.test(headers.get("content-type") ?? "json")) throw badRecord(call, 1, "no JSON");
        throw notOllama(call, { status, headers, body: text });
      }
      if (isObject(value) && value["error"] !== undefined && value["error"] !== null) throw errorOfLine(call, text);
      return value;
    } catch (error) {
      limit.fail(error);
      throw error;
    } finally {
      limit.end();
    }
  }

  /** Sends a request and reads its answer record by record. */
  async stream<T>(
    request: TransportRequest,
    records: Pick<RecordSource<T>, "check" | "isLast" | "lastRecord">,
  ): Promise<ItemBatches<string, T>> {
    const { call, limit } = request;
    try {
      const response = await this.#send(request);
      const { status, headers, body } = response;
      if (headers.get("content-type")?.startsWith("text/html")) {
        throw notOllama(call, {
          status,
          headers,
          body: await readBody(response, limit.signal, (cause) => connectionLost(call, cause)),
        });
      }
      if (body === null) throw incomplete(call, records.lastRecord);
      const lines = decodeNdjson(body, limit.signal && { signal: limit.signal });
      return readRecords<T>({ lines, call, limit, ...records });
    } catch (error) {
      limit.fail(error);
      limit.end();
      throw error;
    }
  }

  /** Sends a request until there is a good answer, of which the body is still to be read. */
  #send(request: TransportRequest): Promise<Response> {
    const { call, path, limit } = request;
    const { retries, fetch } = this.#options;
    return fetchUntilGood(this.#urlOf(path), this.#init(request), {
      limit,
      provider: "ollama",
      retries,
      fetch,
      readFailure: (response) => failureOf(call, response, limit.signal),
      errorOf: (error) => errorOfFetch(call, error),
    });
  }

  /** Member by member: this runs for each call, and spreading costs. */
  #init({ body, limit: { signal } }: TransportRequest): FetchInit {
    const { client } = this.#options;
    const init: FetchInit = { headers: this.#requestHeaders(), redirect: "manual" };
    if (body !== undefined) {
      init.method = "POST";
      init.body = JSON.stringify(body);
    }
    if (signal !== undefined) init.signal = signal;
    if (client !== undefined) init.client = client;
    return init;
  }

  /** Kept, as putting a URL together anew for each call has it taken apart anew as well. */
  #urlOf(path: string): string {
    let url = this.#urls.get(path);
    if (url === undefined) this.#urls.set(path, url = `${this.host.url}${path}`);
    return url;
  }

  /** An object rather than `Headers`, which a fetch takes apart anew each time at some cost. */
  #requestHeaders(): Record<string, string> {
    if (this.#headers !== undefined) return this.#headers;
    const { url, headers } = this.host;
    const made = new Headers({ "content-type": "application/json", ...headers });
    const apiKey = this.#options.apiKey ?? (new URL(url).origin === CLOUD ? readEnv("OLLAMA_API_KEY") : undefined);
    if (apiKey) made.set("authorization", `Bearer ${apiKey}`);
    for (const [name, value] of new Headers(this.#options.headers)) made.set(name, value);
    return this.#headers = Object.fromEntries(made);
  }
}

async function failureOf(call: Call, response: Response, signal: AbortSignal | undefined): Promise<Failure> {
  const { status, headers } = response;
  const text = await readErrorBody(response.body, signal);
  const error = errorOfAnswer(call, { status, headers, body: text });
  return { error, mayRetry: status === 503, retryAfter: error.retryAfter };
}

/** The one place that gets the key of the environment without being told. */
const CLOUD = "https://ollama.com";
