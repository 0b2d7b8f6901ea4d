/** Streams of several prompts as one. */
import type { ChatCompletionChunk, ChatRequest, Usage } from "../../types/mod.ts";
import type { ChatCompletionStream, PartialChunk } from "../../streaming/mod.ts";
import type { LoadedChatModel, PredictOptions } from "../../loaded_chat_model.ts";
import { indexOf, joinOutputs } from "./_completion.ts";
import { sumUsage } from "./_usage.ts";

/** What the streams are made of. */
export interface MergedOptions {
  readonly model: LoadedChatModel | Promise<LoadedChatModel>;
  /** One request for each prompt. */
  readonly requests: readonly ChatRequest[];
  /** How many answers are given to each prompt. */
  readonly count: number;
  /** How many prompts are answered at a time. */
  readonly limit: number;
  readonly call: PredictOptions;
}

type Batch = readonly ChatCompletionChunk[];

/** The answer to one prompt, while it runs. */
interface Source {
  readonly prompt: number;
  readonly stream: ChatCompletionStream;
  readonly model: LoadedChatModel;
}

/** What came of one prompt. */
interface Arrived {
  readonly source: Source;
  readonly batch: Batch;
}

/**
 * Answers to several prompts as one stream, each piece as it comes. The first failure ends all.
 *
 * By hand, as an async generator would not hear of its end before what it waits for is there.
 */
export class MergedAnswers implements AsyncIterableIterator<PartialChunk, undefined> {
  readonly #options: MergedOptions;
  readonly #left: Iterator<[number, ChatRequest]>;
  readonly #running = new Set<ChatCompletionStream>();
  readonly #arrived: Arrived[] = [];
  readonly #queue: PartialChunk[] = [];
  readonly #usages: (Usage | undefined)[];
  readonly #outputs: ChatCompletionChunk["custom_outputs"][];
  #state: "new" | "open" | "closed" = "new";
  #failure: { readonly reason: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: MergedOptions) {
    this.#options = options;
    this.#left = options.requests.entries();
    this.#usages = options.requests.map(() => undefined);
    this.#outputs = options.requests.map(() => undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<PartialChunk, undefined>> {
    if (this.#state === "new") await this.#open();
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) return { done: false, value: chunk };
      if (this.#failure !== undefined) {
        const { reason } = this.#failure;
        await this.return();
        throw reason;
      }
      if (this.#state === "closed") return { done: true, value: undefined };
      const arrived = this.#arrived.shift();
      if (arrived !== undefined) this.#take(arrived);
      else if (this.#running.size === 0) this.#end();
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  return(): Promise<IteratorResult<PartialChunk, undefined>> {
    this.#state = "closed";
    this.#queue.length = this.#arrived.length = 0;
    this.#failure = undefined;
    for (const stream of this.#running) void stream.return();
    this.#running.clear();
    this.#wakeUp();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #open(): Promise<void> {
    const model = await this.#options.model;
    if (this.#state === "closed") return;
    this.#state = "open";
    for (let i = 0; i < this.#options.limit; i++) this.#start(model);
  }

  /** Begins with the next prompt, if there is one. */
  #start(model: LoadedChatModel): void {
    const { done, value } = this.#left.next();
    if (done || this.#failure !== undefined) return;
    const [prompt, request] = value;
    try {
      const stream = model.predictStream(request, this.#options.call);
      this.#running.add(stream);
      this.#ask({ prompt, stream, model });
    } catch (error) {
      this.#fail(error);
    }
  }

  #ask(source: Source): void {
    let batch: Batch | Promise<Batch>;
    try {
      batch = source.stream.nextBatch();
    } catch (error) {
      return this.#fail(error);
    }
    if (batch instanceof Promise) batch.then((batch) => this.#arrive(source, batch), (error) => this.#fail(error));
    else this.#arrive(source, batch);
  }

  #arrive(source: Source, batch: Batch): void {
    if (this.#state === "closed") return;
    if (batch.length > 0) this.#arrived.push({ source, batch });
    else {
      this.#running.delete(source.stream);
      this.#start(source.model);
    }
    this.#wakeUp();
  }

  #take({ source, batch }: Arrived): void {
    const { prompt } = source;
    for (const { model, system_fingerprint, choices, usage, custom_outputs } of batch) {
      if (usage) this.#usages[prompt] = usage;
      if (custom_outputs !== undefined) this.#outputs[prompt] = custom_outputs;
      const moved = choices.map((choice) => ({ ...choice, index: indexOf(prompt, choice.index, this.#options.count) }));
      if (moved.length === 0) continue;
      this.#queue.push({ model, choices: moved, ...(system_fingerprint !== undefined && { system_fingerprint }) });
    }
    // Only now, so that a reader who is slow slows down the models.
    this.#ask(source);
  }

  /** All prompts are answered: what is left to tell is about all of them. */
  #end(): void {
    this.#state = "closed";
    const usage = sumUsage(this.#usages);
    const outputs = joinOutputs(this.#outputs);
    if (usage === undefined && outputs === undefined) return;
    this.#queue.push({
      choices: [],
      ...(usage !== undefined && { usage }),
      ...(outputs !== undefined && { custom_outputs: outputs }),
    });
  }

  #fail(reason: unknown): void {
    if (this.#state !== "closed") this.#failure ??= { reason };
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
