import type { Logprobs } from "./logprobs.ts";
import type { FinishReason } from "./response.ts";
import type { Usage } from "./usage.ts";

/**
 * A piece of a tool call. The first piece of a call has `id`, `type` and the name with empty arguments (or input);
 * later ones only a fragment.
 */
export interface ToolCallDelta {
  /** Position among the calls of the answer, from 0. */
  readonly index: number;
  /** Id of the call; first piece only. */
  readonly id?: string;
  /** Kind of call; first piece only. */
  readonly type?: "function" | "custom";
  /** Name (first piece only) and a fragment of the arguments' JSON text. */
  readonly function?: { readonly name?: string; readonly arguments?: string };
  /** Name (first piece only) and a fragment of the input. */
  readonly custom?: { readonly name?: string; readonly input?: string };
}

/** A piece of an answer. */
export interface ChatDelta {
  /** Always the assistant; first piece only. */
  readonly role?: "assistant";
  /** A piece of the text; `null` only in the first piece, of an answer without text. */
  readonly content?: string | null;
  /** A piece of the refusal. */
  readonly refusal?: string;
  /** Pieces of tool calls. */
  readonly tool_calls?: readonly ToolCallDelta[];
  /** A piece of a call in the deprecated form of the API. */
  readonly function_call?: { readonly name?: string; readonly arguments?: string };
  /** A piece of the model's thinking. */
  readonly reasoning?: string;
  /** The same text as `reasoning`, under the name that other clients read. */
  readonly reasoning_content?: string;
  /** Sources and the like, as the model gave them. */
  readonly annotations?: readonly { readonly [key: string]: unknown }[];
  /** A spoken answer, as the model gave it. */
  readonly audio?: { readonly [key: string]: unknown };
}

/** A piece of one of the `n` answers. */
export interface ChatChunkChoice {
  /** Position among the answers, from 0. */
  readonly index: number;
  /** The piece; empty in the chunk that ends the answer. */
  readonly delta: ChatDelta;
  /** Log probabilities of the piece, if asked for and known. */
  readonly logprobs: Logprobs | null;
  /** Why the answer ended, in its last chunk; else `null`. */
  readonly finish_reason: FinishReason | null;
}

/** A piece of a streamed answer: OpenAI's `chat.completion.chunk` object, with MLflow's `custom_outputs`. */
export interface ChatCompletionChunk {
  /** Id of the answer; the same in every chunk. */
  readonly id: string;
  /** Kind of object. */
  readonly object: "chat.completion.chunk";
  /** When the answer was begun: seconds since 1970; the same in every chunk. */
  readonly created: number;
  /** The model that answers; the same in every chunk. */
  readonly model: string;
  /** One choice, or none in the chunk that carries the usage. */
  readonly choices: readonly ChatChunkChoice[];
  /** Tokens taken; only in the last chunk. Over HTTP `null` before it, when the caller asked for usage. */
  readonly usage?: Usage | null;
  /** Identifies the model's set-up. */
  readonly system_fingerprint?: string;
  /** Class of service that is used. */
  readonly service_tier?: string;
  /** Any further outputs of the model (MLflow); with the chunk that ends an answer. */
  readonly custom_outputs?: { readonly [key: string]: unknown };
}
