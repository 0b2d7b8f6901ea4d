import {
  type ChatCompletionChunk,
  ChatModelError,
  type ChatRequest,
  ModelNotFoundError,
  parseChatRequest,
} from "../types/mod.ts";
import { ChatCompletionStream } from "../streaming/mod.ts";
import { chatFrames, encodeFrames } from "../streaming/encode_sse.ts";
import type { LoadedChatModel } from "../loaded_chat_model.ts";
import { LoadedCustomModel } from "../loaded_custom_model.ts";
import { type BodyLimits, readJson } from "./_body.ts";
import { UsageWriter } from "./_estimated_usage.ts";
import { type Keep, keeperOf, KeepingWriter } from "./_keep_completion.ts";
import { admit, type AdmitOptions, type Asking, checkAccess } from "./_admit.ts";
import { estimateTokens } from "./limits/mod.ts";
import type { LoadedModel } from "./directory.ts";
import type { RequestScope } from "./_request_scope.ts";
import { type AnswerHeaders, jsonResponse } from "./_respond.ts";
import type { ResponseStore } from "./response_store.ts";

/** The longest that a timer can run: a longer one fires at once. In milliseconds, about 25 days. */
const MAX_TIMER = 2 ** 31 - 1;

/** What the chat routes need of the app. */
export interface ChatRouteOptions extends AdmitOptions {
  /** What request bodies may take. */
  readonly bodies: BodyLimits;
  /** Milliseconds. */
  readonly keepAliveInterval: number;
  /** Milliseconds. */
  readonly statusWait: number;
  /** Where the answers of a request's key are kept. */
  readonly storeOf: (scope: RequestScope) => ResponseStore;
  /** Makes what is sent of an error, and logs it where it is the server's fault. */
  readonly report: (error: unknown, scope: RequestScope) => ChatModelError;
}

/** `POST /v1/chat/completions`. */
export async function chatCompletions(
  request: Request,
  scope: RequestScope,
  headers: AnswerHeaders,
  options: ChatRouteOptions,
): Promise<Response> {
  const chatRequest = parseChatRequest(await readJson(request, options.bodies));
  const keep = keeperOf(chatRequest, options.storeOf(scope));
  const found = findModel(chatRequest, { scope, headers }, options);
  if (chatRequest.params.stream) {
    const given = keep === undefined ? options : { ...options, keep };
    return await streamResponse(found, chatRequest, scope, headers, given);
  }
  const model = found instanceof Promise ? await found : found;
  const response = await model.predict(chatRequest, scope);
  const kept = keep?.(response);
  if (kept !== undefined) await kept;
  return jsonResponse(JSON.stringify(response), 200, headers);
}

/**
 * The model that a request asks for, ready to answer it: the request is let in.
 *
 * @param request The request.
 * @param asking Who asks.
 * @param options Where the models are, and who lets requests in.
 * @param tokens Estimates the tokens that the request will use. Default: from the request.
 * @throws {ModelNotFoundError} If there is none.
 * @throws {ChatModelError} If the request is not let in.
 */
export function findModel(
  request: ChatRequest,
  asking: Asking,
  options: AdmitOptions,
  tokens: () => number = () => estimateTokens(request),
): LoadedChatModel | Promise<LoadedChatModel> {
  const { directory, admission } = options;
  const check = (model: LoadedModel | undefined): LoadedChatModel | Promise<LoadedChatModel> => {
    if (model === undefined) throw modelNotFound(request.model);
    if (LoadedCustomModel.isInstance(model)) throw notChat(model.name);
    return admit(model, tokens, asking, admission);
  };
  const find = () => {
    const found = directory.find(request.model);
    return found instanceof Promise ? found.then(check) : check(found);
  };
  const checked = checkAccess(request.model, asking.scope, directory);
  return checked === undefined ? find() : checked.then(find);
}

/** The model takes something else than conversations. */
function notChat(name: string): ChatModelError {
  return new ChatModelError(`Cannot chat with model "${name}": it is a custom model. Ask it by POST /invocations`, {
    code: "unsupported_model",
    param: "model",
  });
}

