/** What a session calls: any kind of model. */
export interface StdioModel {
  /** Whether its requests are chat requests, or any values with parameters beside them. */
  readonly kind: "chat" | "custom";
  /** Whether it can answer piece by piece. */
  readonly streamable: boolean;
  /** Answers in one piece. */
  predict(input: unknown, options: StdioCallOptions): Promise<unknown>;
  /** Answers piece by piece. Leaving the loop early stops the model. */
  predictStream(input: unknown, options: StdioCallOptions): AsyncIterable<unknown>;
}

/** What goes with a request. */
export interface StdioCallOptions {
  /** Fires when the caller does not wait any more. */
  readonly signal: AbortSignal;
  /** Parameters of a custom model. */
  readonly params?: { readonly [name: string]: unknown };
}
