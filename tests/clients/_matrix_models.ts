/** The models of the matrix where they fail, or never come to an end. */
import { DemoChatModel } from "../../adapters/demo/mod.ts";
import {
  type ChatMessage,
  ChatModel,
  ChatModelError,
  type ChatParams,
  type ModelContext,
  OverloadedError,
} from "../../mod.ts";
import type { PredictPart, PredictResult } from "../../streaming/mod.ts";
import { type Served, serveModels } from "./_served.ts";

/** What a server is to do. Those that end in "stream" differ where a recording is of one way only. */
export type Scene =
  | "text"
  | "stream"
  | "tools"
  | "tools stream"
  | "tool loop"
  | "tool loop stream"
  | "structured output"
  | "n"
  | "logprobs"
  | "failure"
  | "failure stream"
  | "failure midstream"
  | "limited"
  | "limited stream"
  | "busy"
  | "busy stream";

/** A server whose model tells when it is asked and when its signal fires. */
export interface Watched extends AsyncDisposable {
  readonly served: Served;
  /** Resolves when the model is asked. */
  readonly asked: Promise<void>;
  /** Resolves when the model hears that no one waits for it any more. */
  readonly stopped: Promise<void>;
}

/** What a model says when it fails. */
export const OUT_OF_WORDS = "out of words";

function limited(): ChatModelError {
  return new ChatModelError("Cannot answer: too many requests", {
    status: 429,
    code: "rate_limit_exceeded",
    retryable: true,
    retryAfter: 37,
  });
}

function busy(): OverloadedError {
  return new OverloadedError("Cannot answer: too much to do", { retryAfter: 37 });
}

/** The error of a scene; `undefined` where it is answered. */
export function errorOf(scene: Scene, calls: number): unknown {
  if (scene.startsWith("failure")) return new RangeError(OUT_OF_WORDS);
  if (calls > 0) return undefined;
  return scene.startsWith("limited") ? limited() : scene.startsWith("busy") ? busy() : undefined;
}

/** The demo model, but for what it does not do by itself: to fail. */
export class FaultyDemo extends DemoChatModel {
  readonly #scene: Scene;
  #calls = 0;

  constructor(scene: Scene) {
    super();
    this.#scene = scene;
  }

  override predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    const error = errorOf(this.#scene, this.#calls++);
    if (error !== undefined) throw error;
    return super.predict(context, messages, params);
  }

  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart> {
    const error = errorOf(this.#scene, this.#calls++);
    if (error !== undefined && this.#scene !== "failure midstream") throw error;
    let count = 0;
    for await (const part of super.predictStream(context, messages, params)) {
      yield part;
      // Another task in between, so that the words are on their way when it fails.
      if (error !== undefined && ++count === 3) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        throw error;
      }
    }
  }
}

/** Says a word, or none, and then nothing more until its signal fires. */
export class WatchedModel extends ChatModel {
  readonly #asked = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #begun: boolean;

  constructor(begun: boolean) {
    super();
    this.#begun = begun;
  }

  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  override async *predictStream({ signal }: ModelContext): AsyncGenerator<PredictPart> {
    this.#asked.resolve();
    if (this.#begun) yield* ["Hel", "lo"];
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    this.#stopped.resolve();
    throw signal.reason;
  }
}

/** The demo model, so slow that only leaving can end it. */
export class SlowDemo extends DemoChatModel {
  readonly #asked = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(begun: boolean) {
    super({ delay: begun ? 500 : 60_000 });
  }

  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  override predict(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): PredictResult | Promise<PredictResult> {
    this.#watch(context);
    return super.predict(context, messages, params);
  }

  override predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncIterable<PredictPart> | Iterable<PredictPart> {
    this.#watch(context);
    return super.predictStream(context, messages, params);
  }

  #watch({ signal }: ModelContext): void {
    signal.addEventListener("abort", () => this.#stopped.resolve());
    this.#asked.resolve();
  }
}

/** Serves a model that is watched. */
export async function watchModel(name: string, model: SlowDemo | WatchedModel): Promise<Watched> {
  const served = await serveModels({ [name]: model });
  const { asked, stopped } = model;
  return { served, asked, stopped, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
}
