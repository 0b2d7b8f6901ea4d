/** What is sent: OpenAI's response object and what it consists of. */
import type { StoredObject } from "../response_store.ts";

/** How far an item is. */
export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** How likely a token was. */
export type TokenProbability = {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly {
    readonly token: string;
    readonly logprob: number;
    readonly bytes: readonly number[];
  }[];
};

/** Words of the model. */
export type OutputTextPart = {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly StoredObject[];
  readonly logprobs: readonly TokenProbability[];
};

/** A refusal. */
export type OutputRefusalPart = { readonly type: "refusal"; readonly refusal: string };

/** A message of the model. */
export type OutputMessage = {
  readonly id: string;
  readonly type: "message";
  readonly status: ItemStatus;
  readonly role: "assistant";
  readonly content: readonly (OutputTextPart | OutputRefusalPart)[];
};

/** The model's thinking: as it is, or, to those who asked for a summary, in the place of one. */
export type OutputReasoning = {
  readonly id: string;
  readonly type: "reasoning";
  readonly summary: readonly { readonly type: "summary_text"; readonly text: string }[];
  readonly content?: readonly { readonly type: "reasoning_text"; readonly text: string }[];
  readonly status: ItemStatus;
};

/** A call of a function. */
export type OutputFunctionCall = {
  readonly id: string;
  readonly type: "function_call";
  readonly call_id: string;
  readonly name: string;
  readonly arguments: string;
  readonly status: ItemStatus;
};

/** A call of a custom tool. */
export type OutputCustomCall = {
  readonly id: string;
  readonly type: "custom_tool_call";
  readonly call_id: string;
  readonly name: string;
  readonly input: string;
  readonly status: ItemStatus;
};

/** A thing that the model gave. */
export type OutputItem = OutputMessage | OutputReasoning | OutputFunctionCall | OutputCustomCall;

/** Tokens that a call took. */
export type ResponseUsage = {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
};

/** What went wrong with a response. */
export type ResponseFailure = { readonly code: "server_error" | "rate_limit_exceeded"; readonly message: string };

/** The response object. */
export type ResponseObject = {
  readonly id: string;
  readonly object: "response";
  readonly created_at: number;
  readonly status: "in_progress" | "completed" | "incomplete" | "failed";
  readonly completed_at: number | null;
  readonly error: ResponseFailure | null;
  readonly incomplete_details: { readonly reason: "max_output_tokens" | "content_filter" } | null;
  readonly model: string;
  readonly output: readonly OutputItem[];
  readonly usage?: ResponseUsage;
  readonly custom_outputs?: StoredObject;
  /** What was asked for, and other facts. */
  readonly [field: string]: unknown;
};

/** An event of a streamed response, not numbered yet. */
export type ResponseEvent = { readonly type: string; readonly [member: string]: unknown };
