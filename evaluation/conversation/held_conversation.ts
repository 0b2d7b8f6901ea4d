import type { ChatMessage, ChatParams } from "../../types/mod.ts";
import type { EvaluationRow, Expectations } from "../data/mod.ts";
import type { JudgeModel } from "../judges/mod.ts";
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
