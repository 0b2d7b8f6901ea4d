import type { JsonValue } from "../../model_config.ts";
import type { ChatCompletionResponse, ChatMessage, ToolCall, Usage } from "../../types/mod.ts";
import type { AssessmentSource } from "../../tracking/mod.ts";
import type { EvaluationInputs, Expectations } from "../data/mod.ts";

/** What one value of a score may be. "yes" and "no" count as `true` and `false`, other texts as categories. */
export type ScoreValue = boolean | number | string;

/** What a scorer says of a row. */
export interface Score {
  /** The value; `null` where the scorer has nothing to say of this row, such as of costs without token counts. */
  readonly value: ScoreValue | null;
  /** Name of the score. Default: the scorer's. */
  readonly name?: string;
  /** Whether the row passes. Default: a boolean itself, "yes" and "no"; of other values it is not known. */
  readonly passed?: boolean;
  /** Why, for people. */
  readonly rationale?: string;
  /** Anything else that is to be kept with it. */
  readonly metadata?: { readonly [name: string]: JsonValue };
}

/** What a scorer may return: a value, one score, or several with names. `undefined` is taken as `null`. */
export type ScorerResult = Score | ScoreValue | null | undefined | readonly Score[];

/** A model's answer to one message of the user. */
export interface AnsweredTurn {
  /** What the model was asked: all messages. */
  readonly messages: readonly ChatMessage[];
  /** The answer, completed to a response; `undefined` where a function gave something else. */
  readonly response: ChatCompletionResponse | undefined;
  /** Milliseconds from the question to the end of the answer. */
  readonly latency: number;
  /** Milliseconds from the question to the first piece of the answer; only where a scorer asked for streaming. */
  readonly timeToFirstToken?: number;
}

/** A row with the model's answer, as scorers see it. */
export interface ScoredRow {
  /** Position in the data, from 0. */
  readonly index: number;
  /** Names the row. */
  readonly id: string;
  /** What was asked, as it stands in the data. */
  readonly inputs: EvaluationInputs;
  /** The conversation before the last answer; empty where a function was asked something else. */
  readonly messages: readonly ChatMessage[];
  /** What is known to be right. */
  readonly expectations: Expectations;
  /** Tags of the row. */
  readonly tags: { readonly [name: string]: string };
  /** The last answer: a response, or what the function gave. What MLflow calls `outputs`. */
  readonly output: unknown;
  /** The last answer, if it is a chat model's. */
  readonly response: ChatCompletionResponse | undefined;
  /** Text of the last answer; of what is no answer of a chat model, its JSON. */
  readonly text: string;
  /** Calls of tools in all answers, in their order. */
  readonly toolCalls: readonly ToolCall[];
  /** All answers, in their order; more than one in a conversation. */
  readonly turns: readonly AnsweredTurn[];
  /** Milliseconds that all answers took together. `undefined` where they were given. */
  readonly latency: number | undefined;
  /** Milliseconds to the first piece of the first answer; only where a scorer {@linkcode Scorer.streams}. */
  readonly timeToFirstToken: number | undefined;
  /** Tokens of all answers together; `undefined` if one of them does not tell. */
  readonly usage: Usage | undefined;
  /** Seed of the row, if the evaluation has one. */
  readonly seed: number | undefined;
  /** Fires when the evaluation is given up, or scoring takes too long. Hand it to whatever waits. */
  readonly signal: AbortSignal;
}

/** What scores rows. */
export interface Scorer {
  /** Name of its scores: letters, digits, `_`, `-`, `.` and spaces. The metrics are `<name>/mean` and so on. */
  readonly name: string;
  /**
   * Scores a row. What it throws is kept with the row, in place of a score.
   *
   * @param row The row with its answer.
   * @returns The score.
   */
  score(row: ScoredRow): ScorerResult | Promise<ScorerResult>;
  /** Whether it needs the model to answer piece by piece, so that the time of the first piece is known. @default {false} */
  readonly streams?: boolean;
  /**
   * What a row counts as that the model failed on: a value, or one with whether that passes, where the value does not
   * say so. Absent: such rows have no score, and do not count.
   */
  readonly whenFailed?: ScoreValue | { readonly value: ScoreValue; readonly passed: boolean };
  /** Whether more is better, or less: for comparisons. @default {"higher"} */
  readonly better?: "higher" | "lower";
  /** How it is set up: an evaluation that is resumed must have the same. */
  readonly config?: JsonValue;
  /** Who judges, as MLflow shows it beside the scores of a trace. @default {{ type: "CODE", id: name }} */
  readonly source?: AssessmentSource;
}

/** A scorer, or nothing but its function: its name is the scorer's. */
export type ScorerSource = Scorer | ((row: ScoredRow) => ScorerResult | Promise<ScorerResult>);
