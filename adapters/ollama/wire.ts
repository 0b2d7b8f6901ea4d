/** A tool as Ollama's `/api/chat` takes it. */
export interface OllamaTool {
  /** Always a function. */
  readonly type: "function";
  /** The function; Ollama parses `parameters` into a struct and drops the keywords it does not know. */
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: { readonly [keyword: string]: unknown };
  };
}

/** A tool call, in the history and in answers: arguments are an object, unlike OpenAI's JSON text. */
export interface OllamaToolCall {
  /** Id of the call; absent before Ollama 0.12.10 and from some models. */
  readonly id?: string;
  /** What is called. */
  readonly function: {
    readonly name: string;
    readonly arguments: { readonly [name: string]: unknown };
    /** Position among the calls of the answer; 0 for all on old servers. */
    readonly index?: number;
  };
}

/** A message as Ollama's `/api/chat` takes it. */
export interface OllamaMessage {
  /** `system`, `user`, `assistant` or `tool`. */
  readonly role: string;
  /** The text. */
  readonly content: string;
  /** The model's thinking. */
  readonly thinking?: string;
  /** Images (or sound, where the model hears) in plain base64. */
  readonly images?: readonly string[];
  /** Calls the assistant made. */
  readonly tool_calls?: readonly OllamaToolCall[];
  /** Name of the tool whose result this is. */
  readonly tool_name?: string;
  /** Id of the call whose result this is. */
  readonly tool_call_id?: string;
}

/** Body of `POST /api/chat`. */
export interface OllamaChatRequest {
  /** Name of the model, `name[:tag]`. */
  readonly model: string;
  /** The conversation. */
  readonly messages: readonly OllamaMessage[];
  /** Whether to stream. Ollama's default is `true`. */
  readonly stream?: boolean;
  /** `"json"` or a JSON Schema. */
  readonly format?: string | { readonly [keyword: string]: unknown };
  /** Sampling and load-time options. */
  readonly options?: { readonly [name: string]: unknown };
  /** Seconds, or a Go duration such as `"5m"`. */
  readonly keep_alive?: string | number;
  /** Tools the model may call. */
  readonly tools?: readonly OllamaTool[];
  /** Whether or how much to think. */
  readonly think?: boolean | string;
  /** Whether to drop the oldest messages when the prompt is too long. Ollama's default is `true`. */
  readonly truncate?: boolean;
  /** Whether to shift the window when it fills. Ollama's default is `true`. */
  readonly shift?: boolean;
  /** Whether to return log probabilities. */
  readonly logprobs?: boolean;
  /** How many likeliest tokens to return, 0 to 20. */
  readonly top_logprobs?: number;
  /** Only render the prompt, do not generate. */
  readonly _debug_render_only?: boolean;
}

/** A token and its log probability. */
export interface OllamaTokenLogprob {
  /** The token's text. */
  readonly token: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
  /** Its UTF-8 bytes; absent for tokens without text on some versions. */
  readonly bytes?: readonly number[];
  /** The likeliest tokens. */
  readonly top_logprobs?: readonly OllamaTokenLogprob[];
}

/** One record of a streamed answer, or the whole of one that is not streamed. */
export interface OllamaChatRecord {
  /** Name of the model as it was asked for. */
  readonly model?: string;
  /** When the record was made, in RFC 3339. */
  readonly created_at?: string;
  /** The message, or the next piece of it. */
  readonly message?: {
    readonly role?: string;
    readonly content?: string;
    readonly thinking?: string;
    readonly tool_calls?: readonly OllamaToolCall[];
  };
  /** Whether this is the last record. */
  readonly done?: boolean;
  /** Why the answer ended: `stop`, `length`, `load`, `unload`. */
  readonly done_reason?: string;
  /** Log probabilities of the tokens of this record. */
  readonly logprobs?: readonly OllamaTokenLogprob[];
  /** Nanoseconds for everything. */
  readonly total_duration?: number;
  /** Nanoseconds for loading the model. */
  readonly load_duration?: number;
  /** Tokens of the prompt. */
  readonly prompt_eval_count?: number;
  /** Tokens of the prompt found in the cache (Ollama 0.34 and later). */
  readonly prompt_eval_cached_count?: number;
  /** Nanoseconds for the prompt. */
  readonly prompt_eval_duration?: number;
  /** Tokens generated. */
  readonly eval_count?: number;
  /** Nanoseconds for generating. */
  readonly eval_duration?: number;
}
