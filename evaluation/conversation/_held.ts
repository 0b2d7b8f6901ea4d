import {
  type AssistantMessage,
  type ChatMessage,
  parseChatMessage,
  ValidationError,
  type ValidationIssue,
} from "../../types/mod.ts";
import { canonicalJson, sha256 } from "../_canonical_json.ts";
import type { EvaluationRow, PreparedRow } from "../data/mod.ts";
import { answerOf, type AskOptions } from "../run/converse.ts";
import { loadSubject, type Subject } from "../run/subject.ts";
import type { AnsweredTurn } from "../scorers/scorer.ts";
import type { ConversationSettings } from "./held_conversation.ts";

/** Loads the model; a signal is there in any case. */
export async function begin(
  { model, signal }: ConversationSettings,
): Promise<{ subject: Subject; signal: AbortSignal }> {
  signal?.throwIfAborted();
  const present = signal ?? new AbortController().signal;
  return { subject: await loadSubject(model, present), signal: present };
}

/** How the model is asked. */
export function askOptions(
  { params = {}, seed }: ConversationSettings,
  signal: AbortSignal,
): Omit<AskOptions, "user" | "maxTurns"> {
  return { params: { ...params }, seed, streams: false, signal };
}

/** What the model is asked, as a row. */
export function rowOf(
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

/** The conversation as a row to be evaluated without a model. */
export function toRow(
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

/** The last question's messages and the answer to it. */
export function wholeOf(turns: readonly AnsweredTurn[]): readonly ChatMessage[] {
  const last = turns.at(-1);
  return last === undefined ? [] : [...last.messages, ...answersOf(last)];
}

/** The answer of a turn as a message. */
export function answersOf({ response }: AnsweredTurn): readonly AssistantMessage[] {
  return response === undefined ? [] : answerOf(response);
}

/** Checks messages; all that is wrong is told at once. */
export function parseMessages(messages: unknown, path: string): readonly ChatMessage[] {
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

/** What is wrong with what a conversation was told. */
export function fault(issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError("Cannot hold conversation", issues);
}
