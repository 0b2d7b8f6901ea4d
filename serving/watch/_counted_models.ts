import { ChatModel } from "../../chat_model.ts";
import { CustomModel } from "../../custom_model.ts";
import { LoadedChatModel, type PredictOptions } from "../../loaded_chat_model.ts";
import { LoadedCustomModel } from "../../loaded_custom_model.ts";
import type { JsonValue } from "../../model_config.ts";
import type { ChatCompletionStream } from "../../streaming/mod.ts";
import type {
  ChatCompletionRequest,
  ChatCompletionResponse,
  ChatRequest,
  EmbeddingRequest,
  EmbeddingResponse,
} from "../../types/mod.ts";
import type { CountedCall } from "./_counted_call.ts";
import type { LoadedModel } from "../directory.ts";

/** The version that a model is of. */
export interface CallHost {
  /**
   * The version that answers instead, for those who found this one and come when it is gone; `undefined` if it is not.
   *
   * @throws {ChatModelError} If there is none.
   */
  heir(): LoadedModel | undefined;
  /** Counts a call. */
  begin(options: PredictOptions, streams?: boolean): CountedCall;
  /** The error of a request that its version's heir cannot answer. */
  otherKind(): Error;
}

/** A version of a model that is still to answer those who found it, whose calls are counted. */
export class CountedChatModel extends LoadedChatModel {
  readonly #inner: LoadedChatModel;
  readonly #host: CallHost;

  constructor(inner: LoadedChatModel, host: CallHost) {
    super(NO_CHAT_MODEL, { predict: true, predictStream: true }, { name: inner.name });
    this.#inner = inner;
    this.#host = host;
  }

  override async predict(
    request: ChatCompletionRequest | ChatRequest,
    options: PredictOptions = {},
  ): Promise<ChatCompletionResponse> {
    const heir = this.#heir();
    if (heir !== undefined) return await heir.predict(request, options);
    const call = this.#host.begin(options);
    try {
      return await this.#inner.predict(request, call);
    } finally {
      call.end();
    }
  }

  override predictStream(
    request: ChatCompletionRequest | ChatRequest,
    options: PredictOptions = {},
  ): ChatCompletionStream {
    const heir = this.#heir();
    if (heir !== undefined) return heir.predictStream(request, options);
    const call = this.#host.begin(options, true);
    try {
      return this.#inner.predictStream(request, call);
    } catch (error) {
      call.end();
      throw error;
    }
  }

  override async embed(request: EmbeddingRequest, options: PredictOptions = {}): Promise<EmbeddingResponse> {
    const heir = this.#heir();
    if (heir !== undefined) return await heir.embed(request, options);
    const call = this.#host.begin(options);
    try {
      return await this.#inner.embed(request, call);
    } finally {
      call.end();
    }
  }

  override async checkHealth(options: PredictOptions = {}): Promise<void> {
    const heir = this.#heir();
    if (heir !== undefined) return await heir.checkHealth(options);
    const call = this.#host.begin(options);
    try {
      await this.#inner.checkHealth(call);
    } finally {
      call.end();
    }
  }

  #heir(): LoadedChatModel | undefined {
    const heir = this.#host.heir();
    if (heir === undefined || LoadedChatModel.isInstance(heir)) return heir;
    throw this.#host.otherKind();
  }
}

/** As {@linkcode CountedChatModel}, of the other kind. */
export class CountedCustomModel extends LoadedCustomModel {
  override readonly paramNames: readonly string[];
  readonly #inner: LoadedCustomModel;
  readonly #host: CallHost;

  constructor(inner: LoadedCustomModel, host: CallHost) {
    super(NO_CUSTOM_MODEL, undefined, { name: inner.name });
    this.paramNames = inner.paramNames;
    this.#inner = inner;
    this.#host = host;
  }

  override async predict(
    input: unknown,
    params: { readonly [name: string]: unknown } = {},
    options: PredictOptions = {},
  ): Promise<JsonValue> {
    const heir = this.#host.heir();
    if (heir !== undefined) {
      if (LoadedCustomModel.isInstance(heir)) return await heir.predict(input, params, options);
      throw this.#host.otherKind();
    }
    const call = this.#host.begin(options);
    try {
      return await this.#inner.predict(input, params, call);
    } finally {
      call.end();
    }
  }
}

/** Never asked: all that it would be asked by is answered by another. */
class NoChatModel extends ChatModel {}
class NoCustomModel extends CustomModel {
  override predict(): never {
    throw new TypeError("Cannot answer: this model only stands for another");
  }
}

const NO_CHAT_MODEL = new NoChatModel();
const NO_CUSTOM_MODEL = new NoCustomModel();
