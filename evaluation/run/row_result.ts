import type { JsonValue } from "../../model_config.ts";
import { type ChatMessage, ChatModelError, type Usage } from "../../types/mod.ts";
import type { EvaluationInputs, Expectations } from "../data/mod.ts";
import type { ScoreValue } from "../scorers/scorer.ts";

/** Why a row or a score failed. */
export interface RowError {
  /** What went wrong. */
  readonly message: string;
  /** What went wrong, for programs: of `ChatModelError`. */
  readonly code: string | null;
  /** Class of the error, such as `TimeoutError`. */
  readonly name: string;
  /** HTTP status that stands for it. */
  readonly status: number;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

/** What a scorer said of a row. */
export interface RowScore {
  /** The value; `null` where there is none, or the scorer failed. */
  readonly value: ScoreValue | null;
  /** Whether the row passes, if that is known. */
  readonly passed?: boolean;
  /** Why, for people. */
  readonly rationale?: string;
  /** Anything else that the scorer kept. */
  readonly metadata?: { readonly [name: string]: JsonValue };
  /** Why the scorer failed. */
  readonly error?: RowError;
}

/** What became of a row. All of it is JSON. */
export interface RowResult {
  /** Position in the data, from 0. */
  readonly index: number;
  /** Names the row. */
  readonly id: string;
  /** SHA-256 of what was asked and expected. */
  readonly digest: string;
  /** Whether the model answered. */
  readonly state: "OK" | "ERROR";
  /** Why the model did not answer. */
  readonly error?: RowError;
  /** What was asked. */
  readonly inputs: EvaluationInputs;
  /** What is known to be right. */
  readonly expectations: Expectations;
  /** Tags of the row. */
  readonly tags: { readonly [name: string]: string };
  /** The last answer: a response, or what a function gave; `null` if the model failed. */
  readonly output: unknown;
  /** Text of the last answer; empty if the model failed. */
  readonly text: string;
  /** The whole conversation, where the model answered more than once. */
  readonly conversation?: readonly ChatMessage[];
  /** The scores by their names. */
  readonly scores: { readonly [name: string]: RowScore };
  /** When it was begun, in ms since 1970. */
  readonly startTime: number;
  /** Milliseconds that the answers took; absent where they were given or the model failed. */
  readonly latency?: number;
  /** Milliseconds to the first piece of the answer, where that was measured. */
  readonly timeToFirstToken?: number;
  /** Tokens that the answers took, if known. */
  readonly usage?: Usage;
  /** Seed that the model was given. */
  readonly seed?: number;
  /** How often the model was asked: 1, and once more for each retry. */
  readonly attempts: number;
  /** Id of the trace that the answers left, 32 hexadecimal digits, where someone traces. */
  readonly traceId?: string;
  /** Id of the request that the last answer was given to, as in traces and logs; absent for functions and given answers. */
  readonly requestId?: string;
}

/**
 * What is kept of an error.
 *
 * @param error What was thrown.
 * @returns What is kept.
 */
export function toRowError(error: unknown): RowError {
  const { message, code, name, status, retryable } = ChatModelError.from(error);
  return { message, code, name, status, retryable };
}