/** There is no model of that name, or none at all. */
export function modelNotFound(name: string | undefined): ModelNotFoundError {
  return new ModelNotFoundError(
    name === undefined
      ? "Cannot answer: this server has no models"
      : `Cannot find model "${name}". See GET /v1/models for those that are served`,
  );
}

/** Answers with an event stream, or with an error if the model fails before it has given anything. */
export async function streamResponse(
  model: LoadedChatModel | Promise<LoadedChatModel>,
  request: ChatRequest,
  scope: RequestScope,
  headers: AnswerHeaders,
  options: ChatRouteOptions & { readonly keep?: Keep },
): Promise<Response> {
  const stream = await openStream(model, request, scope, options);
  const { keep, keepAliveInterval } = options;
  const includeUsage = request.params.stream_options?.include_usage ?? false;
  const plainFrames = chatFrames({
    includeUsage,
    toErrorObject: (error) => options.report(error, scope).toErrorObject(),
  });
  const frames = includeUsage ? new UsageWriter(plainFrames, request) : plainFrames;
  const writer = keep === undefined ? frames : new KeepingWriter(frames, keep);
  const body = encodeFrames(stream, writer, { keepAliveInterval, onClose: () => scope.end() });
  return eventStreamResponse(body, scope, headers);
}

/**
 * Begins to stream an answer.
 *
 * @returns The stream, which has given something or takes long.
 * @throws What the model fails with before it has given anything.
 */
export async function openStream(
  model: LoadedChatModel | Promise<LoadedChatModel>,
  request: ChatRequest,
  scope: RequestScope,
  options: ChatRouteOptions,
): Promise<ChatCompletionStream> {
  // A request may wait for its turn as long as it has to: its refusal then has an honest status all the same.
  const found = model instanceof Promise && options.admission !== undefined ? await model : model;
  const stream = found instanceof Promise
    ? new ChatCompletionStream(new LoadingStream(found, request, scope))
    : found.predictStream(request, scope);
  await firstBatch(stream, options.statusWait);
  return stream;
}

/** An answer that goes on after its headers: the body's end is the request's. */
export function eventStreamResponse(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  scope: RequestScope,
  headers: AnswerHeaders,
): Response {
  scope.streaming = true;
  // Before the app says so: a short answer may be over by then.
  if (scope.observer !== undefined) scope.observer.status = 200;
  // "x-accel-buffering" keeps nginx from holding frames back.
  headers.push(
    ["content-type", "text/event-stream"],
    ["cache-control", "no-cache"],
    ["x-accel-buffering", "no"],
  );
  return new Response(body, { headers: headers.complete() });
}

/**
 * The stream of a model that is still being loaded, which may take as long as an answer does.
 *
 * By hand, as an async generator would not hear of its end before what it waits for is there.
 */
class LoadingStream implements AsyncIterableIterator<ChatCompletionChunk> {
  readonly #opening: Promise<ChatCompletionStream>;
  /** The model's own stream, once there is one. */
  #stream: ChatCompletionStream | undefined;
  #left = false;

  constructor(model: Promise<LoadedChatModel>, request: ChatRequest, scope: RequestScope) {
    this.#opening = model.then((model) => {
      const stream = this.#stream = model.predictStream(request, scope);
      if (this.#left) void stream.return();
      return stream;
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ChatCompletionChunk, undefined>> {
    const stream = await this.#opening;
    return await stream.next();
  }

  async return(): Promise<IteratorResult<ChatCompletionChunk, undefined>> {
    this.#left = true;
    // At once, if there is one: when the request is over, its call must be, too.
    return await (this.#stream ?? await this.#opening).return();
  }
}

/**
 * Waits until the model has given something or failed, so that a failure has an honest status; but not longer than
 * `limit` ms, since clients and proxies give up on a server that sends no headers.
 */
export async function firstBatch(stream: ChatCompletionStream, limit: number): Promise<void> {
  const first = stream.peek();
  if (first === undefined) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, Math.min(limit, MAX_TIMER)));
  try {
    await Promise.race([first, late]);
  } finally {
    clearTimeout(timer);
  }
}
