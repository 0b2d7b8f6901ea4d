/** Options for `OpenAIClient`. */
export interface OpenAIClientOptions {
  /**
   * Where the API is, up to what stands before `/chat/completions`: with most servers it ends in `/v1`. A query, as
   * Azure wants one, is kept. Default: the variable `OPENAI_BASE_URL` if it may be read (no permission is asked for),
   * else `https://api.openai.com/v1`.
   */
  readonly baseUrl?: string;
  /**
   * Sent as bearer token, to any host. Default: the variable `OPENAI_API_KEY` if it may be read, and then only to where
   * it belongs: the host of `OPENAI_BASE_URL`, or `https://api.openai.com` if that is not set.
   */
  readonly apiKey?: string;
  /** Headers sent with every call; they win over those that the client makes. */
  readonly headers?: HeadersInit;
  /** Function to call instead of the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Deno's HTTP client to call with, for proxies and own certificates. */
  readonly client?: Deno.HttpClient;
  /**
   * Milliseconds that `list` may take.
   *
   * @default {10_000}
   */
  readonly timeout?: number;
  /**
   * How often a call is tried again when the server is busy (503), asks to come back a little later (429 with
   * `retry-after`), or the connection broke before any answer.
   *
   * @default {2}
   */
  readonly retries?: number;
}

/** Options for a call of `OpenAIClient`. */
export interface OpenAICallOptions {
  /** Ends the call and closes its connection at once, before and after the answer began. */
  readonly signal?: AbortSignal;
  /** Milliseconds that the call may take. Default: the client's for `list`, none for `embed`. */
  readonly timeout?: number;
}

/** Options for `OpenAIClient.chat` and `OpenAIClient.chatStream`. */
export interface OpenAIChatOptions {
  /** Ends the call and closes its connection at once, before and after the answer began. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the first chunk must be there (all of the answer if not streamed). Default: none. */
  readonly firstChunkTimeout?: number;
}
