import {
  type AssistantMessage,
  type ChatMessage,
  type ChatParams,
  parseChatMessage,
  ValidationError,
  type ValidationIssue,
} from "../../types/mod.ts";
import { canonicalJson, sha256 } from "../_canonical_json.ts";
import type { EvaluationRow, Expectations, PreparedRow } from "../data/mod.ts";
import type { JudgeModel } from "../judges/mod.ts";
import { answerOf, type ConversationSoFar, converse, type SimulatedUser } from "../run/converse.ts";
import { loadSubject, type Subject } from "../run/subject.ts";
import type { AnsweredTurn } from "../scorers/scorer.ts";

/** Why a conversation ended: the user had nothing more to say, it was stopped, or it was long enough. */
export type ConversationEnd = "user" | "stop" | "max_turns";

/** What both kinds of conversation are told. */
export interface ConversationSettings {
  /** The model that answers: URI, loaded model, ChatModel or class. */
  readonly model: JudgeModel;
  /** Parameters of all its answers. */
  readonly params?: ChatParams;
  /** Seed of all its answers, and of a model that plays the user. */
  readonly seed?: number;
  /** Names the row. Default: a digest of what is in it. */
  readonly id?: string;
  /** What is known to be right: kept with the row. */
  readonly expectations?: Expectations;
  /** Tags: kept with the row. */
  readonly tags?: { readonly [name: string]: string };
  /** Gives up. */
  readonly signal?: AbortSignal;
}

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

/** A conversation that was held. */
export interface HeldConversation {
  /** The row: it can be evaluated as it stands, without a model. Its `outputs` are `{ messages }`, the whole conversation. */
  readonly row: EvaluationRow;
  /** The whole conversation; the last message is the model's. */
  readonly messages: readonly ChatMessage[];
  /** The model's answers, each with what it was asked. */
  readonly turns: readonly AnsweredTurn[];
  /** Why it ended. */
  readonly endedBy: ConversationEnd;
}

const MOST_TURNS = 1000;

/**
 * Has a model talk with a user that is played by a script, a function or another model.
 *
 * @example Usage
 * ```ts ignore
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

async function begin({ model, signal }: ConversationSettings): Promise<{ subject: Subject; signal: AbortSignal }> {
  signal?.throwIfAborted();
  const present = signal ?? new AbortController().signal;
  return { subject: await loadSubject(model, present), signal: present };
}

function askOptions({ params = {}, seed }: ConversationSettings, signal: AbortSignal) {
  return { params: { ...params }, seed, streams: false, signal };
}

function rowOf(
  messages: readonly ChatMessage[],
  { id, expectations = {}, tags = {} }: ConversationSettings,
): PreparedRow {
  const digest = sha256(canonicalJson(messages));
  return {
    index: 0,
    id: id ?? digest.slice(0, 16),
    digest,
    inputs: { messages },
    messages,
    followUps: [],
    params: {},
    expectations,
    tags,
  };
}

function toRow(
  opening: readonly ChatMessage[],
  messages: readonly ChatMessage[],
  { id, expectations, tags }: ConversationSettings,
): EvaluationRow {
  return {
    inputs: { messages: opening },
    outputs: { messages },
    ...(id !== undefined && { id }),
    ...(expectations !== undefined && { expectations }),
    ...(tags !== undefined && { tags }),
  };
}

function wholeOf(turns: readonly AnsweredTurn[]): readonly ChatMessage[] {
  const last = turns.at(-1);
  return last === undefined ? [] : [...last.messages, ...answersOf(last)];
}

function answersOf({ response }: AnsweredTurn): readonly AssistantMessage[] {
  return response === undefined ? [] : answerOf(response);
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

function parseMessages(messages: unknown, path: string): readonly ChatMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw fault([{ path, message: "must be a list of messages that is not empty" }]);
  }
  const issues: ValidationIssue[] = [];
  const parsed: ChatMessage[] = [];
  messages.forEach((message: unknown, index) => {
    try {
      parsed.push(parseChatMessage(message));
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      const place = `${path}.${index}`;
      issues.push(
        ...error.issues.map((issue) => ({ ...issue, path: issue.path === "" ? place : `${place}.${issue.path}` })),
      );
    }
  });
  if (issues.length > 0) throw fault(issues);
  return parsed;
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

function fault(issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError("Cannot hold conversation", issues);
}
