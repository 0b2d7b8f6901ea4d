/** What a request has cost in tokens. */
export interface TokenCounts {
  /** Tokens of what was asked. */
  readonly promptTokens: number;
  /** Tokens of what was answered. */
  readonly completionTokens: number;
  /** Whether they are an estimate, as the model did not count them or could not finish. */
  readonly estimated: boolean;
}

/** What there is to say of a request when it is over: never its content, nor any secret. */
export interface RequestRecord {
  /** Its id, as in `x-request-id`. */
  readonly requestId: string;
  /** Its HTTP method. */
  readonly method: string;
  /** The route, without `/v1` and with `:id` in the place of an id; absent if there is none. */
  readonly route?: string;
  /** HTTP status of the answer: of a stream, the one it began with. */
  readonly status: number;
  /**
   * How it ended: `completed` also where the answer is a refusal; `failed` where the server's side could not finish it;
   * `cancelled` where the client left.
   */
  readonly outcome: "completed" | "failed" | "cancelled";
  /** Code of the error it was answered with, or its stream ended in. */
  readonly errorCode?: string;
  /** HTTP status that goes with that code. A stream that fails late began with another. */
  readonly errorStatus?: number;
  /** Name of the model that the request is for; absent if it did not come so far as to have one. */
  readonly model?: string;
  /** Whether the model was asked: not if the request was refused before, as by a limit. */
  readonly asked: boolean;
  /** Name of the API key. */
  readonly keyName?: string;
  /** Whether the answer was a stream. */
  readonly stream: boolean;
  /** Milliseconds until the model gave something; for streams. */
  readonly timeToFirstToken?: number;
  /** Milliseconds from its arrival until all was handed over. */
  readonly duration: number;
  /** Tokens; absent where no model has answered. */
  readonly tokens?: TokenCounts;
}
