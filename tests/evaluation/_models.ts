import { type ChatMessage, ChatModel, ChatModelError, type ChatParams, type ModelContext } from "../../mod.ts";

/** Text of a message. */
export function textOf(message: ChatMessage | undefined): string {
  return typeof message?.content === "string" ? message.content : "";
}

/** Says what it was told last. */
export class Echo extends ChatModel {
  override predict(_context: ModelContext, messages: readonly ChatMessage[]): string {
    return textOf(messages.at(-1));
  }
}

/** Answers by a function. */
export class Answering extends ChatModel {
  readonly #answer: (text: string, params: ChatParams, context: ModelContext) => unknown;
  readonly seen: { readonly text: string; readonly params: ChatParams; readonly messages: readonly ChatMessage[] }[] =
    [];

  constructor(answer: (text: string, params: ChatParams, context: ModelContext) => unknown) {
    super();
    this.#answer = answer;
  }

  override async predict(context: ModelContext, messages: readonly ChatMessage[], params: ChatParams): Promise<string> {
    const text = textOf(messages.at(-1));
    this.seen.push({ text, params, messages });
    return String(await this.#answer(text, params, context));
  }
}

/** An upstream that is busy. */
export function busy(retryAfter?: number): ChatModelError {
  return new ChatModelError("Cannot answer: the upstream is busy", {
    code: "overloaded",
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

/** All items of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(items);
}

/** Runs a test with a folder that is removed behind it. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
