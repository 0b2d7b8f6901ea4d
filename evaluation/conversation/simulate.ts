import type { ChatMessage } from "../../types/mod.ts";
import { type ConversationSoFar, converse, type SimulatedUser } from "../run/converse.ts";
import { askOptions, begin, fault, parseMessages, rowOf, toRow, wholeOf } from "./_held.ts";
import type { ConversationEnd, ConversationSettings, HeldConversation } from "./held_conversation.ts";

/** Options for {@linkcode simulateConversation}. */
export interface SimulateOptions extends ConversationSettings {
  /** Who talks to the model: `scriptedUser`, `modelUser`, or a function. */
  readonly user: SimulatedUser;
  /** What the conversation begins with: what the user says first, or messages that end with the user's. */
  readonly opening: string | readonly ChatMessage[];
  /** Most answers of the model, 1 to 1000. @default {10} */
  readonly maxTurns?: number;
  /** Whether the conversation is over; asked after each answer. */
  readonly stop?: (conversation: ConversationSoFar) => boolean | Promise<boolean>;
}

const MOST_TURNS = 1000;

/**
 * Has a model talk with a user that is played by a script, a function or another model.
 *
 * @example Usage
 * ```ts
 * import { scriptedUser, simulateConversation } from "@chatmodel/chat-model/evaluation";
 * import { DemoChatModel } from "@chatmodel/chat-model/demo";
 * import { assertEquals } from "@std/assert";
 *
 * const { messages, endedBy } = await simulateConversation({
 *   model: DemoChatModel,
 *   opening: "Good morning to you all",
 *   user: scriptedUser(["How are you this morning?"]),
 * });
 * assertEquals(messages.map(({ role }) => role), ["user", "assistant", "user", "assistant"]);
 * assertEquals(endedBy, "user");
 * ```
 *
 * @param options The model, the user and how long they may talk.
 * @returns The conversation, and as a row to be evaluated.
 * @throws {ValidationError} If an option is not valid, or the user says what is no message. What the model or the user
 * throws is handed on; so is the signal's reason.
 */
export async function simulateConversation(options: SimulateOptions): Promise<HeldConversation> {
  const { user, opening, maxTurns = 10, stop } = options;
  if (!Number.isInteger(maxTurns) || maxTurns < 1 || maxTurns > MOST_TURNS) {
    throw fault([{ path: "maxTurns", message: `must be a whole number from 1 to ${MOST_TURNS}` }]);
  }
  const messages = openingOf(opening);
  const { subject, signal } = await begin(options);
  let endedBy: ConversationEnd = "max_turns";
  const asksUser: SimulatedUser = async (conversation) => {
    if (await stop?.(conversation) === true) {
      endedBy = "stop";
      return undefined;
    }
    const said = await user(conversation);
    if (said === undefined) endedBy = "user";
    return said;
  };
  const row = rowOf(messages, options);
  const { turns } = await converse(subject, row, { ...askOptions(options, signal), user: asksUser, maxTurns });
  const whole = wholeOf(turns);
  // The last answer may be the one that the conversation was to go on for.
  if (endedBy === "max_turns" && stop !== undefined) {
    const so = { messages: whole, turn: turns.length, row, seed: options.seed, signal };
    if (await stop(so)) endedBy = "stop";
  }
  return { row: toRow(messages, whole, options), messages: whole, turns, endedBy };
}

function openingOf(opening: string | readonly ChatMessage[]): readonly ChatMessage[] {
  const messages = parseMessages(
    typeof opening === "string" ? [{ role: "user", content: opening }] : opening,
    "opening",
  );
  if (messages.at(-1)?.role === "assistant") {
    throw fault([{ path: "opening", message: "must not end with the assistant: the model answers it" }]);
  }
  return messages;
}
