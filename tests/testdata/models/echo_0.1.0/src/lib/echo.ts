import type { ChatMessage } from "jsr:@chatmodel/chat-model@^0.1.0";
import * as v from "npm:valibot@^1.5.0";

/** The text of the last message. */
export function echo(messages: readonly ChatMessage[]): string {
  return v.parse(v.string(), messages.at(-1)?.content);
}
