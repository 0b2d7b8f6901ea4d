import { ChatModel, type ModelContext } from "../../chat_model.ts";
import type { EmbedResult, PredictPart, PredictResult } from "../../streaming/mod.ts";
import { type ChatMessage, ChatModelError, type ChatParams, type EmbeddingParams } from "../../types/mod.ts";
import { OpenAIClient } from "./client.ts";
import { convertEmbedding } from "./convert_embedding.ts";
import { convertRequest } from "./convert_request.ts";
import { AnswerConverter, convertAnswer } from "./convert_response.ts";
import { convertResponseRequest } from "./convert_response_request.ts";
import { convertWholeResponse, ResponseChunks } from "./response_chunks.ts";
import { checkOptions, type OpenAIChatModelOptions } from "./openai_chat_model_options.ts";

/**
 * A model of any server that has OpenAI's API: vLLM, llama.cpp's server, a cloud, another server of this package.
 *
 * Requests are handed on as they are, with every field, also those that this package does not know; what is unset stays
 * unset. Answers are brought into canonical form, whatever the server does differently. What it says beside them stands
 * in `custom_outputs.openai`: unknown members (such as llama.cpp's `timings`), those of choices under `choices`,
 * those of the usage under `usage`.
 *
 * @example Make a model
 * ```ts
 * import { OpenAIChatModel } from "@chatmodel/chat-model/openai";
 *
 * const model = new OpenAIChatModel({
 *   model: "qwen3-8b",
 *   baseUrl: "http://127.0.0.1:8080/v1",
 *   defaults: { temperature: 0.2 },
 * });
 * ```
 */
export class OpenAIChatModel extends ChatModel {
  /** Name of the model, as the server knows it. */
  override readonly name: string;
  readonly #client: OpenAIClient;
  readonly #defaults: ChatParams;
  readonly #usage: boolean;
  readonly #api: "chat" | "responses";

  /**
   * Makes a model. The server is not asked for anything yet.
   *
   * @param options Which model, and how to reach it.
   * @throws {ValidationError} If an option has a value that it cannot have.
   * @throws {ChatModelError} If `upstreams` cannot be used (code `invalid_option`).
   */
  constructor(options: OpenAIChatModelOptions) {
    super();
    this.#defaults = checkOptions(options);
    this.name = options.model;
    const { client, baseUrl, apiKey, headers, upstreams } = options;
    this.#client = client ?? new OpenAIClient({
      ...(baseUrl !== undefined && { baseUrl }),
      ...(apiKey !== undefined && { apiKey }),
      ...(headers !== undefined && { headers }),
      ...(upstreams !== undefined && { upstreams }),
    });
    this.#api = options.api ?? "chat";
    this.#usage = options.streamUsage ?? true;
  }

  /**
   * Answers with the whole.
   *
   * @param context What surrounds the call.
   * @param messages The conversation.
   * @param params The parameters.
   * @returns The answer.
   * @throws {ChatModelError} If the server refuses the request, fails, or answers what cannot be understood; see
   * `OpenAIClient`.
   */
  override async predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Promise<PredictResult> {
    const { signal } = context;
    const setup = { model: this.name, defaults: this.#defaults, stream: false as const };
    if (this.#api === "responses") {
      const response = await this.#client.respond(convertResponseRequest(messages, params, setup), { signal });
      return convertWholeResponse(response, this.#setup());
    }
    const body = convertRequest(messages, params, setup);
    return convertAnswer(await this.#client.chat(body, { signal }), this.#setup());
  }

  /**
   * Answers piece by piece.
   *
   * @param context What surrounds the call.
   * @param messages The conversation.
   * @param params The parameters.
   * @returns The pieces. Leaving before the end ends the call.
   * @throws {ChatModelError} As `predict`.
   */
  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart, void, void> {
    const { signal } = context;
    const setup = { model: this.name, defaults: this.#defaults, stream: { usage: this.#usage } };
    const converter = new AnswerConverter(this.#setup());
    if (this.#api === "responses") {
      const body = convertResponseRequest(messages, params, setup);
      const batches = await this.#client.respondStream(body, { signal });
      const chunks = new ResponseChunks(this.#setup());
      for await (const batch of batches) {
        for (const event of batch) {
          for (const chunk of chunks.push(event)) yield* converter.push(chunk);
        }
      }
      return yield* converter.end();
    }
    const batches = await this.#client.chatStream(convertRequest(messages, params, setup), { signal });
    for await (const batch of batches) {
      for (const chunk of batch) yield* converter.push(chunk);
    }
    yield* converter.end();
  }

  /**
   * Asks the upstream for its models.
   *
   * @param context Its signal ends the call.
   * @throws {UpstreamError} If none of the upstreams answers. One that has no such list is there all the same.
   */
  override async checkHealth({ signal }: ModelContext): Promise<void> {
    try {
      await this.#client.list({ signal });
    } catch (error) {
      if (!ChatModelError.isInstance(error) || error.status !== 404) throw error;
    }
  }

  /**
   * Makes vectors of texts, by `/embeddings`.
   *
   * @param context What surrounds the call.
   * @param input The texts.
   * @param params The parameters, handed on as they are.
   * @returns The vectors, and the tokens they took if the server tells.
   * @throws {ChatModelError} As `predict`.
   */
  override async embed(
    context: ModelContext,
    input: readonly string[],
    params: EmbeddingParams,
  ): Promise<EmbedResult> {
    const { signal } = context;
    const { embeddings, promptTokens } = await this.#client.embed(convertEmbedding(this.name, input, params), {
      signal,
    });
    return promptTokens === undefined ? embeddings : { embeddings, usage: { prompt_tokens: promptTokens } };
  }

  #setup(): { readonly model: string; readonly url: string } {
    return { model: this.name, url: this.#client.url };
  }
}
