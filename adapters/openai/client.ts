import { isJsonObject } from "../../types/_schema.ts";
import { TimeoutError } from "../../types/mod.ts";
import { CallLimit } from "../_http/call_limit.ts";
import type { OpenAICallOptions, OpenAIChatOptions, OpenAIClientOptions, OpenAIUpstream } from "./client_options.ts";
import { readVectors } from "./convert_embedding.ts";
import { badRecord, type Call, errorOfValue, incomplete } from "./_errors.ts";
import { readErrorValue } from "./_error_value.ts";
import { checkResponse, isAnswerEvent, ResponseReader } from "./_response_reader.ts";
import { StreamReader } from "./_stream_reader.ts";
import type { ChunkBatches, EventReader, Transport } from "./_transport.ts";
import { Upstreams } from "./_upstreams.ts";
import type {
  OpenAIAnswer,
  OpenAIChatRequest,
  OpenAIEmbedRequest,
  OpenAIModel,
  OpenAIResponseRequest,
  OpenAIVectors,
} from "./wire.ts";

export type { OpenAICallOptions, OpenAIChatOptions, OpenAIClientOptions, OpenAIUpstream };

/**
 * Speaks OpenAI's API with any server that has it: vLLM, llama.cpp's server, clouds, another server of this package.
 *
 * Nothing is read or connected before the first call. Every method rejects with `signal.reason` when its signal is
 * aborted, and then closes the connection, upon which servers stop generating. All other failures are of the family of
 * `ChatModelError`:
 *
 * - `ModelNotFoundError` (404) if the server does not have the model;
 * - `UpstreamError` (502) if the server cannot be reached (code `upstream_unreachable`), or what it stands before
 *   (`upstream_unavailable`), failed (`upstream_error`), broke off (`upstream_lost`), ended too early
 *   (`upstream_incomplete`), wrote what cannot be read (`upstream_bad_record`), redirects (`upstream_redirect`), or
 *   refuses who calls (`upstream_authentication`, `upstream_forbidden`);
 * - `OverloadedError` if it is busy (503) or a limit is reached (429, code `rate_limit_exceeded`);
 * - `TimeoutError` (504) if a limit of time passed;
 * - `ChatModelError` (400) if it refused the request: `context_length_exceeded`, `upstream_rejected`, or one of
 *   OpenAI's codes that say the same here.
 *
 * With `upstreams`, a call goes on to the next one where one is unreachable, unavailable or busy, or where its stream ends
 * before the answer began. If none answers, the error names how many were tried: `OverloadedError` (503) if one of them
 * was busy, else `UpstreamError` (code `upstream_unreachable`).
 *
 * Keys are in no error, also where a server repeats them, and go to no other host: redirects are not followed.
 */
export class OpenAIClient {
  readonly #upstreams: Upstreams;
  readonly #timeout: number;

  /**
   * Makes a client; does not connect.
   *
   * @param options Where the server is, and how to call it.
   * @throws {ChatModelError} If `upstreams` cannot be used (code `invalid_option`).
   */
  constructor(options: OpenAIClientOptions = {}) {
    this.#upstreams = new Upstreams(options);
    this.#timeout = options.timeout ?? 10_000;
  }

  /**
   * The server's base URL, without its query and without a slash at its end; of several servers all of them, with
   * commas between.
   *
   * @throws {ChatModelError} If it is no URL, or what is sent with every call cannot be (code `invalid_option`).
   */
  get url(): string {
    return this.#upstreams.url;
  }

  /** Ends the checks of `upstreams` that are left out. They keep no program alive, so that this is for tests mostly. */
  [Symbol.dispose](): void {
    this.#upstreams.end();
  }

