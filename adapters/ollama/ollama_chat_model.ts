import { ChatModel, type ModelContext } from "../../chat_model.ts";
import type { AnswerPart, PartialChoice, PartialUsage, PredictResult } from "../../streaming/mod.ts";
import { type ChatMessage, ChatModelError, type ChatParams, type ModelNotFoundError } from "../../types/mod.ts";
import type { OllamaPullProgress } from "./api_types.ts";
import { OllamaClient } from "./client.ts";
import {
  type ConvertedRequest,
  convertRequest,
  isKeepAlive,
  KEEP_ALIVE_FORM,
  type OllamaDefaults,
} from "./convert_request.ts";
import { AnswerConverter, type AnswerOutcome } from "./convert_response.ts";
import { fetchImage } from "./fetch_image.ts";
import { forgetModelFacts, getModelFacts, type ModelFacts } from "./model_facts.ts";
import { checkOptions, type OllamaOptions } from "./options.ts";
import { merge, runAll } from "./_several.ts";
import { RequestIssues } from "./_request_issues.ts";
import { SharedTask } from "./_shared_task.ts";
import type { OllamaChatRecord, OllamaChatRequest } from "./wire.ts";

/** Options for {@linkcode OllamaChatModel}. Requests win over them. */
export interface OllamaChatModelOptions {
  /** Name of the model, `name[:tag]`. */
  readonly model: string;
  /** Speaks to Ollama. Default: a client of its own, which finds Ollama by `OLLAMA_HOST`. */
  readonly client?: OllamaClient;
  /**
   * Ollama's own options, such as `num_ctx`. What is not set is left to the Modelfile.
   *
   * @default {{}}
   */
  readonly options?: OllamaOptions;
  /** How long the model stays loaded after an answer: seconds, or a duration such as `"5m"`. Default: Ollama's. */
  readonly keepAlive?: number | string;
  /** Whether or how much to think. Default: the model's own choice, and models that can think then do. */
  readonly think?: boolean | string;
  /**
   * Whether Ollama may drop the oldest messages when the prompt is longer than the window, which it does without
   * a word. If not, such a request fails with status 400 and code `context_length_exceeded`.
   *
   * @default {false}
   */
  readonly truncate?: boolean;
  /** Whether Ollama shifts the window when it fills while it answers. Default: Ollama's. */
  readonly shift?: boolean;
  /**
   * Whether to have Ollama download the model if it is missing: a function is told of the progress. The request
   * that finds it missing waits for the download.
   *
   * @default {false}
   */
  readonly pullMissing?: boolean | ((progress: OllamaPullProgress) => void);
  /**
   * Hosts that images may be fetched from, with a port or without, such as `"images.example.com"`. Images at other
   * hosts are refused, since whoever may ask could otherwise have any address fetched that this process can reach.
   *
   * @default {[]}
   */
  readonly allowedImageHosts?: readonly string[];
}

/** A request that is ready to be sent. */
interface Prepared {
  readonly request: ConvertedRequest;
  readonly body: OllamaChatRequest;
  readonly ignored: readonly string[];
}

/**
 * A model of Ollama, asked over its native REST API.
 *
 * All of OpenAI's parameters are mapped or refused with a reason. Beside them a request may carry Ollama's own:
 * `options` or single options such as `num_ctx`, `keep_alive`, `think`, `truncate`, `shift`, `format`. What was given
 * but has no effect is named in `custom_outputs.ollama.ignored`; beside it stand the durations, in milliseconds.
 *
 * Ollama has no tool choice: a call that must be made is had by constraining the answer. An answer that was asked for
 * in JSON is checked, and is an error with code `invalid_structured_output` if it does not follow.
 *
 * @example Make a model
 * ```ts
 * import { OllamaChatModel } from "@chatmodel/chat-model/ollama";
 *
 * const model = new OllamaChatModel({ model: "llama3.2:1b", options: { num_ctx: 8192 }, keepAlive: "10m" });
 * ```
 */
export class OllamaChatModel extends ChatModel {
  readonly #client: OllamaClient;
  readonly #defaults: OllamaDefaults;
  readonly #pullMissing: boolean;
  readonly #onPullProgress: (progress: OllamaPullProgress) => void;
  #pull: SharedTask<void> | undefined;

