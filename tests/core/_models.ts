/** What the tests of the core share. */
import { ChatModel, loadChatModel, type LoadedChatModel } from "../../mod.ts";
import type { ChatMessage, ChatParams, ModelContext, PredictPart, PredictResult } from "../../mod.ts";
import type { ChatCompletionRequest, ChatCompletionResponse } from "../../mod.ts";

/** A small request. */
export const REQUEST: ChatCompletionRequest = { messages: [{ role: "user", content: "Hi" }] };

/** What an author's `predict` looks like. */
export type Predict = (
  context: ModelContext,
  messages: readonly ChatMessage[],
  params: ChatParams,
) => PredictResult | Promise<PredictResult>;

/** What an author's `predictStream` looks like. */
export type PredictStream = (
  context: ModelContext,
  messages: readonly ChatMessage[],
  params: ChatParams,
) => AsyncIterable<PredictPart> | Iterable<PredictPart>;

/** A model that only has `predict`. */
export class Answering extends ChatModel {
  readonly #predict: Predict;

  constructor(predict: Predict) {
    super();
    this.#predict = predict;
  }

  override predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    return this.#predict(context, messages, params);
  }
}

/** A model that only has `predictStream`. */
export class Streaming extends ChatModel {
  readonly #predictStream: PredictStream;

  constructor(predictStream: PredictStream) {
    super();
    this.#predictStream = predictStream;
  }

  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    return this.#predictStream(context, messages, params);
  }
}

/** Loads what TypeScript would not let through, as an author who writes JavaScript can. */
export function loadAnything(value: unknown): Promise<LoadedChatModel> {
  return Reflect.apply(loadChatModel, undefined, [value]);
}

/** A model with one method of any kind, as an author who writes JavaScript can have it. */
export function loadMethod(name: "predict" | "predictStream", method: unknown): Promise<LoadedChatModel> {
  class Anything extends ChatModel {}
  Object.defineProperty(Anything.prototype, name, { value: method });
  return loadAnything(Anything);
}

/** The answer in one piece and the text of the stream. */
export async function bothWays(
  model: LoadedChatModel,
  request: ChatCompletionRequest = REQUEST,
): Promise<{ readonly response: ChatCompletionResponse; readonly text: string; readonly finish: string | undefined }> {
  const response = await model.predict(request);
  let text = "";
  let finish: string | undefined;
  for await (const chunk of model.predictStream(request)) {
    text += chunk.choices[0]?.delta.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
  }
  return { response, text, finish };
}

/** What a promise rejects with, whatever it is. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (reason) {
    return reason;
  }
  throw new Error("It did not fail");
}
