import { isJsonObject } from "../../types/_schema.ts";
import { TimeoutError } from "../../types/mod.ts";
import { CallLimit } from "../_http/call_limit.ts";
import type { OpenAICallOptions, OpenAIChatOptions, OpenAIClientOptions } from "./client_options.ts";
import { readVectors } from "./convert_embedding.ts";
import { badRecord, type Call, errorOfValue, incomplete } from "./_errors.ts";
import { readErrorValue } from "./_error_value.ts";
import { Transport, type TransportRequest } from "./_transport.ts";
import type { OpenAIAnswer, OpenAIChatRequest, OpenAIEmbedRequest, OpenAIModel, OpenAIVectors } from "./wire.ts";

export type { OpenAICallOptions, OpenAIChatOptions, OpenAIClientOptions };

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
 * Keys are in no error, also where a server repeats them, and go to no other host: redirects are not followed.
 */
export class OpenAIClient {
  readonly #transport: Transport;
  readonly #timeout: number;

  /**
   * Makes a client; does not connect.
   *
   * @param options Where the server is, and how to call it.
   */
  constructor(options: OpenAIClientOptions = {}) {
    this.#transport = new Transport(options);
    this.#timeout = options.timeout ?? 10_000;
  }

  /**
   * The server's base URL, without its query and without a slash at its end.
   *
   * @throws {ChatModelError} If it is no URL, or what is sent with every call cannot be (code `invalid_option`).
   */
  get url(): string {
    return this.#transport.endpoint.url;
  }

  /**
   * Lists the models that the server has, by `GET /models`.
   *
   * @param options Limits of the call.
   * @returns The models.
   */
  async list(options: OpenAICallOptions = {}): Promise<readonly OpenAIModel[]> {
    const call = this.#call("list models");
    const { data } = await this.#read({ call, path: "/models" }, { timeout: this.#timeout, ...options });
    // Servers that have none say so in several ways.
    if (data === null || data === undefined) return [];
    if (!Array.isArray(data)) throw badRecord(call, `has no list of models: "data" is no array`);
    return data.map((model: unknown, i) => {
      if (isModel(model)) return model;
      throw badRecord(call, `has no list of models: "data.${i}" has no id`);
    });
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
    const call = this.#call(`embed with model "${model}"`, { model, content: "input" });
    const answer = await this.#read({ call, path: "/embeddings", body: request }, options);
    return readVectors(answer, typeof input === "string" ? 1 : input.length, (fault) => badRecord(call, fault));
  }

  /**
   * Chats, and waits for the whole answer, by `POST /chat/completions`.
   *
   * @param request The conversation. It is sent as it is; it must not ask for a stream.
   * @param options Limits of the call.
   * @returns The answer, as the server gave it. It has at least one choice.
   */
  async chat(request: OpenAIChatRequest, options: OpenAIChatOptions = {}): Promise<OpenAIAnswer> {
    const { call, limit } = this.#chat(request, options);
    const answer = await this.#transport.read({ call, path: "/chat/completions", body: request, limit });
    const { choices } = answer;
    if (choices === undefined || choices === null) throw badRecord(call, 'has no "choices"');
    if (!Array.isArray(choices)) throw badRecord(call, 'has "choices" that are no array');
    if (choices.length === 0) throw incomplete(call, "an answer in it");
    for (const choice of choices) {
      const error = isJsonObject(choice) ? readErrorValue({ error: choice.error }) : undefined;
      if (error !== undefined) throw errorOfValue(call, error);
    }
    return answer;
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
    const { call, limit } = this.#chat(request, options);
    const body = { ...request, stream: true };
    return await this.#transport.stream({ call, path: "/chat/completions", body, limit });
  }

  #chat({ model }: OpenAIChatRequest, { signal, firstChunkTimeout }: OpenAIChatOptions) {
    const call = this.#call(`chat with model "${model}"`, { model });
    const limit = new CallLimit({
      signal,
      milliseconds: firstChunkTimeout,
      timeoutError: (milliseconds) =>
        new TimeoutError(
          `Cannot ${call.action}: the server at "${call.url}" did not begin to answer within ${milliseconds} ms. ` +
            `Raise 'firstChunkTimeout'`,
        ),
    });
    return { call, limit };
  }

  #call(action: string, about: Pick<Call, "model" | "content"> = {}): Call {
    const { endpoint } = this.#transport;
    return { action, url: endpoint.url, hide: (text) => endpoint.hide(text), ...about };
  }

  async #read(
    request: Omit<TransportRequest, "limit">,
    { signal, timeout }: OpenAICallOptions,
  ): Promise<OpenAIAnswer> {
    const { call } = request;
    const limit = new CallLimit({
      signal,
      milliseconds: timeout,
      timeoutError: (milliseconds) =>
        new TimeoutError(
          `Cannot ${call.action}: the server at "${call.url}" did not answer within ${milliseconds} ms. Raise 'timeout'`,
        ),
    });
    return await this.#transport.read({ ...request, limit });
  }
}

function isModel(value: unknown): value is OpenAIModel {
  return isJsonObject(value) && typeof value.id === "string";
}
