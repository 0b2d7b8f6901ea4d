/** Options for `OllamaClient`. */
export interface OllamaClientOptions {
  /**
   * Where Ollama is, written as in `OLLAMA_HOST`. Default: that variable if it may be read (no permission is asked
   * for), else `127.0.0.1:11434`.
   */
  readonly host?: string;
  /** Headers sent with every call; they win over those that the client makes. */
  readonly headers?: HeadersInit;
  /**
   * Sent as bearer token, to any host. Default: the variable `OLLAMA_API_KEY` if it may be read, and then to
   * `https://ollama.com` only.
   */
  readonly apiKey?: string;
  /** Function to call instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Deno's HTTP client to call with, for proxies and own certificates. */
  readonly client?: Deno.HttpClient;
  /**
   * Milliseconds that `version`, `list`, `show` and `ps` may take.
   *
   * @default {10_000}
   */
  readonly timeout?: number;
  /**
   * How often a call is tried again when Ollama is busy (503) or the connection broke before any answer.
   *
   * @default {2}
   */
  readonly retries?: number;
}

/** Options for a call of `OllamaClient`. */
export interface OllamaCallOptions {
  /** Ends the call and closes its connection at once, before and after the answer began. */
  readonly signal?: AbortSignal;
  /** Milliseconds that the call may take. Default: the client's for small calls, none for `embed`. */
  readonly timeout?: number;
}

/** Options for `OllamaClient.chat` and `OllamaClient.chatStream`. */
export interface OllamaChatOptions {
  /** Ends the call and closes its connection at once, before and after the answer began. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the first record must be there (all of the answer if not streamed). Default: none. */
  readonly firstRecordTimeout?: number;
}

/** Options for `OllamaClient.pull`. */
export interface OllamaPullOptions {
  /** Ends the download; what is there stays, and the next pull goes on from it. */
  readonly signal?: AbortSignal;
  /** Whether the registry may be one without TLS. @default {false} */
  readonly insecure?: boolean;
}
