import type { ChatMessage } from "../../types/mod.ts";
import { canonicalJson, sha256 } from "../_canonical_json.ts";
import type { EvaluationRow } from "../data/mod.ts";
import { converse } from "../run/converse.ts";
import type { AnsweredTurn } from "../scorers/scorer.ts";
import { answersOf, askOptions, begin, fault, parseMessages, rowOf, toRow } from "./_held.ts";
import type { ConversationSettings, HeldConversation } from "./held_conversation.ts";

/** Options for {@linkcode replayConversation}. */
export interface ReplayOptions extends ConversationSettings {
  /** The recorded conversation: messages of the user and of the assistant, perhaps after those of the system. */
  readonly conversation: readonly ChatMessage[];
  /**
   * What the model takes for its own earlier answers: those it gives now (`own`), as in a real conversation, or the
   * recorded ones (`recorded`), so that each turn is judged by itself.
   * @default {"own"}
   */
  readonly history?: "own" | "recorded";
}

/**
 * Has a model answer every message of the user of a recorded conversation.
 *
 * With recorded answers as history, what was recorded may hold calls of tools and their results; with its own the model
 * would have to make the same calls, so that is refused. What follows the last message of the user is not replayed.
 *
 * @param options The model, the conversation and whose answers are its history.
 * @returns The conversation with the model's answers in place of the recorded ones. For `recorded`, each turn has the
 * messages that the model was really asked with.
 * @throws {ValidationError} If it is no conversation that can be replayed. What the model throws is handed on; so is the
 * signal's reason.
 */
export async function replayConversation(options: ReplayOptions): Promise<HeldConversation> {
  const { history = "own" } = options;
  if (history !== "own" && history !== "recorded") {
    throw fault([{ path: "history", message: 'must be "own" or "recorded"' }]);
  }
  const recorded = parseMessages(options.conversation, "conversation");
  const places = userPlaces(recorded);
  if (history === "own") refuseTools(recorded);
  const { subject, signal } = await begin(options);
  const turns: AnsweredTurn[] = [];
  const own: ChatMessage[] = [];
  let after = 0;
  for (const place of places) {
    const questions = recorded.slice(after, place + 1).filter(({ role }) =>
      history === "recorded" || role !== "assistant"
    );
    own.push(...questions);
    after = place + 1;
    const asked = history === "own" ? [...own] : recorded.slice(0, place + 1);
    const { turns: [turn] } = await converse(subject, rowOf(asked, options), {
      ...askOptions(options, signal),
      user: undefined,
      maxTurns: 1,
    });
    if (turn === undefined) continue;
    turns.push(turn);
    own.push(...answersOf(turn));
  }
  const messages = history === "own" ? own : replaced(recorded, { places, turns });
  const [first = 0] = places;
  return { row: toRow(recorded.slice(0, first + 1), messages, options), messages, turns, endedBy: "user" };
}

/**
 * Makes a row of each turn of a recorded conversation, for `evaluate`: the model is asked with the recorded
 * conversation up to the user's message, and the recorded answer is the expected response.
 *
 * @param conversation The recorded conversation.
 * @param options Id that the rows' ids begin with, and tags for all of them.
 * @returns A row for each message of the user that is answered.
 * @throws {ValidationError} If it is no conversation.
 */
export function splitConversation(
  conversation: readonly ChatMessage[],
  options: { readonly id?: string; readonly tags?: { readonly [name: string]: string } } = {},
): EvaluationRow[] {
  const { id = sha256(canonicalJson(conversation)).slice(0, 16), tags } = options;
  const recorded = parseMessages(conversation, "conversation");
  return userPlaces(recorded).flatMap((place, index) => {
    const answer = recorded[place + 1];
    if (answer?.role !== "assistant") return [];
    return [{
      id: `${id}-${index + 1}`,
      // The answer at the end is what the model is to say: data has it so.
      messages: recorded.slice(0, place + 2),
      ...(tags !== undefined && { tags }),
    }];
  });
}

/** The recorded conversation with the answers that were given now in place of what came after each question. */
function replaced(
  recorded: readonly ChatMessage[],
  { places, turns }: { readonly places: readonly number[]; readonly turns: readonly AnsweredTurn[] },
): readonly ChatMessage[] {
  return places.flatMap((place, index) => {
    const turn = turns[index];
    const from = index === 0 ? 0 : place;
    return [...recorded.slice(from, place + 1), ...(turn === undefined ? [] : answersOf(turn))];
  });
}

/** Where the user's turns end: of messages of the user that follow one another, the last. */
function userPlaces(messages: readonly ChatMessage[]): readonly number[] {
  const places = messages.flatMap(({ role }, place) =>
    role === "user" && messages[place + 1]?.role !== "user" ? [place] : []
  );
  if (places.length === 0) throw fault([{ path: "conversation", message: "must have a message of the user" }]);
  return places;
}

function refuseTools(messages: readonly ChatMessage[]): void {
  const place = messages.findIndex(({ role }) => role === "tool" || role === "function");
  if (place < 0) return;
  throw fault([{
    path: `conversation.${place}.role`,
    message: 'cannot be a tool\'s where the model gives answers of its own. Set "history" to "recorded"',
  }]);
}
