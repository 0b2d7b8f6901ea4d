import { decodeSse, readText } from "../../streaming/decode.ts";
import type { SseEvent } from "../../streaming/mod.ts";
import { isJsonObject } from "../../types/_schema.ts";
import { ChatModelError } from "../../types/mod.ts";
import { CallLimit } from "../_http/call_limit.ts";
import { type Failure, fetchUntilGood } from "../_http/fetch_until_good.ts";
import { ItemBatches } from "../_http/item_batches.ts";
import { readBody, readErrorBody } from "../_http/read_body.ts";
import type { OpenAIClientOptions } from "./client_options.ts";
import { Endpoint } from "./_endpoint.ts";
import { readErrorValue } from "./_error_value.ts";
import {
  badRecord,
  type Call,
  connectionLost,
  errorOfAnswer,
  errorOfFetch,
  errorOfValue,
  notOpenAI,
  parseJson,
} from "./_errors.ts";
import { sniff } from "./_event_stream.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** Reads the events of one answer, and knows whether it is complete. */
export interface EventReader {
  /** Appends to the batch what an event holds. Gives whether it is the last one; throws if it is an error. */
  read(event: SseEvent, batch: OpenAIAnswer[]): boolean;
  /** The stream ended without a last event: throws if it must not end here. */
  checkEnd(): void;
  /** The stream had no answer in it. */
  failEmpty(): never;
}

/** A call's route and what it is limited by. */
export interface TransportRequest {
  readonly call: Call;
  readonly path: string;
  /** Body of a POST; absent for a GET. */
  readonly body?: object;
  readonly limit: CallLimit;
}

/** Chunks in the batches that they came in. */
export type ChunkBatches = AsyncIterableIterator<OpenAIAnswer[], undefined, void>;

/** Sends requests to a server, tries again where that is safe, and reads answers. */
export class Transport {
  readonly #options: OpenAIClientOptions;
  #endpoint: Endpoint | undefined;

  constructor(options: OpenAIClientOptions) {
    this.#options = options;
  }

  /** Where the server is; asked for at the first call, as reading the environment is no business of a constructor. */
  get endpoint(): Endpoint {
    return this.#endpoint ??= new Endpoint(this.#options);
  }

  /** Sends a request and reads its answer, one JSON object. */
  async read(request: TransportRequest): Promise<OpenAIAnswer> {
    const { call, limit } = request;
    try {
      const response = await this.#send(request);
      const { status, headers } = response;
      if (headers.get("content-type")?.startsWith("text/event-stream")) {
        await response.body?.cancel();
        throw badRecord(call, "is a stream, though none was asked for");
      }
      const text = await readBody(response, limit.signal, (cause) => connectionLost(call, cause));
      const value = parseJson(text);
      if (value === undefined && !/json/i.test(headers.get("content-type") ?? "json")) {
        throw notOpenAI(call, { status, headers, body: text });
      }
      return readAnswer(call, value);
    } catch (error) {
      limit.fail(error);
      throw error;
    } finally {
      limit.end();
    }
  }

  /** Sends a request and reads its answer chunk by chunk. A whole answer counts as the one chunk. */
  async stream(request: TransportRequest, makeReader: (call: Call) => EventReader): Promise<ChunkBatches> {
    const { call, limit } = request;
    const lost = (cause: unknown) => connectionLost(call, cause);
    try {
      const response = await this.#send(request);
      const { status, headers, body } = response;
      const reader = makeReader(call);
      if (body === null) return reader.failEmpty();
      const options = limit.signal === undefined ? {} : { signal: limit.signal };
      let stream: ReadableStream<Uint8Array> = body;
      if (!headers.get("content-type")?.startsWith("text/event-stream")) {
        const sniffed = await sniff(body, limit.signal);
        stream = sniffed.stream;
        if (sniffed.kind !== "events") {
          const text = await readText(stream, options);
          if (sniffed.kind === "page") throw notOpenAI(call, { status, headers, body: text });
          return single(readAnswer(call, parseJson(text)), limit);
        }
      }
      return new ItemBatches<SseEvent, OpenAIAnswer>({
        batches: decodeSse(stream, options),
        limit,
        read: (event, batch) => reader.read(event, batch),
        checkEnd: () => reader.checkEnd(),
        lost,
      });
    } catch (error) {
      limit.fail(error);
      limit.end();
      limit.signal?.throwIfAborted();
      throw ChatModelError.isInstance(error) ? error : lost(error);
    }
  }

  /** Names a call. */
  call(action: string, about: Pick<Call, "model" | "content"> = {}): Call {
    const { endpoint } = this;
    return { action, url: endpoint.url, hide: (text) => endpoint.hide(text), ...about };
  }

  /**
   * Whether something answers there, whatever it says, unless it says that it is busy or did not get through.
   *
   * @param timeout Milliseconds that it may take.
   * @param signal Ends the asking.
   */
  async isAlive(timeout: number, signal: AbortSignal): Promise<boolean> {
    const { fetch: call = fetch, client } = this.#options;
    const limit = new CallLimit({ signal, milliseconds: timeout });
    try {
      const response = await call(this.endpoint.to("/models"), {
        headers: this.endpoint.headers,
        redirect: "manual",
        ...(limit.signal !== undefined && { signal: limit.signal }),
        ...(client !== undefined && { client }),
      });
      await response.body?.cancel();
      return response.status < 500 && response.status !== 429;
    } catch {
      return false; // That it cannot be asked is the answer.
    } finally {
      limit.end();
    }
  }

  /** Sends a request until there is a good answer, of which the body is still to be read. */
  #send({ call, path, body, limit }: TransportRequest): Promise<Response> {
    const { signal } = limit;
    const { retries, fetch, client } = this.#options;
    const { endpoint } = this;
    return fetchUntilGood(endpoint.to(path), {
      headers: endpoint.headers,
      redirect: "manual",
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
      ...(client !== undefined && { client }),
    }, {
      limit,
      provider: "openai",
      retries,
      fetch,
      readFailure: (response) => failureOf(call, response, signal),
      errorOf: (error) => errorOfFetch(call, error),
    });
  }
}

async function failureOf(call: Call, response: Response, signal: AbortSignal | undefined): Promise<Failure> {
  const { status, headers } = response;
  const error = errorOfAnswer(call, { status, headers, body: await readErrorBody(response.body, signal) });
  const saysWhen = headers.has("retry-after") || headers.has("retry-after-ms");
  return {
    error,
    // Without a time a 429 may mean a quota that is used up, and then each further try is in vain.
    mayRetry: error.retryable && headers.get("x-should-retry") !== "false" &&
      (status === 503 || (status === 429 && saysWhen)),
    retryAfter: saysWhen ? error.retryAfter : undefined,
  };
}

function readAnswer(call: Call, value: unknown): OpenAIAnswer {
  if (value === undefined) throw badRecord(call, "is no JSON");
  if (!isJsonObject(value)) throw badRecord(call, "is no object");
  const error = readErrorValue(value);
  if (error !== undefined) throw errorOfValue(call, error);
  return value;
}

async function* single(answer: OpenAIAnswer, limit: CallLimit): AsyncGenerator<OpenAIAnswer[], undefined, void> {
  limit.end();
  yield [answer];
  return undefined;
}
