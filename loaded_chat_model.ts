import {
  type ChatCompletionRequest,
  type ChatCompletionResponse,
  ChatModelError,
  ChatRequest,
  type EmbeddingRequest,
  type EmbeddingResponse,
  parseChatRequest,
} from "./types/mod.ts";
import { parseEmbeddingRequest } from "./types/_parse_embedding.ts";
import { ChatCompletionStream, type NormaliseOptions, type PredictPart, type PredictResult } from "./streaming/mod.ts";
import { Accumulator } from "./streaming/accumulate.ts";
import { complete } from "./streaming/_complete.ts";
import { completeEmbedding } from "./streaming/_complete_embedding.ts";
import { Call, type CallLimits, type ModelEquipment, type PredictOptions } from "./_call.ts";
import type { CallStart } from "./call_observer.ts";
import { runSteps } from "./_run_steps.ts";
import { type ChatModel, type ChatModelSource, implementedMethods, toChatModel } from "./chat_model.ts";

export type { CallLimits, ModelEquipment, PredictOptions } from "./_call.ts";

const BRAND = Symbol.for("@chatmodel/chat-model/loaded-model");

/** What helps when vectors do not come in time. */
const FEWER_TEXTS = "Send fewer texts";

/** Options for {@linkcode loadChatModel}. */
export interface LoadOptions extends CallLimits, ModelEquipment {
  /** Name that answers carry as `model` when neither the request nor the answer says one. Default: the model's own. */
  readonly name?: string;
  /** Gives up loading. */
  readonly signal?: AbortSignal;
  /** Lets go of what the model holds, such as a worker: called once, when the loaded model is disposed of. */
  readonly onDispose?: () => void | Promise<void>;
}

/**
 * Makes a model ready for use: makes an instance, calls its `loadContext`.
 *
 * @example Usage
 * ```ts
 * import { ChatModel, loadChatModel } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * class Greeter extends ChatModel {
 *   override predict() {
 *     return "Hello";
 *   }
 * }
 *
 * const model = await loadChatModel(Greeter, { name: "greeter" });
 * const response = await model.predict({ messages: [{ role: "user", content: "Hi" }] });
 * assertEquals(response.model, "greeter");
 * ```
 *
 * @param source The model, or its class.
 * @param options Name and time limits.
 * @returns The model, ready for use.
 * @throws {ChatModelError} With code `invalid_model` if it is no chat model or implements neither way to answer. What
 * `loadContext` throws is handed on.
 */
export async function loadChatModel(source: ChatModelSource, options: LoadOptions = {}): Promise<LoadedChatModel> {
  const model = toChatModel(source);
  if (model === undefined) {
    throw new ChatModelError("Cannot load model: it must be an instance or a class of ChatModel", {
      code: "invalid_model",
    });
  }
  const methods = implementedMethods(model);
  options.signal?.throwIfAborted();
  const call = new Call(options, equipmentOf(options));
  let loaded = false;
  try {
    const loading = model.loadContext(call.context);
    if (isPromiseLike(loading)) await call.settle(loading);
    loaded = true;
  } finally {
    call.end(loaded);
  }
  return new LoadedChatModel(model, methods, options);
}

/**
 * A model ready for use: takes one plain object, validates it, gives a plain object or a canonical stream, and can be
 * cancelled. Made by {@linkcode loadChatModel}.
 */
export class LoadedChatModel {
  /** Marks loaded models, whichever copy of the package made them. */
  get [BRAND](): true {
    return true;
  }

  /**
   * Whether a value is a loaded model, whichever copy of the package made it.
   *
   * @param value Anything.
   * @returns Whether it is one.
   */
  static isInstance(value: unknown): value is LoadedChatModel {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /** Name that answers carry as `model` when neither the request nor the model says one. */
  readonly name: string;
  readonly #model: ChatModel;
  readonly #methods: { readonly predict: boolean; readonly predictStream: boolean };
  readonly #defaults: CallLimits & ModelEquipment;
  #onDispose: (() => void | Promise<void>) | undefined;

  /**
   * Not for direct use: see {@linkcode loadChatModel}.
   *
   * @param model The model.
   * @param methods Which ways to answer it implements.
   * @param options Name and time limits.
   */
  constructor(
    model: ChatModel,
    methods: { readonly predict: boolean; readonly predictStream: boolean },
    options: LoadOptions,
  ) {
    const { firstTokenTimeout, idleTimeout, timeout } = options;
    this.name = options.name ?? model.name ?? model.constructor.name;
    this.#model = model;
    this.#methods = methods;
    this.#onDispose = options.onDispose;
    this.#defaults = {
      ...equipmentOf(options),
      ...(firstTokenTimeout !== undefined && { firstTokenTimeout }),
      ...(idleTimeout !== undefined && { idleTimeout }),
      ...(timeout !== undefined && { timeout }),
    };
  }

