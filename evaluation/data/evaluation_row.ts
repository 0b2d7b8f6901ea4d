import type { ChatMessage } from "../../types/mod.ts";

/**
 * What is known to be right for a row. Any names may be used by scorers of one's own; those here are MLflow's, and what
 * the scorers of this package look at.
 */
export interface Expectations {
  /** The right answer; of a list, each of them is right. */
  readonly expected_response?: string | readonly string[];
  /** What the answer must say. */
  readonly expected_facts?: readonly string[];
  /** Calls of tools that the model must make. */
  readonly expected_tool_calls?: readonly ExpectedToolCall[];
  /** Anything else. */
  readonly [name: string]: unknown;
}

/** A call of a tool that a model must make. */
export interface ExpectedToolCall {
  /** Name of the tool. */
  readonly name: string;
  /** Its arguments. Absent: any. */
  readonly arguments?: { readonly [name: string]: unknown };
}

/**
 * What a model is asked, in one of these forms:
 *
 * - `{ messages, …params }`: a chat request, such as `{ messages: [{ role: "user", content: "Hi" }], temperature: 0 }`
 * - `{ conversation, …params }`: messages of a whole conversation. Those of the user are put to the model one after the
 *   other, each after the model's own answer to the one before; those of the assistant only show where the turns are,
 *   and the last one, if nothing follows it, is the expected response.
 * - `{ question }`, or `query`, `prompt`, `input` or `text` in its place: what the user says
 * - any other object, for functions that are evaluated
 */
export type EvaluationInputs = { readonly [name: string]: unknown };

/** One row of what a model is evaluated on, as MLflow's evaluation datasets have it. */
export interface EvaluationRow {
  /** What the model is asked: an object, messages, or what the user says. */
  readonly inputs?: EvaluationInputs | readonly ChatMessage[] | string;
  /**
   * Messages, in place of `inputs`. If the last one is the assistant's, it is what the model is to answer: the expected
   * response.
   */
  readonly messages?: readonly ChatMessage[];
  /** What is known to be right. */
  readonly expectations?: Expectations;
  /** The answer, where no model is to be asked: text, a message, or a response. */
  readonly outputs?: unknown;
  /** Names the row: unique. Default: a digest of what is in it. */
  readonly id?: string;
  /** For people, and to group by. */
  readonly tags?: { readonly [name: string]: string };
}

/** A row, ready to be put to a model. */
export interface PreparedRow {
  /** Position in the data, from 0. */
  readonly index: number;
  /** Names the row: unique in the data. */
  readonly id: string;
  /** SHA-256 of what is in it. */
  readonly digest: string;
  /** What is asked, as an object. */
  readonly inputs: EvaluationInputs;
  /** What a chat model is asked first; `undefined` where `inputs` is for a function. */
  readonly messages: readonly ChatMessage[] | undefined;
  /** What the user says after each answer. */
  readonly followUps: readonly ChatMessage[];
  /** Parameters of its own. */
  readonly params: { readonly [name: string]: unknown };
  /** What is known to be right. */
  readonly expectations: Expectations;
  /** Tags. */
  readonly tags: { readonly [name: string]: string };
  /** The answer, where no model is to be asked. */
  readonly outputs?: unknown;
}
