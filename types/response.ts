import type { Logprobs } from "./logprobs.ts";
import type { FunctionCall, ToolCall } from "./tool.ts";
import type { Usage } from "./usage.ts";

/**
 * Why an answer ended: `stop` at its end or a stop text, `length` at the token limit, `tool_calls` to have tools
 * called, `content_filter` because content was withheld, `function_call` in the deprecated form of the API.
 */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";

/** The model's answer. */
export interface ResponseMessage {
  /** Always the assistant. */
  readonly role: "assistant";
  /** The text; `null` when there is none beside tool calls or a refusal. */
  readonly content: string | null;
  /** The words of a refusal, else `null`. */
  readonly refusal: string | null;
  /** Calls the model makes; absent when it makes none. */
  readonly tool_calls?: readonly ToolCall[];
  /** A call in the deprecated form of the API. */
  readonly function_call?: FunctionCall;
  /** The model's thinking. */
  readonly reasoning?: string;
  /** The same text as `reasoning`, under the name that other clients read. */
  readonly reasoning_content?: string;
  /** Sources and the like, as the model gave them. */
  readonly annotations?: readonly { readonly [key: string]: unknown }[];
  /** A spoken answer, as the model gave it. */
  readonly audio?: { readonly [key: string]: unknown };
}

/** One of the `n` answers. */
export interface ChatChoice {
  /** Position among the answers, from 0. */
  readonly index: number;
  /** The answer. */
  readonly message: ResponseMessage;
  /** Why it ended. */
  readonly finish_reason: FinishReason;
  /** Log probabilities, if asked for and known. */
  readonly logprobs: Logprobs | null;
}

/** A whole answer: OpenAI's `chat.completion` object, with MLflow's `custom_outputs`. */
export interface ChatCompletionResponse {
  /** Id of the answer. */
  readonly id: string;
  /** Kind of object. */
  readonly object: "chat.completion";
  /** When the answer was begun: seconds since 1970. */
  readonly created: number;
  /** The model that answered. */
  readonly model: string;
  /** The answers, `n` of them. */
  readonly choices: readonly ChatChoice[];
  /** Tokens taken, if the model told. */
  readonly usage?: Usage;
  /** Identifies the model's set-up. */
  readonly system_fingerprint?: string;
  /** Class of service that was used. */
  readonly service_tier?: string;
  /** Any further outputs of the model (MLflow). */
  readonly custom_outputs?: { readonly [key: string]: unknown };
}