  /**
   * Answers in one piece.
   *
   * @param request The request, as it goes over the wire, or one that `parseChatRequest` has validated.
   * @param options Cancelling and time limits.
   * @returns The whole answer.
   * @throws {ValidationError} If the request is not valid; all issues are in it.
   * @throws {TimeoutError} If a time limit passes.
   * @throws {ChatModelError} If the model's output cannot be understood. What the model throws is handed on; so is the
   * signal's reason.
   */
  async predict(
    request: ChatCompletionRequest | ChatRequest,
    options: PredictOptions = {},
  ): Promise<ChatCompletionResponse> {
    const parsed = oneRequest(request);
    const call = new Call(options, this.#defaults);
    if (call.isObserved) call.observe(this.#start(parsed, false));
    if (!this.#methods.predict) {
      const stream = new ChatCompletionStream(this.#stream(parsed, call), this.#envelope(parsed), call);
      const accumulator = new Accumulator();
      for (;;) {
        const batch = await stream.nextBatch();
        if (batch.length === 0) return accumulator.response();
        for (const chunk of batch) accumulator.add(chunk);
      }
    }
    let completed = false;
    let failure: { readonly reason: unknown } | undefined;
    try {
      const answer = call.run(() => this.#model.predict(call.context, parsed.messages, parsed.params));
      const result = isPromiseLike(answer) ? await call.settle(answer) : answer;
      completed = true;
      const response = complete(oneAnswer(result), this.#envelope(parsed));
      call.observation?.result?.({ operation: "chat", response });
      return response;
    } catch (error) {
      failure = { reason: error };
      throw error;
    } finally {
      call.end(completed, failure);
    }
  }

  /**
   * Answers piece by piece. Leaving the loop early stops the model.
   *
   * @param request The request, as it goes over the wire, or one that `parseChatRequest` has validated.
   * @param options Cancelling and time limits.
   * @returns The canonical stream. It fails, while it is read, with what {@linkcode LoadedChatModel.predict} throws.
   * @throws {ValidationError} If the request is not valid; all issues are in it. A signal that has fired already has its
   * reason thrown.
   */
  predictStream(request: ChatCompletionRequest | ChatRequest, options: PredictOptions = {}): ChatCompletionStream {
    const parsed = oneRequest(request);
    const call = new Call(options, this.#defaults);
    if (call.isObserved) call.observe(this.#start(parsed, true));
    return new ChatCompletionStream(this.#stream(parsed, call), this.#envelope(parsed), call);
  }

  /**
   * Makes vectors of texts, if the model has `embed`.
   *
   * @param request The request, as it goes over the wire.
   * @param options Cancelling and time limits: the vectors come in one piece.
   * @returns The vectors, in the order of the texts.
   * @throws {ValidationError} If the request is not valid; all issues are in it.
   * @throws {TimeoutError} If a time limit passes.
   * @throws {ChatModelError} With code `unsupported_feature` if the model makes no vectors, and `invalid_model_output` if
   * it gives other than one for each text, all of one length: the one asked for if any. What the model throws is handed
   * on; so is the signal's reason.
   *
   * @example Usage
   * ```ts
   * import { loadChatModel } from "@chatmodel/chat-model";
   * import { DemoChatModel } from "@chatmodel/chat-model/demo";
   * import { assertEquals } from "@std/assert";
   *
   * const model = await loadChatModel(DemoChatModel);
   * const { data } = await model.embed({ input: ["A text", "Another"], dimensions: 8 });
   * assertEquals(data.map(({ embedding }) => embedding.length), [8, 8]);
   * ```
   */
  async embed(request: EmbeddingRequest, options: PredictOptions = {}): Promise<EmbeddingResponse> {
    const parsed = parseEmbeddingRequest(request);
    const model = this.#model;
    if (model.embed === undefined) throw this.#noVectors();
    const call = new Call(options, this.#defaults);
    const name = parsed.model ?? this.name;
    if (call.isObserved) call.observe({ model: name, operation: "embeddings", request });
    let completed = false;
    let failure: { readonly reason: unknown } | undefined;
    try {
      const given = call.run(() => model.embed?.(call.context, parsed.input, parsed.params));
      const result = isPromiseLike(given) ? await call.settle(given, FEWER_TEXTS) : given;
      completed = true;
      const response = completeEmbedding(result, parsed, name);
      call.observation?.result?.({ operation: "embeddings", response });
      return response;
    } catch (error) {
      failure = { reason: error };
      throw error;
    } finally {
      call.end(completed, failure);
    }
  }

  #start(request: ChatRequest, stream: boolean): CallStart {
    const { spanType } = this.#model;
    return { model: request.model ?? this.name, spanType, operation: "chat", request, stream };
  }

  /**
   * Asks the model whether what it needs is there, if it has `checkHealth`.
   *
   * @param options Cancelling and time limits.
   * @throws What the model throws: it cannot answer at present. Also the signal's reason, and {@linkcode TimeoutError}.
   */
  async checkHealth(options: PredictOptions = {}): Promise<void> {
    const call = new Call(options, this.#defaults);
    let completed = false;
    try {
      const checking = call.run(() => this.#model.checkHealth?.(call.context));
      if (isPromiseLike(checking)) await call.settle(checking);
      completed = true;
    } finally {
      call.end(completed);
    }
  }

  /** Lets go of what the model holds, such as the worker of a sandbox. It cannot answer after that. */
  async [Symbol.asyncDispose](): Promise<void> {
    const dispose = this.#onDispose;
    this.#onDispose = undefined;
    await dispose?.();
  }

  #noVectors(): ChatModelError {
    return new ChatModelError(
      `Cannot embed with model "${this.name}": it can chat, but makes no vectors. Use a model that has "embed"`,
      { code: "unsupported_feature", param: "model" },
    );
  }

  #stream(request: ChatRequest, call: Call): AsyncIterable<unknown> | Iterable<unknown> {
    if (!this.#methods.predictStream) {
      return single(() => call.run(() => this.#model.predict(call.context, request.messages, request.params)));
    }
    let parts: unknown;
    try {
      parts = call.run(() => this.#model.predictStream(call.context, request.messages, request.params));
    } catch (error) {
      // No generator: it fails before there is a stream. Told where all failures are, while the stream is read.
      return failing(error);
    }
    if (isIterable(parts)) return call.observation?.run === undefined ? parts : runSteps(parts, call);
    // An async function instead of a generator: what becomes of its promise must not end the process.
    if (isPromiseLike(parts)) parts.then(undefined, () => {});
    return failing(
      new ChatModelError(
        "Cannot read the model's output: predictStream must return an iterable. Write it as a generator: async *predictStream",
        { code: "invalid_model_output" },
      ),
    );
  }

  #envelope(request: ChatRequest): NormaliseOptions {
    return { model: request.model ?? this.name };
  }
}

function equipmentOf({ artifacts, modelConfig, origin }: LoadOptions): ModelEquipment {
  return {
    ...(artifacts !== undefined && { artifacts }),
    ...(modelConfig !== undefined && { modelConfig }),
    ...(origin !== undefined && { origin }),
  };
}

async function* single(
  predict: () => PredictResult | Promise<PredictResult>,
): AsyncGenerator<PredictResult | PredictPart> {
  yield oneAnswer(await predict());
}

// deno-lint-ignore require-yield -- a stream that has nothing but its failure
function* failing(error: unknown): Generator<never> {
  throw error;
}

/** A generator has no members, and would pass as an answer without text. */
function oneAnswer<T>(answer: T): T {
  if (!isIterable(answer)) return answer;
  throw new ChatModelError(
    "Cannot read the model's output: predict must return one answer, but returned an iterable. To answer piece by piece, name the method predictStream",
    { code: "invalid_model_output" },
  );
}

function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** A request, also one alone in a list, as MLflow takes it; several are refused, as none of them may be lost. */
function oneRequest(input: unknown): ChatRequest {
  const request: unknown = Array.isArray(input) && input.length === 1 ? input[0] : input;
  return ChatRequest.isInstance(request) ? request : parseChatRequest(request);
}
