/** The model that the tests talk to: it does what the last message says. */
import {
  type ChatMessage,
  ChatModel,
  ChatModelError,
  type ChatParams,
  type ModelContext,
  type PredictPart,
} from "../../mod.ts";

/** What a model was asked, and how it ended. */
export interface Seen {
  readonly messages: readonly ChatMessage[];
  readonly params: ChatParams;
}

type Act = (context: ModelContext, messages: readonly ChatMessage[], params: ChatParams) => AsyncIterable<PredictPart>;

/** Does what is written for the text of the last message; keeps what it was asked. */
export class ScriptedModel extends ChatModel {
  readonly seen: Seen[] = [];
  /** Reasons with which calls were aborted. */
  readonly aborts: unknown[] = [];
  readonly #script: Readonly<Record<string, Act>>;

  constructor(script: Readonly<Record<string, Act>>) {
    super();
    this.#script = script;
  }

  override async *predictStream(
    context: ModelContext,
    messages: readonly ChatMessage[],
    params: ChatParams,
  ): AsyncGenerator<PredictPart> {
    this.seen.push({ messages, params });
    const text = lastText(messages);
    const act = this.#script[text];
    if (act === undefined) throw new ChatModelError(`Cannot answer "${text}": not in the script`);
    try {
      yield* act(context, messages, params);
    } finally {
      if (context.signal.aborted) this.aborts.push(context.signal.reason);
    }
  }
}

function lastText(messages: readonly ChatMessage[]): string {
  const last = messages.at(-1);
  if (last?.role === "tool") return "tool result";
  const { content } = last ?? {};
  if (typeof content === "string" || content === undefined) return content ?? "";
  return content.map((part) => part.type === "text" ? part.text : "").join("");
}

/** Says texts, one after the other. */
export function saying(...parts: readonly PredictPart[]): Act {
  return async function* () {
    yield* parts;
  };
}

/** Says a text, then waits until it is told to end. */
export function sayingForever(...parts: readonly PredictPart[]): Act {
  return async function* (context) {
    yield* parts;
    await new Promise((_, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));
  };
}
