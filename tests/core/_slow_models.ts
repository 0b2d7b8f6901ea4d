/** Models that take their time. */
import { ChatModel, type ModelContext } from "../../chat_model.ts";
import type { PredictPart } from "../../streaming/mod.ts";

/** A request that any model takes. */
export const REQUEST = { messages: [{ role: "user", content: "Hello" }] } as const;

/** Waits. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What a test does in an author's place. */
export type Work = (context: ModelContext) => Promise<void>;

/** Only writes `predict`. */
export class PredictOnly extends ChatModel {
  calls = 0;
  signal: AbortSignal | undefined;
  readonly #work: Work;

  constructor(work: Work) {
    super();
    this.#work = work;
  }

  override async predict(context: ModelContext): Promise<string> {
    this.calls++;
    this.signal = context.signal;
    await this.#work(context);
    return "One";
  }
}

/** Only writes `predictStream`: does some work before the first piece, and some before the second. */
export class StreamOnly extends ChatModel {
  calls = 0;
  left = 0;
  signal: AbortSignal | undefined;
  readonly #works: readonly Work[];

  constructor(...works: readonly Work[]) {
    super();
    this.#works = works;
  }

  override async *predictStream(context: ModelContext): AsyncGenerator<PredictPart> {
    this.calls++;
    this.signal = context.signal;
    try {
      for (const work of this.#works) {
        await work(context);
        yield "One";
      }
    } finally {
      this.left++;
    }
  }
}

/** Ends never, unless it is told to; does not look at the signal. */
export class Deaf {
  readonly #gate = Promise.withResolvers<void>();
  readonly work: Work = () => this.#gate.promise;
  readonly release = (): void => this.#gate.resolve();
  readonly fail = (error: unknown): void => this.#gate.reject(error);
}

/** Ends when the signal fires, with its reason. */
export function obedient({ signal }: ModelContext): Promise<void> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Does nothing. */
export function quick(): Promise<void> {
  return Promise.resolve();
}

/** Runs a test and takes down the rejections that no one handled. */
export async function unhandledDuring(test: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listener);
  try {
    await test();
    await pause(10); // They are told of after the microtasks.
  } finally {
    globalThis.removeEventListener("unhandledrejection", listener);
  }
  return unhandled;
}