  /**
   * Lists the models that the server has, by `GET /models`.
   *
   * @param options Limits of the call.
   * @returns The models.
   */
  async list(options: OpenAICallOptions = {}): Promise<readonly OpenAIModel[]> {
    const action = "list models";
    const { signal } = options;
    const run = async (transport: Transport) => {
      const call = transport.call(action);
      const limit = timeLimit(call, { timeout: this.#timeout, ...options });
      const { data } = await transport.read({ call, path: "/models", limit });
      // Servers that have none say so in several ways.
      if (data === null || data === undefined) return [];
      if (!Array.isArray(data)) throw badRecord(call, `has no list of models: "data" is no array`);
      return data.map((model: unknown, i) => {
        if (isModel(model)) return model;
        throw badRecord(call, `has no list of models: "data.${i}" has no id`);
      });
    };
    return await this.#upstreams.read({ action, signal, run });
  }

  /**
   * Makes vectors of texts, by `POST /embeddings`.
   *
   * @param request Model and texts.
   * @param options Limits of the call.
   * @returns The vectors, in the order of the texts.
   */
  async embed(request: OpenAIEmbedRequest, options: OpenAICallOptions = {}): Promise<OpenAIVectors> {
    const { model, input } = request;
    const action = `embed with model "${model}"`;
    const { signal } = options;
    const run = async (transport: Transport) => {
      const call = transport.call(action, { model, content: "input" });
      const limit = timeLimit(call, options);
      const answer = await transport.read({ call, path: "/embeddings", body: request, limit });
      return readVectors(answer, typeof input === "string" ? 1 : input.length, (fault) => badRecord(call, fault));
    };
    return await this.#upstreams.read({ action, signal, run });
  }

  /**
   * Chats, and waits for the whole answer, by `POST /chat/completions`.
   *
   * @param request The conversation. It is sent as it is; it must not ask for a stream.
   * @param options Limits of the call.
   * @returns The answer, as the server gave it. It has at least one choice.
   */
  async chat(request: OpenAIChatRequest, options: OpenAIChatOptions = {}): Promise<OpenAIAnswer> {
    return await this.#read("/chat/completions", request, { ...options, check: checkChoices });
  }

  /**
   * Chats, and gives the answer's chunks as they come, by `POST /chat/completions` with `stream`.
   *
   * @param request The conversation; its `stream` does not matter.
   * @param options Limits of the call.
   * @returns The chunks as the server gave them, once it has begun to answer well: in batches of what came at once,
   * none of them empty. A server that answers as a whole gives the one chunk. The stream ends with `[DONE]`, or without
   * it once every answer has its finish reason; any other end is an error. `return()` (which `break` calls) closes the
   * connection at once.
   */
  async chatStream(
    request: OpenAIChatRequest,
    options: OpenAIChatOptions = {},
  ): Promise<AsyncIterableIterator<OpenAIAnswer[], undefined, void>> {
    const makeReader = (call: Call) => new StreamReader(call);
    return await this.#stream("/chat/completions", request, { ...options, makeReader, hasBegun: isAnswerChunk });
  }

  /**
   * Asks for a response, and waits for the whole of it, by `POST /responses`.
   *
   * @param request The request. It is sent as it is; it must not ask for a stream.
   * @param options Limits of the call.
   * @returns The response object, as the server gave it. It has not failed.
   */
  async respond(request: OpenAIResponseRequest, options: OpenAIChatOptions = {}): Promise<OpenAIAnswer> {
    return await this.#read("/responses", request, { ...options, check: checkResponse });
  }

  /**
   * Asks for a response, and gives its events as they come, by `POST /responses` with `stream`.
   *
   * @param request The request; its `stream` does not matter.
   * @param options Limits of the call.
   * @returns The events as the server gave them, as `chatStream` gives chunks. A server that answers as a whole gives
   * the response object. The stream ends with `response.completed` or `response.incomplete`; any other end is an error.
   */
  async respondStream(
    request: OpenAIResponseRequest,
    options: OpenAIChatOptions = {},
  ): Promise<AsyncIterableIterator<OpenAIAnswer[], undefined, void>> {
    const makeReader = (call: Call) => new ResponseReader(call);
    return await this.#stream("/responses", request, { ...options, makeReader, hasBegun: isAnswerEvent });
  }

  #read(
    path: string,
    request: OpenAIChatRequest | OpenAIResponseRequest,
    { check, ...options }: OpenAIChatOptions & { readonly check: (answer: OpenAIAnswer, call: Call) => void },
  ): Promise<OpenAIAnswer> {
    const { model } = request;
    const action = `chat with model "${model}"`;
    const run = async (transport: Transport) => {
      const call = transport.call(action, { model });
      const answer = await transport.read({ call, path, body: request, limit: chunkLimit(call, options) });
      check(answer, call);
      return answer;
    };
    return this.#upstreams.read({ action, signal: options.signal, run });
  }

  #stream(
    path: string,
    request: OpenAIChatRequest | OpenAIResponseRequest,
    { makeReader, hasBegun, ...options }: OpenAIChatOptions & {
      readonly makeReader: (call: Call) => EventReader;
      readonly hasBegun: (piece: OpenAIAnswer) => boolean;
    },
  ): Promise<ChunkBatches> {
    const { model } = request;
    const action = `chat with model "${model}"`;
    const body = { ...request, stream: true };
    const run = (transport: Transport) => {
      const call = transport.call(action, { model });
      return transport.stream({ call, path, body, limit: chunkLimit(call, options) }, makeReader);
    };
    return this.#upstreams.stream({ action, signal: options.signal, run }, hasBegun);
  }
}

function timeLimit(call: Call, { signal, timeout }: OpenAICallOptions): CallLimit {
  return new CallLimit({
    signal,
    milliseconds: timeout,
    timeoutError: (milliseconds) =>
      new TimeoutError(
        `Cannot ${call.action}: the server at "${call.url}" did not answer within ${milliseconds} ms. Raise 'timeout'`,
      ),
  });
}

function chunkLimit(call: Call, { signal, firstChunkTimeout }: OpenAIChatOptions): CallLimit {
  return new CallLimit({
    signal,
    milliseconds: firstChunkTimeout,
    timeoutError: (milliseconds) =>
      new TimeoutError(
        `Cannot ${call.action}: the server at "${call.url}" did not begin to answer within ${milliseconds} ms. ` +
          `Raise 'firstChunkTimeout'`,
      ),
  });
}

function checkChoices({ choices }: OpenAIAnswer, call: Call): void {
  if (choices === undefined || choices === null) throw badRecord(call, 'has no "choices"');
  if (!Array.isArray(choices)) throw badRecord(call, 'has "choices" that are no array');
  if (choices.length === 0) throw incomplete(call, "an answer in it");
  for (const choice of choices) {
    const error = isJsonObject(choice) ? readErrorValue({ error: choice.error }) : undefined;
    if (error !== undefined) throw errorOfValue(call, error);
  }
}

/** Whether a chunk has more in it than who speaks. */
function isAnswerChunk({ choices }: OpenAIAnswer): boolean {
  if (!Array.isArray(choices)) return false;
  return choices.some((choice: unknown) => {
    if (!isJsonObject(choice)) return true;
    const { delta, finish_reason } = choice;
    if (finish_reason || !isJsonObject(delta)) return true;
    return Object.entries(delta).some(([name, value]) =>
      name !== "role" && value !== null && value !== "" && value !== undefined
    );
  });
}

function isModel(value: unknown): value is OpenAIModel {
  return isJsonObject(value) && typeof value.id === "string";
}
