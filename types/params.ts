import type { FunctionDefinition, ToolChoice, ToolDefinition } from "./tool.ts";
import type { ResponseFormat } from "./response_format.ts";

/** What to send along with a stream. */
export interface StreamOptions {
  /** Send a last chunk with the usage. Default: `false`. */
  readonly include_usage?: boolean;
  /** Pad the chunks against traffic analysis. Accepted; this package never pads. */
  readonly include_obfuscation?: boolean;
}

/**
 * How the model is to answer: every field of OpenAI's request but `model` and `messages`, MLflow's `top_k` and
 * `custom_inputs`, and what other servers made common.
 *
 * A field that the caller did not set (or set to `null`) is absent: no default is ever filled in.
 * Ranges are OpenAI's; see `POST /v1/chat/completions` in its API reference.
 */
export interface ChatParams {
  /** Sampling temperature, 0 to 2. */
  readonly temperature?: number;
  /** Nucleus sampling: share of probability to sample from, 0 to 1. */
  readonly top_p?: number;
  /** Sample from this many likeliest tokens only (MLflow, Ollama). */
  readonly top_k?: number;
  /** Leave out tokens less likely than this share of the likeliest, 0 to 1 (Ollama, vLLM). */
  readonly min_p?: number;
  /** How many answers to give, 1 to 128. */
  readonly n?: number;
  /** Most tokens to answer with. Deprecated by OpenAI, still what most clients send. */
  readonly max_tokens?: number;
  /** Most tokens to answer with, thinking included. Wins over `max_tokens`. */
  readonly max_completion_tokens?: number;
  /** Texts that end the answer; the answer does not contain them. */
  readonly stop?: string | readonly string[];
  /** Seed for sampling; the same seed should give the same answer. A safe integer. */
  readonly seed?: number;
  /** Push against frequent tokens, −2 to 2. */
  readonly frequency_penalty?: number;
  /** Push against tokens that occurred at all, −2 to 2. */
  readonly presence_penalty?: number;
  /** Token id → bias, −100 to 100. */
  readonly logit_bias?: { readonly [tokenId: string]: number };
  /** Whether to return log probabilities of the answer's tokens. */
  readonly logprobs?: boolean;
  /** How many likeliest tokens to return at each position, 0 to 20. */
  readonly top_logprobs?: number;
  /** Shape the answer must have. */
  readonly response_format?: ResponseFormat;
  /** Tools the model may call. */
  readonly tools?: readonly ToolDefinition[];
  /** Whether and what it must call. */
  readonly tool_choice?: ToolChoice;
  /** Whether several calls may be made at once. */
  readonly parallel_tool_calls?: boolean;
  /** Tools in the deprecated form of the API. */
  readonly functions?: readonly FunctionDefinition[];
  /** Tool choice in the deprecated form of the API. */
  readonly function_call?: "none" | "auto" | { readonly name: string };
  /** Whether to stream the answer. */
  readonly stream?: boolean;
  /** What to send along with the stream. */
  readonly stream_options?: StreamOptions;
  /** How much to think. OpenAI knows none, minimal, low, medium, high, xhigh, max. */
  readonly reasoning_effort?: string;
  /** How much to think, in the form of OpenAI's Responses API (Open WebUI, OpenRouter, Ollama). */
  readonly reasoning?: { readonly [key: string]: unknown };
  /** How long an answer to give: low, medium, high. */
  readonly verbosity?: string;
  /** Kinds of output wanted, `text` and `audio`. */
  readonly modalities?: readonly string[];
  /** Voice and format of spoken answers. */
  readonly audio?: { readonly [key: string]: unknown };
  /** Text that the answer likely repeats, to speed it up. */
  readonly prediction?: { readonly [key: string]: unknown };
  /** Options for a search of the web. */
  readonly web_search_options?: { readonly [key: string]: unknown };
  /** Options for moderation of input and output. */
  readonly moderation?: { readonly [key: string]: unknown };
  /** Class of service: auto, default, flex, scale, priority, fast. */
  readonly service_tier?: string;
  /** Whether the server is to keep the answer for later retrieval. */
  readonly store?: boolean;
  /** Up to 16 pairs that are kept with a stored answer. */
  readonly metadata?: { readonly [key: string]: unknown };
  /** Id of the end user (deprecated by OpenAI). */
  readonly user?: string;
  /** Stable id of the end user, for detecting abuse. */
  readonly safety_identifier?: string;
  /** Key that helps to find the prompt in the server's cache. */
  readonly prompt_cache_key?: string;
  /** How long to keep the prompt in the server's cache. */
  readonly prompt_cache_retention?: string;
  /** Options for the server's prompt cache. */
  readonly prompt_cache_options?: { readonly [key: string]: unknown };
  /** Any further inputs, for the model's own use (MLflow). */
  readonly custom_inputs?: { readonly [key: string]: unknown };
  /** Fields of the request that this package does not know, in their order, untouched. */
  readonly extra?: { readonly [field: string]: unknown };
}
