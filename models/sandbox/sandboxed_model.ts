import { ChatModel, type ModelContext } from "../../chat_model.ts";
import { CustomModel } from "../../custom_model.ts";
import type { EmbedResult, PredictPart, PredictResult } from "../../streaming/mod.ts";
import { type ChatMessage, ChatModelError, type ChatParams, type EmbeddingParams } from "../../types/mod.ts";
import type { Sandbox } from "./_sandbox.ts";

/** A chat model whose code runs in a sandbox: to its host a model as any other. */
export class SandboxedChatModel extends ChatModel {
  readonly #sandbox: Sandbox;

  /**
   * Makes the model.
   *
   * @param sandbox Where its code runs.
   */
  constructor(sandbox: Sandbox) {
    super();
    this.#sandbox = sandbox;
    const { predict, predictStream, embed } = sandbox.imported;
    // Which of them a model implements decides how it is called, so those it does not stay those of the base class.
    if (!predict) this.predict = ChatModel.prototype.predict;
    if (!predictStream) this.predictStream = ChatModel.prototype.predictStream;
    if (embed) this.embed = (context, input, params) => this.#embed(context, input, params);
  }

  override loadContext(context: ModelContext): Promise<void> {
    return this.#sandbox.loadContext(context);
  }

  override predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    return this.#sandbox.call("predict", context, [messages, params]).then((answer) => checked(isAnswer, answer));
  }

  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    return this.#sandbox.stream(context, [messages, params], (part) => checked(isPart, part));
  }

  async #embed(context: ModelContext, input: readonly string[], params: EmbeddingParams): Promise<EmbedResult> {
    return checked(isVectors, await this.#sandbox.call("embed", context, [input, params]));
  }
}

function checked<T>(isRight: (value: unknown) => value is T, value: unknown): T {
  if (isRight(value)) return value;
  const found = value === null ? "null" : typeof value;
  throw new ChatModelError(
    `Cannot read the model's output: it must be text or an object, but is ${found}. Return text, a message or a response`,
    { code: "invalid_model_output" },
  );
}

// Only as far as texts are told from objects: what is in them is checked by who called the model, as of every model.
function isAnswer(value: unknown): value is PredictResult {
  return typeof value === "string" || isObject(value);
}

function isPart(value: unknown): value is PredictPart {
  return typeof value === "string" || isObject(value);
}

function isVectors(value: unknown): value is EmbedResult {
  return isObject(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A custom model whose code runs in a sandbox. */
export class SandboxedCustomModel extends CustomModel {
  readonly #sandbox: Sandbox;

  /**
   * Makes the model.
   *
   * @param sandbox Where its code runs.
   */
  constructor(sandbox: Sandbox) {
    super();
    this.#sandbox = sandbox;
  }

  override loadContext(context: ModelContext): Promise<void> {
    return this.#sandbox.loadContext(context);
  }

  override predict(
    context: ModelContext,
    input: unknown,
    params: { readonly [name: string]: unknown },
  ): Promise<unknown> {
    return this.#sandbox.call("predict", context, [input, params]);
  }
}
