import type * as v from "valibot";
import { TimeoutError } from "../../types/mod.ts";
import type {
  OllamaEmbedRequest,
  OllamaEmbedResponse,
  OllamaModel,
  OllamaModelInfo,
  OllamaPullProgress,
  OllamaRunningModel,
} from "./api_types.ts";
import { embedSchema, psSchema, pullProgressSchema, showSchema, tagsSchema, versionSchema } from "./_api_schemas.ts";
import { CallLimit } from "../_http/call_limit.ts";
import { badRecord, type Call, incomplete } from "./_errors.ts";
import { check, type Checked } from "./_json_value.ts";
import { PullEvents } from "./_pull_events.ts";
import { chatRecordSchema, isPlainRecord } from "./_record_schema.ts";
import { Transport, type TransportRequest } from "./_transport.ts";
import type { OllamaCallOptions, OllamaChatOptions, OllamaClientOptions, OllamaPullOptions } from "./client_options.ts";
import type { OllamaChatRecord, OllamaChatRequest } from "./wire.ts";

export type { OllamaCallOptions, OllamaChatOptions, OllamaClientOptions, OllamaPullOptions };

/**
 * Speaks Ollama's native REST API.
 *
 * Nothing is read or connected before the first call. Every method rejects with `signal.reason` when its signal is
 * aborted, and then closes the connection, upon which Ollama stops generating. All other failures are of the family of
 * `ChatModelError`:
 *
 * - `ModelNotFoundError` (404) if Ollama does not have the model;
 * - `UpstreamError` (502) if Ollama cannot be reached (code `upstream_unreachable`), failed (`upstream_error`), broke
 *   off (`upstream_lost`), ended too early (`upstream_incomplete`), wrote what cannot be read (`upstream_bad_record`),
 *   redirects (`upstream_redirect`), or refuses who calls (`upstream_authentication`, `upstream_forbidden`);
 * - `OverloadedError` if it is busy (503) or a limit of the cloud is reached (429, code `rate_limit_exceeded`);
 * - `TimeoutError` (504) if a limit of time passed;
 * - `ChatModelError` (400) if it refused the request: `context_length_exceeded`, `unsupported_feature`, or
 *   without a code.
 *
 * Paths of the server in its texts are hidden; the full text is in the error's `cause`.
 */
export class OllamaClient {
  #transport: Transport;
  #timeout: number;

  /**
   * Makes a client; does not connect.
   *
   * @param options Where Ollama is, and how to call it.
   */
  constructor(options: OllamaClientOptions = {}) {
    this.#transport = new Transport(options);
    this.#timeout = options.timeout ?? 10_000;
  }

  /**
   * Ollama's base URL, without a slash at its end.
   *
   * @throws {ChatModelError} If the address is none (code `invalid_host`).
   */
  get url(): string {
    return this.#transport.host.url;
  }

  /** What is wrong with Ollama's address and was replaced by a default; to be shown to people. */
  get warning(): string | undefined {
    return this.#transport.host.warning;
  }