  /**
   * Makes a model. Ollama is not asked for anything yet.
   *
   * @param options Which model, and how to ask it.
   * @throws {ValidationError} If an option has a value that Ollama cannot take.
   */
  constructor(options: OllamaChatModelOptions) {
    super();
    const { model, keepAlive, think, shift, pullMissing = false } = options;
    const issues = new RequestIssues();
    if (typeof model !== "string" || model.trim() === "") {
      issues.add({ path: "model", message: "must be the name of a model" });
    }
    checkOptions(options.options ?? {}, "options", issues);
    if (keepAlive !== undefined && !isKeepAlive(keepAlive)) issues.add({ path: "keepAlive", message: KEEP_ALIVE_FORM });
    issues.throwIfAny("Cannot make an OllamaChatModel");
    this.#client = options.client ?? new OllamaClient();
    this.#defaults = {
      model,
      options: options.options ?? {},
      truncate: options.truncate ?? false,
      allowedImageHosts: options.allowedImageHosts ?? [],
      ...(keepAlive !== undefined && { keepAlive }),
      ...(think !== undefined && { think }),
      ...(shift !== undefined && { shift }),
    };
    this.#pullMissing = pullMissing !== false;
    this.#onPullProgress = typeof pullMissing === "function" ? pullMissing : () => {};
  }

  /** Name of the model. */
  get model(): string {
    return this.#defaults.model;
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
    const { prepared, result: record } = await this.#ask(
      request,
      signal,
      (body) => this.#client.chat(body, { signal }),
    );
    const converter = new AnswerConverter(request.answer);
    const part = converter.push(record) ?? {};
    return await this.#complete(part, converter.finish(), { prepared, signal });
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
    const { prepared, result: batches } = await this.#ask(
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

  async #predictSeveral(request: ConvertedRequest, signal: AbortSignal): Promise<PredictResult> {
    const { prepared, result: records } = await this.#ask(
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
      const { finish_reason = null, logprobs = null, ...part } = converter.push(record) ?? {};
      outcomes.push(converter.finish());
      return { index, message: part, finish_reason, logprobs };
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
      const { prepared, result: sources } = await this.#ask(request, signal, (body) => {
        controller = new AbortController();
        if (signal.aborted) onAbort();
        return this.#openSeveral(body, request.count, controller);
      });
      const end = () => controller.abort(new DOMException("The answer has ended", "AbortError"));
      yield* this.#mergeSeveral(sources, end, { prepared, signal });
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
    end: () => void,
    around: { readonly prepared: Prepared; readonly signal: AbortSignal },
  ): AsyncGenerator<AnswerPart, void, void> {
    const converters = sources.map((_, index) => new AnswerConverter(around.prepared.request.answer, index));
    for await (const { index, item } of merge(sources, end)) {
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

  /** Sends a request, having found out what it needs and, if so set up, having pulled the model. */
  async #ask<T>(
    request: ConvertedRequest,
    signal: AbortSignal,
    send: (body: OllamaChatRequest) => Promise<T>,
  ): Promise<{ readonly prepared: Prepared; readonly result: T }> {
    const attempt = async () => {
      const prepared = await this.#prepare(request, signal);
      return { prepared, result: await send(prepared.body) };
    };
    try {
      return await attempt();
    } catch (error) {
      if (!this.#pullMissing || !isModelNotFound(error)) throw error;
    }
    await this.#pullModel(signal);
    return await attempt();
  }

  async #prepare(request: ConvertedRequest, signal: AbortSignal): Promise<Prepared> {
    const { wantedThinking, imagePath, audioPath, pendingImages, ignored } = request;
    if (wantedThinking === undefined && imagePath === undefined && audioPath === undefined) {
      return { request, body: request.body, ignored };
    }
    const { capabilities } = await this.#facts(signal);
    const issues = new RequestIssues();
    const refuse = (capability: string, path: string, what: string) =>
      issues.addUnsupported(
        path,
        `must not be ${what}, as model "${this.model}" has not the capability "${capability}". ` +
          "Use one that has it ('ollama show NAME' tells)",
      );
    // Old servers do not tell what a model can do. They get what was asked for.
    if (imagePath !== undefined && capabilities?.includes("vision") === false) refuse("vision", imagePath, "an image");
    if (audioPath !== undefined && capabilities?.includes("audio") === false) refuse("audio", audioPath, "sound");
    issues.throwIfAny();
    const thinks = wantedThinking !== undefined && capabilities?.includes("thinking") === true;
    const messages = pendingImages.length === 0 ? request.body.messages : await fetchImages(request, signal);
    return {
      request,
      body: { ...request.body, messages, ...(thinks && { think: wantedThinking.think }) },
      ignored: wantedThinking === undefined || thinks ? ignored : [...ignored, wantedThinking.path],
    };
  }

  #facts(signal: AbortSignal): Promise<ModelFacts> {
    return getModelFacts(this.#client, this.model, signal);
  }

  async #pullModel(signal: AbortSignal): Promise<void> {
    if (this.#pull === undefined || this.#pull.abandoned) {
      const pull = new SharedTask<void>(async (signal) => {
        try {
          for await (const progress of this.#client.pull(this.model, { signal })) this.#onPullProgress(progress);
        } finally {
          forgetModelFacts(this.#client, this.model);
          if (this.#pull === pull) this.#pull = undefined;
        }
      });
      this.#pull = pull;
    }
    await this.#pull.wait(signal);
  }

  /** Adds to the last part what is known at the end. */
  async #complete(
    part: AnswerPart,
    outcome: AnswerOutcome,
    around: { readonly prepared: Prepared; readonly signal: AbortSignal },
  ): Promise<AnswerPart> {
    const { ignored } = around.prepared;
    const outputs = {
      ...outcome.outputs,
      ...(outcome.unexplainedLength && await this.#isContextFull(outcome, around.signal) && { context_full: true }),
      ...(ignored.length > 0 && { ignored }),
    };
    return { ...part, usage: outcome.usage, ...nonEmptyOutputs(outputs) };
  }

  async #summariseSeveral(
    outcomes: readonly AnswerOutcome[],
    around: { readonly prepared: Prepared; readonly signal: AbortSignal },
  ): Promise<AnswerPart & { readonly usage: PartialUsage }> {
    const { ignored } = around.prepared;
    const choices = [];
    for (const outcome of outcomes) {
      const full = outcome.unexplainedLength && await this.#isContextFull(outcome, around.signal);
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

  /** Whether an answer without a limit of ours ended for the window's sake: not if the Modelfile's limit was reached. */
  async #isContextFull(outcome: AnswerOutcome, signal: AbortSignal): Promise<boolean> {
    try {
      const { numPredict } = await this.#facts(signal);
      return numPredict === undefined || outcome.usage.completion_tokens < numPredict;
    } catch (error) {
      if (signal.aborted) throw error;
      // The answer is there and right. That no one can tell why it was cut short is no reason to lose it.
      return false;
    }
  }
}

function nonEmptyOutputs(outputs: { readonly [name: string]: unknown }): Pick<AnswerPart, "custom_outputs"> {
  return Object.keys(outputs).length === 0 ? {} : { custom_outputs: { ollama: outputs } };
}

/** The same seed would give the same answer `n` times over. */
function withSeed(body: OllamaChatRequest, index: number): OllamaChatRequest {
  const seed = body.options?.seed;
  return typeof seed === "number" && index > 0 ? { ...body, options: { ...body.options, seed: seed + index } } : body;
}

function isModelNotFound(error: unknown): error is ModelNotFoundError {
  return ChatModelError.isInstance(error) && error.status === 404 && error.code === "model_not_found";
}

async function fetchImages(request: ConvertedRequest, signal: AbortSignal): Promise<OllamaChatRequest["messages"]> {
  const { pendingImages, body } = request;
  const fetched = await runAll(pendingImages.length, signal, async (i, signal) => {
    const pending = pendingImages[i];
    return pending === undefined ? undefined : { ...pending, base64: await fetchImage(pending, { signal }) };
  });
  return body.messages.map((message, position) => {
    const own = fetched.filter((image) => image?.message === position);
    if (own.length === 0) return message;
    const images = [...message.images ?? []];
    for (const image of own) if (image !== undefined) images[image.image] = image.base64;
    return { ...message, images };
  });
}
