import { ChatModel, type ModelContext } from "../../chat_model.ts";
import type { AnswerPart, EmbedResult, PartialChoice, PartialUsage, PredictResult } from "../../streaming/mod.ts";
import type { ChatMessage, ChatParams, EmbeddingParams } from "../../types/mod.ts";
import { OllamaClient } from "./client.ts";
import { convertEmbedding, convertVectors } from "./convert_embedding.ts";
import { type ConvertedRequest, convertRequest, type OllamaDefaults } from "./convert_request.ts";
import { AnswerConverter, type AnswerOutcome } from "./convert_response.ts";
import { type OllamaChatModelOptions, toDefaults } from "./ollama_chat_model_options.ts";
import { type Prepared, Requester } from "./_requester.ts";
import { merge, runAll } from "./_several.ts";
import type { OllamaChatRecord, OllamaChatRequest } from "./wire.ts";

/**
 * A model of Ollama, asked over its native REST API.
 *
 * All of OpenAI's parameters are mapped or refused with a reason. Beside them a request may carry Ollama's own:
 * `options` or single options such as `num_ctx`, `keep_alive`, `think`, `truncate`, `shift`, `format`. What was given
 * but has no effect is named in `custom_outputs.ollama.ignored`; beside it stand the durations, in milliseconds.
 *
 * Ollama has no tool choice: a call that must be made is had by constraining the answer. Its arguments are checked, and
 * are an error with code `invalid_tool_arguments` if they do not follow the tool's parameters. An answer that was asked
 * for in JSON is checked as well, and is an error with code `invalid_structured_output` if it does not follow.
 *
 * @example Make a model
 * ```ts
 * import { OllamaChatModel } from "@chatmodel/chat-model/ollama";
 *
 * const model = new OllamaChatModel({ model: "llama3.2:1b", options: { num_ctx: 8192 }, keepAlive: "10m" });
 * ```
 */
export class OllamaChatModel extends ChatModel {
  /** Name of the model, as Ollama knows it. */
  override readonly name: string;
  readonly #client: OllamaClient;
  readonly #defaults: OllamaDefaults;
  readonly #requester: Requester;

  /**
   * Makes a model. Ollama is not asked for anything yet.
   *
   * @param options Which model, and how to ask it.
   * @throws {ValidationError} If an option has a value that Ollama cannot take.
   */
  constructor(options: OllamaChatModelOptions) {
    super();
    this.#defaults = toDefaults(options);
    this.name = options.model;
    this.#client = options.client ?? new OllamaClient();
    this.#requester = new Requester(this.#client, options);
  }