  /**
   * Asks for Ollama's version. Builds from source say `0.0.0`.
   *
   * @param options Limits of the call.
   * @returns The version.
   */
  async version(options: OllamaCallOptions = {}): Promise<string> {
    const call = this.#call("read the version of Ollama");
    return (await this.#callSmall({ call, path: "/api/version" }, versionSchema, options)).version;
  }

  /**
   * Lists the models that Ollama has.
   *
   * @param options Limits of the call.
   * @returns The models.
   */
  async list(options: OllamaCallOptions = {}): Promise<readonly OllamaModel[]> {
    const call = this.#call("list models");
    return (await this.#callSmall({ call, path: "/api/tags" }, tagsSchema, options)).models ?? [];
  }

  /**
   * Asks for everything about a model.
   *
   * @param model Name of the model, `name[:tag]`.
   * @param options Limits of the call.
   * @returns The facts.
   */
  async show(model: string, options: OllamaCallOptions = {}): Promise<OllamaModelInfo> {
    const call = this.#call(`show model "${model}"`, { model });
    return await this.#callSmall({ call, path: "/api/show", body: { model } }, showSchema, options);
  }

  /**
   * Lists the models that are loaded.
   *
   * @param options Limits of the call.
   * @returns The models.
   */
  async ps(options: OllamaCallOptions = {}): Promise<readonly OllamaRunningModel[]> {
    const call = this.#call("list loaded models");
    return (await this.#callSmall({ call, path: "/api/ps" }, psSchema, options)).models ?? [];
  }

  /**
   * Downloads a model from Ollama's registry. The download begins when the events are read, and stops when no more
   * are, after which another pull goes on from there.
   *
   * @param model Name of the model, `name[:tag]`.
   * @param options A signal, and how to connect to the registry.
   * @returns The events; the last one has the status `success`.
   */
  pull(model: string, options: OllamaPullOptions = {}): AsyncIterableIterator<OllamaPullProgress, undefined, void> {
    const { signal, insecure } = options;
    return new PullEvents(async (limit) => {
      // No model in the call: that Ollama does not have it is the reason to pull, and "pull it" no help.
      const call = this.#call(`pull model "${model}"`);
      const body = { model, stream: true, ...(insecure !== undefined && { insecure }) };
      return await this.#transport.stream({ call, path: "/api/pull", body, limit }, {
        check: (value) => check(pullProgressSchema, value),
        isLast: (event) => event.status === "success",
        lastRecord: "'success'",
      });
    }, signal);
  }

  /**
   * Makes vectors of texts.
   *
   * @param request Model and texts.
   * @param options Limits of the call. Without a timeout it may take as long as loading the model does.
   * @returns The vectors.
   */
  async embed(request: OllamaEmbedRequest, options: OllamaCallOptions = {}): Promise<OllamaEmbedResponse> {
    const { model, options: modelOptions = {} } = request;
    const call = this.#call(`embed with model "${model}"`, { model, options: modelOptions, content: "input" });
    return await this.#callSmall({ call, path: "/api/embed", body: request }, embedSchema, {
      timeout: Infinity,
      ...options,
    });
  }

  /**
   * Chats, and waits for the whole answer. A request without messages loads the model.
   *
   * @param request The conversation; its `stream` does not matter.
   * @param options Limits of the call.
   * @returns The answer.
   */
  async chat(request: OllamaChatRequest, options: OllamaChatOptions = {}): Promise<OllamaChatRecord> {
    const { call, limit } = this.#chat(request, options);
    const value = await this.#transport.read({ call, path: "/api/chat", body: { ...request, stream: false }, limit });
    const record = isPlainRecord(value) ? value : checked(call, chatRecordSchema, value);
    if (!isLastRecord(record)) throw incomplete(call, "'done'");
    return complete(record);
  }

  /**
   * Chats, and gives the answer's records as they come.
   *
   * @param request The conversation; its `stream` does not matter.
   * @param options Limits of the call.
   * @returns The records, once Ollama has begun to answer well: in batches of what came at once, none of them empty.
   * The last record has `done: true`; any other end is an error. `return()` (which `break` calls) closes the
   * connection at once.
   */
  async chatStream(
    request: OllamaChatRequest,
    options: OllamaChatOptions = {},
  ): Promise<AsyncIterableIterator<OllamaChatRecord[], undefined, void>> {
    const { call, limit } = this.#chat(request, options);
    return await this.#transport.stream({ call, path: "/api/chat", body: { ...request, stream: true }, limit }, {
      check: checkChatRecord,
      isLast: isLastRecord,
      lastRecord: "'done'",
    });
  }

  #chat(request: OllamaChatRequest, { signal, firstRecordTimeout }: OllamaChatOptions) {
    const { model, options = {} } = request;
    const call = this.#call(`chat with model "${model}"`, { model, options });
    const limit = new CallLimit({
      signal,
      milliseconds: firstRecordTimeout,
      timeoutError: (milliseconds) =>
        new TimeoutError(
          `Cannot ${call.action}: Ollama at "${call.url}" did not begin to answer within ${milliseconds} ms. ` +
            `Loading a model may take minutes: raise 'firstRecordTimeout'`,
        ),
    });
    return { call, limit };
  }

  #call(action: string, about: Pick<Call, "model" | "options" | "content"> = {}): Call {
    return { action, url: this.url, ...about };
  }

  async #callSmall<T>(
    request: Omit<TransportRequest, "limit">,
    schema: v.GenericSchema<unknown, T>,
    { signal, timeout = this.#timeout }: OllamaCallOptions,
  ): Promise<T> {
    const { call } = request;
    const limit = new CallLimit({
      signal,
      milliseconds: timeout,
      timeoutError: (milliseconds) =>
        new TimeoutError(
          `Cannot ${call.action}: Ollama at "${call.url}" did not answer within ${milliseconds} ms. Raise 'timeout'`,
        ),
    });
    return checked(call, schema, await this.#transport.read({ ...request, limit }));
  }
}

function checked<T>(call: Call, schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = check(schema, value);
  if (result.issues !== undefined) throw badRecord(call, 1, result.issues);
  return result.value;
}

function checkChatRecord(value: unknown): Checked<OllamaChatRecord> {
  if (isPlainRecord(value)) return { value: complete(value) };
  const result = check(chatRecordSchema, value);
  return result.issues === undefined ? { value: complete(result.value) } : result;
}

/** Some servers that speak Ollama's language give a reason but no `done`; what only renders a prompt gives neither. */
function isLastRecord(record: OllamaChatRecord): boolean {
  return record.done === true || (record.done_reason ?? "") !== "" || "_debug_info" in record;
}

function complete(record: OllamaChatRecord): OllamaChatRecord {
  return record.done !== true && isLastRecord(record) ? { ...record, done: true } : record;
}
