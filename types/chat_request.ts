import type { ChatMessage } from "./message.ts";
import type { ChatParams } from "./params.ts";

const BRAND = Symbol.for("@chatmodel/chat-model/request");

/**
 * A request that has passed validation, divided the way a model takes it: messages here, parameters there.
 *
 * Made by `parseChatRequest`. A model's `predict` takes it in place of the plain object and does not validate again.
 */
export class ChatRequest {
  /** The conversation so far: at least one message. */
  readonly messages: readonly ChatMessage[];
  /** Which model is to answer; `undefined`: not said. */
  readonly model: string | undefined;
  /** All other fields: known ones by name, unknown ones in `extra`. */
  readonly params: ChatParams;

  /**
   * Puts a request together from valid parts.
   *
   * @param messages The conversation.
   * @param params The parameters.
   * @param model Which model is to answer.
   */
  constructor(messages: readonly ChatMessage[], params: ChatParams, model?: string) {
    this.messages = messages;
    this.params = params;
    this.model = model;
  }

  /** Marks requests, whichever copy of the package made them. */
  get [BRAND](): true {
    return true;
  }

  /**
   * Whether a value is a validated request.
   *
   * @param value Anything.
   * @returns Whether it is one.
   */
  static isInstance(value: unknown): value is ChatRequest {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}