  /**
   * Answers with the whole.
   *
   * @param context What surrounds the call.
   * @param messages The conversation.
   * @param params The parameters.
   * @returns The answer, or all of them if `n` is more than one.
   * @throws {ValidationError} If Ollama cannot honour the request.
   * @throws {UpstreamError} If Ollama fails or answers what was not asked for.
   */
  override async predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): Promise<PredictResult> {
    const request = convertRequest(messages, params, this.#defaults);
    const { signal } = context;
    if (request.count > 1) return await this.#predictSeveral(request, signal);
    const { prepared, result: record } = await this.#requester.ask(
      request,
      signal,
      (body) => this.#client.chat(body, { signal }),
    );
    const converter = new AnswerConverter(request.answer);
    const part = converter.push(record) ?? {};
    return this.#complete(part, converter.finish(), { prepared, signal });
  }

  /**
   * Answers piece by piece.
   *
   * @param context What surrounds the call.
   * @param messages The conversation.
   * @param params The parameters.
   * @returns The pieces. Leaving before the end ends the call.
   * @throws {ValidationError} If Ollama cannot honour the request.
   * @throws {UpstreamError} If Ollama fails or answers what was not asked for.
   */
  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<AnswerPart, void, void> {
    const request = convertRequest(messages, params, this.#defaults);
    const { signal } = context;
    if (request.count > 1) return yield* this.#streamSeveral(request, signal);
    const { prepared, result: batches } = await this.#requester.ask(
      request,
      signal,
      (body) => this.#client.chatStream(body, { signal }),
    );
    const converter = new AnswerConverter(request.answer);
    for await (const batch of batches) {
      for (const record of batch) {
        const part = converter.push(record);
        if (part === undefined) continue;
        const outcome = converter.outcome;
        yield outcome === undefined ? part : await this.#complete(part, outcome, { prepared, signal });
      }
    }
    converter.finish();
  }

  /**
   * Asks Ollama for its version.
   *
   * @param context Its signal ends the call.
   * @throws {UpstreamError} If Ollama does not answer.
   */
  override async checkHealth({ signal }: ModelContext): Promise<void> {
    await this.#client.version({ signal });
  }

  /**
   * Makes vectors of texts, by `/api/embed`. Models made for it, such as `nomic-embed-text`, do it well. Texts that are too
   * long are refused, unless the model was made, or is asked, to `truncate` them.
   *
   * @param context What surrounds the call.
   * @param input The texts.
   * @param params The parameters.
   * @returns The vectors, and the tokens they took.
   * @throws {ValidationError} If Ollama cannot honour the request.
   * @throws {UpstreamError} If Ollama fails.
   */
  override async embed(
    context: ModelContext,
    input: readonly string[],
    params: EmbeddingParams,
  ): Promise<EmbedResult> {
    const body = convertEmbedding(input, params, this.#defaults);
    const { signal } = context;
    return convertVectors(await this.#requester.getting(signal, () => this.#client.embed(body, { signal })));
  }

  async #predictSeveral(request: ConvertedRequest, signal: AbortSignal): Promise<PredictResult> {
    const { prepared, result: records } = await this.#requester.ask(
      request,
      signal,
      (body) =>
        runAll(
          request.count,
          signal,
          (index, signal) => this.#client.chat(withSeed(body, index), { signal }),
        ),
    );
    const outcomes: AnswerOutcome[] = [];
    const choices = records.map((record, index): PartialChoice => {
      const converter = new AnswerConverter(request.answer, index);
      // The index is the choice's, not the message's.
      const { index: _, finish_reason = null, logprobs = null, ...message } = converter.push(record) ?? {};
      outcomes.push(converter.finish());
      return { index, message, finish_reason, logprobs };
    });
    return { choices, ...await this.#summariseSeveral(outcomes, { prepared, signal }) };
  }

  async *#streamSeveral(request: ConvertedRequest, signal: AbortSignal): AsyncGenerator<AnswerPart, void, void> {
    // One controller for all calls of an attempt: whatever ends this generator ends them.
    let controller = new AbortController();
    const onAbort = () => controller.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const { prepared, result: sources } = await this.#requester.ask(request, signal, (body) => {
        controller = new AbortController();
        if (signal.aborted) onAbort();
        return this.#openSeveral(body, request.count, controller);
      });
      const end = () => controller.abort(new DOMException("The answer has ended", "AbortError"));
      yield* this.#mergeSeveral(sources, { prepared, signal, end });
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #openSeveral(
    body: OllamaChatRequest,
    count: number,
    controller: AbortController,
  ): Promise<AsyncIterator<OllamaChatRecord[], unknown, void>[]> {
    const { signal } = controller;
    let failed: { readonly error: unknown } | undefined;
    const opened = await Promise.allSettled(Array.from({ length: count }, async (_, index) => {
      try {
        return await this.#client.chatStream(withSeed(body, index), { signal });
      } catch (error) {
        failed ??= { error };
        controller.abort(error);
        throw error;
      }
    }));
    const sources = opened.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    if (failed === undefined) return sources;
    await Promise.allSettled(sources.map((source) => source.return?.()));
    throw failed.error;
  }

  async *#mergeSeveral(
    sources: readonly AsyncIterator<OllamaChatRecord[], unknown, void>[],
    around: { readonly prepared: Prepared; readonly signal: AbortSignal; readonly end: () => void },
  ): AsyncGenerator<AnswerPart, void, void> {
    const converters = sources.map((_, index) => new AnswerConverter(around.prepared.request.answer, index));
    for await (const { index, item } of merge(sources, around.end)) {
      const converter = converters[index];
      if (converter === undefined) continue;
      if (item === undefined) converter.finish();
      for (const record of item ?? []) {
        const part = converter.push(record);
        if (part !== undefined) yield part;
      }
    }
    yield await this.#summariseSeveral(converters.map((converter) => converter.finish()), around);
  }

  /** Adds to the last part what is known at the end; waits only if Ollama must be asked for it. */
  #complete(
    part: AnswerPart,
    outcome: AnswerOutcome,
    around: { readonly prepared: Prepared; readonly signal: AbortSignal },
  ): AnswerPart | Promise<AnswerPart> {
    const { ignored } = around.prepared;
    if (!outcome.unexplainedLength) return withOutcome(part, outcome, ignored);
    return this.#requester.isContextFull(outcome, around.signal).then((isFull) => {
      if (isFull) outcome.outputs.context_full = true;
      return withOutcome(part, outcome, ignored);
    });
  }

  async #summariseSeveral(
    outcomes: readonly AnswerOutcome[],
    around: { readonly prepared: Prepared; readonly signal: AbortSignal },
  ): Promise<AnswerPart & { readonly usage: PartialUsage }> {
    const { ignored } = around.prepared;
    const choices = [];
    for (const outcome of outcomes) {
      const full = await this.#requester.isContextFull(outcome, around.signal);
      choices.push({ ...outcome.outputs, ...(full && { context_full: true }) });
    }
    const told = choices.some((outputs) => Object.keys(outputs).length > 0);
    const [first] = outcomes;
    const usage: PartialUsage = {
      // As OpenAI counts: the prompt once, all answers.
      prompt_tokens: first?.usage.prompt_tokens ?? 0,
      completion_tokens: outcomes.reduce((sum, { usage }) => sum + usage.completion_tokens, 0),
      ...(first?.usage.prompt_tokens_details && { prompt_tokens_details: first.usage.prompt_tokens_details }),
    };
    return { usage, ...nonEmptyOutputs({ ...(told && { choices }), ...(ignored.length > 0 && { ignored }) }) };
  }
}

function withOutcome(part: AnswerPart, { outputs, usage }: AnswerOutcome, ignored: readonly string[]): AnswerPart {
  if (ignored.length > 0) outputs.ignored = ignored;
  return Object.keys(outputs).length === 0
    ? { ...part, usage }
    : { ...part, usage, custom_outputs: { ollama: outputs } };
}

function nonEmptyOutputs(outputs: { readonly [name: string]: unknown }): Pick<AnswerPart, "custom_outputs"> {
  return Object.keys(outputs).length === 0 ? {} : { custom_outputs: { ollama: outputs } };
}

/** The same seed would give the same answer `n` times over. */
function withSeed(body: OllamaChatRequest, index: number): OllamaChatRequest {
  const seed = body.options?.seed;
  return typeof seed === "number" && index > 0 ? { ...body, options: { ...body.options, seed: seed + index } } : body;
}
