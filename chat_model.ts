import { type ChatMessage, ChatModelError, type ChatParams, type EmbeddingParams } from "./types/mod.ts";
import type { ModelSpan } from "./call_observer.ts";
import type { ModelConfig } from "./model_config.ts";
import { accumulate, type EmbedResult, normalise, type PredictPart, type PredictResult } from "./streaming/mod.ts";

const BRAND = Symbol.for("@chatmodel/chat-model/model");
const DERIVED = Symbol.for("@chatmodel/chat-model/derived");

/** What surrounds one call of a model. */
export interface ModelContext {
  /**
   * Fires when no one waits for the answer any more: the client left, a time limit passed, or the server stops.
   * Hand it to every `fetch` and every wait.
   */
  readonly signal: AbortSignal;
  /** Id of the request, as in the `x-request-id` header. */
  readonly requestId: string;
  /** Files and folders logged with the model: where each name's lies on this machine. Empty unless it was loaded with some. */
  readonly artifacts: { readonly [name: string]: string };
  /** The model's configuration. Empty unless it was loaded with one. */
  readonly modelConfig: ModelConfig;
  /** The call's part of a trace, for notes of the author's own. Does nothing where no one traces. */
  readonly span: ModelSpan;
}

/**
 * A chat model: implement {@linkcode ChatModel.predict} or {@linkcode ChatModel.predictStream}, the other follows.
 *
 * Return what you have: text, a message, a piece of a response. Ids, times, indexes, roles, finish reasons and the form
 * of a stream are filled in.
 *
 * @example A model that answers in one piece
 * ```ts
 * import { ChatModel, loadChatModel, type ChatMessage, type ModelContext } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * class Parrot extends ChatModel {
 *   override predict(_context: ModelContext, messages: readonly ChatMessage[]) {
 *     return `You said: ${messages.at(-1)?.content}`;
 *   }
 * }
 *
 * const model = await loadChatModel(Parrot);
 * const response = await model.predict({ messages: [{ role: "user", content: "Hi" }] });
 * assertEquals(response.choices[0]?.message.content, "You said: Hi");
 * ```
 *
 * @example A model that streams
 * ```ts
 * import { ChatModel, loadChatModel } from "@chatmodel/chat-model";
 * import { assertEquals } from "@std/assert";
 *
 * class Counter extends ChatModel {
 *   override async *predictStream() {
 *     for (const word of ["one", " two", " three"]) yield word;
 *   }
 * }
 *
 * const model = await loadChatModel(Counter);
 * const response = await model.predict({ messages: [{ role: "user", content: "Count" }] });
 * assertEquals(response.choices[0]?.message.content, "one two three");
 * ```
 */
export abstract class ChatModel {
  /** Name that answers carry as `model` when the request says none. Default: name of the class. */
  declare readonly name?: string;
  /** What traces show calls as: `AGENT` for a model that takes steps of its own. Default: `CHAT_MODEL`. */
  declare readonly spanType?: "CHAT_MODEL" | "AGENT";

  /** Marks models, whichever copy of the package their class comes from. */
  get [BRAND](): true {
    return true;
  }

  /**
   * Whether a value is a chat model, whichever copy of the package its class comes from.
   *
   * @param value Anything.
   * @returns Whether it is one.
   */
  static isInstance(value: unknown): value is ChatModel {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /**
   * Prepares the model; called once, before the first prediction. Does nothing unless overridden.
   *
   * @param _context Its signal fires when loading is given up.
   */
  loadContext(_context: ModelContext): void | Promise<void> {}

  /**
   * Answers in one piece. Unless overridden, puts together what {@linkcode ChatModel.predictStream} yields.
   *
   * @param context What surrounds the call.
   * @param messages The conversation; at least one message.
   * @param params How to answer. What the caller did not set is absent.
   * @returns The answer: text, a message, or a response. What is missing in it is filled in.
   */
  predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    if (isDerived(this.predictStream)) throw notImplemented(this);
    return accumulate(normalise(this.predictStream(context, messages, params)));
  }

  /**
   * Answers piece by piece. Unless overridden, yields what {@linkcode ChatModel.predict} returns.
   *
   * @param context What surrounds the call.
   * @param messages The conversation; at least one message.
   * @param params How to answer. What the caller did not set is absent.
   * @returns Pieces of the answer: text, deltas, or chunks. What is missing in them is filled in.
   */
  predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    if (isDerived(this.predict)) throw notImplemented(this);
    return streamOf(() => this.predict(context, messages, params));
  }

  /**
   * Tells whether what the model needs, such as a server behind it, is there: it throws if not. Optional; asked by
   * whoever decides where requests go, every few seconds, so it must be quick and cost nothing: no completion.
   *
   * @param context Its signal fires when it takes too long.
   */
  checkHealth?(context: ModelContext): void | Promise<void>;

  /**
   * Makes vectors of texts. Optional: leave it out, and requests for vectors are refused with code
   * `unsupported_feature`. A model that only makes vectors still needs one of the two ways to answer, if only to throw.
   *
   * @param context What surrounds the call.
   * @param input The texts; at least one, none of them empty.
   * @param params How to make them. What the caller did not set is absent.
   * @returns A vector for each text in their order, all of one length; with the tokens they took, if these are counted.
   */
  embed?(context: ModelContext, input: readonly string[], params: EmbeddingParams): EmbedResult | Promise<EmbedResult>;
}

async function* streamOf(predict: () => PredictResult | Promise<PredictResult>): AsyncGenerator<PredictPart> {
  yield* normalise([await predict()]);
}

// The two methods above are told from an author's by this mark rather than by identity, which differs between copies.
for (const method of [ChatModel.prototype.predict, ChatModel.prototype.predictStream]) {
  Object.defineProperty(method, DERIVED, { value: true });
}

function isDerived(method: unknown): boolean {
  return typeof method !== "function" || DERIVED in method;
}

function notImplemented(model: ChatModel): ChatModelError {
  return new ChatModelError(
    `Cannot use model "${model.constructor.name}": it implements neither predict nor predictStream. Override one of them`,
    { code: "invalid_model" },
  );
}

/**
 * Which of the two ways to answer a model implements itself.
 *
 * @param model The model.
 * @returns Whether it has its own `predict` and its own `predictStream`.
 * @throws {ChatModelError} If it has neither.
 */
export function implementedMethods(model: ChatModel): { readonly predict: boolean; readonly predictStream: boolean } {
  const methods = { predict: !isDerived(model.predict), predictStream: !isDerived(model.predictStream) };
  if (!methods.predict && !methods.predictStream) throw notImplemented(model);
  return methods;
}

/** A chat model, or a class of chat models that needs no arguments. */
export type ChatModelSource = ChatModel | (new () => ChatModel);

/**
 * The model of a value: itself, or a new instance of a class of models.
 *
 * @param source Anything.
 * @returns The model; `undefined` if it is none.
 */
export function toChatModel(source: unknown): ChatModel | undefined {
  if (ChatModel.isInstance(source)) return source;
  if (typeof source !== "function" || !ChatModel.isInstance(source.prototype)) return undefined;
  const instance: unknown = Reflect.construct(source, []);
  return ChatModel.isInstance(instance) ? instance : undefined;
}
