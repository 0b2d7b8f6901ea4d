/** One of several servers that have the same models. */
export interface OpenAIUpstream {
  /** Where its API is; see `OpenAIClientOptions.baseUrl`. */
  readonly baseUrl: string;
  /** Sent to it as bearer token. Default: as for `OpenAIClientOptions.apiKey`, so mostly none. */
  readonly apiKey?: string;
  /** Headers sent with every call to it; they win over those that the client makes. */
  readonly headers?: HeadersInit;
  /**
   * How much it can bear, compared with the others: one with 2 has twice as many calls at a time as one with 1.
   *
   * @default {1}
   */
  readonly weight?: number;
}

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
  /**
   * Several servers that have the same models, in place of `baseUrl`, `apiKey` and `headers`. Each call goes to the one
   * with the least to do for its weight. One that cannot be reached or is busy (429, 502, 503, 504) is left out for a
   * while, and the call goes on to the next, each at most once, so that `retries` does not count; but never after the
   * first piece of an answer. Those left out are asked for their models from time to time.
   */
  readonly upstreams?: readonly OpenAIUpstream[];
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
