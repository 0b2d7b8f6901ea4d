import type { FinishReason, TokenLogprob, Usage } from "../types/mod.ts";

/** A tool call, or a piece of one, as authors and upstreams write it. What is missing is filled in. */
export interface ToolCallPart {
  /** Position among the calls of the answer. Default: a new call if there is a name, else the last one. */
  readonly index?: number | null;
  /** Id of the call. Default: a new one. */
  readonly id?: string | null;
  /** Kind of call. Default: by which of the two members below is there. */
  readonly type?: string | null;
  /** Name and arguments: JSON text or a fragment of it, or a value to be written as JSON. */
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown } | null;
  /** Name and input of a custom tool's call. */
  readonly custom?: { readonly name?: string | null; readonly input?: string | null } | null;
}

/** Usage as authors write it. */
export interface PartialUsage extends Omit<Usage, "total_tokens"> {
  /** Default: the sum. */
  readonly total_tokens?: number;
}

/** Log probabilities as authors write them. */
export interface PartialLogprobs {
  /** Those of the content. */
  readonly content?: readonly TokenLogprob[] | null;
  /** Those of the refusal. */
  readonly refusal?: readonly TokenLogprob[] | null;
}

/**
 * An answer, or a piece of one, in its flat form: the members of OpenAI's message or delta, and beside them what
 * stands around these on the wire. Everything may be left out.
 *
 * In `predict` it is the whole answer, in `predictStream` the next piece of it.
 */
export interface AnswerPart {
  /** Always the assistant. */
  readonly role?: "assistant" | null;
  /** Text. */
  readonly content?: string | null;
  /** Words of a refusal. */
  readonly refusal?: string | null;
  /** The model's thinking; `reasoning_content` is the same under another name. */
  readonly reasoning?: string | null;
  /** The model's thinking; `reasoning` is the same under another name. */
  readonly reasoning_content?: string | null;
  /** Calls that the model makes. */
  readonly tool_calls?: readonly ToolCallPart[] | null;
  /** A call in the deprecated form of the API. */
  readonly function_call?: { readonly name?: string; readonly arguments?: string } | null;
  /** Sources and the like. */
  readonly annotations?: readonly { readonly [key: string]: unknown }[] | null;
  /** A spoken answer. */
  readonly audio?: { readonly [key: string]: unknown } | null;
  /** Which of the `n` answers this belongs to. @default {0} */
  readonly index?: number;
  /** Why the answer ended. Default: `tool_calls` if there were any, else `stop`. */
  readonly finish_reason?: FinishReason | null;
  /** Log probabilities of the text. */
  readonly logprobs?: PartialLogprobs | null;
  /** Tokens taken; of several, the last counts. */
  readonly usage?: PartialUsage | null;
  /** Any further outputs. */
  readonly custom_outputs?: { readonly [key: string]: unknown } | null;
}

/** A response as authors write it: OpenAI's object, of which everything but the choices may be left out. */
export interface PartialResponse {
  /** Default: a new id. */
  readonly id?: string;
  /** Default: `chat.completion`. */
  readonly object?: "chat.completion";
  /** Default: now, in seconds since 1970. */
  readonly created?: number;
  /** Default: the model that was asked for. */
  readonly model?: string;
  /** The answers. */
  readonly choices: readonly PartialChoice[];
  /** Tokens taken. */
  readonly usage?: PartialUsage | null;
  /** Identifies the model's set-up. */
  readonly system_fingerprint?: string | null;
  /** Class of service that was used. */
  readonly service_tier?: string | null;
  /** Any further outputs. */
  readonly custom_outputs?: { readonly [key: string]: unknown } | null;
}

/** One answer of a {@linkcode PartialResponse}. */
export interface PartialChoice {
  /** Default: its position. */
  readonly index?: number;
  /** The answer. */
  readonly message: Omit<AnswerPart, "index" | "finish_reason" | "logprobs" | "usage" | "custom_outputs">;
  /** Default: `tool_calls` if there are any, else `stop`. */
  readonly finish_reason?: FinishReason | null;
  /** Log probabilities of the text. */
  readonly logprobs?: PartialLogprobs | null;
}

/** A chunk as authors and upstreams write it: OpenAI's object, of which everything but the choices may be left out. */
export interface PartialChunk {
  /** Default: a new id, the same in every chunk. */
  readonly id?: string;
  /** Default: `chat.completion.chunk`. */
  readonly object?: "chat.completion.chunk";
  /** Default: now, in seconds since 1970, the same in every chunk. */
  readonly created?: number;
  /** Default: the model that was asked for. */
  readonly model?: string;
  /** The pieces. */
  readonly choices: readonly PartialChunkChoice[];
  /** Tokens taken. */
  readonly usage?: PartialUsage | null;
  /** Identifies the model's set-up. */
  readonly system_fingerprint?: string | null;
  /** Class of service that is used. */
  readonly service_tier?: string | null;
  /** Any further outputs. */
  readonly custom_outputs?: { readonly [key: string]: unknown } | null;
}

/** One piece of a {@linkcode PartialChunk}. */
export interface PartialChunkChoice {
  /** Default: its position. */
  readonly index?: number;
  /** The piece. */
  readonly delta?: Omit<AnswerPart, "index" | "finish_reason" | "logprobs" | "usage" | "custom_outputs"> | null;
  /** Why the answer ended. */
  readonly finish_reason?: FinishReason | null;
  /** Log probabilities of the piece. */
  readonly logprobs?: PartialLogprobs | null;
}

/** What `predict` may return: text, a message, or a response. What is missing in it is filled in. */
export type PredictResult = string | AnswerPart | PartialResponse;

/** What `predictStream` may yield: text, a piece of a message, or a chunk. What is missing in it is filled in. */
export type PredictPart = string | AnswerPart | PartialChunk;
