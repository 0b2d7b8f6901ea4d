import type { ChatMessage } from "./message.ts";
import type { ChatParams } from "./params.ts";

/**
 * A chat completion request as it goes over the wire: `messages`, maybe `model`, the parameters beside them.
 *
 * Fields that this package does not know are allowed; the model finds them in {@linkcode ChatParams.extra}.
 */
export interface ChatCompletionRequest extends Omit<ChatParams, "extra"> {
  /** The conversation so far: at least one message. */
  readonly messages: readonly ChatMessage[];
  /** Which model is to answer. Absent: the server's default. */
  readonly model?: string;
  /** Anything else, handed on to the model. */
  readonly [field: string]: unknown;
}
