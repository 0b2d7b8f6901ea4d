/** An object of JSON. */
export type StoredObject = { readonly [key: string]: unknown };

/** An answer that a server keeps, with what it answered. */
export interface StoredAnswer {
  /** Id of the answer, such as `resp_…` or `chatcmpl-…`. */
  readonly id: string;
  /** What kind of answer it is, as in its body. */
  readonly object: "response" | "chat.completion";
  /** When it was made: seconds since 1970. */
  readonly created: number;
  /** Name of the model that gave it. */
  readonly model: string;
  /** The caller's own labels. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The answer as it was sent. */
  readonly body: StoredObject;
  /** What was asked: items of a response, messages of a chat completion. */
  readonly input: readonly StoredObject[];
  /** Name of the API key whose answer it is; absent where none is asked for. */
  readonly owner?: string;
}

/** Which answers to list. */
export interface StoredAnswerQuery {
  /** The kind of answers. */
  readonly object: StoredAnswer["object"];
  /** Id of the answer after which to begin. Default: from the first. */
  readonly after?: string;
  /** How many at most. */
  readonly limit: number;
  /** By the time they were made: oldest or newest first. */
  readonly order: "asc" | "desc";
  /** Only those of this model. */
  readonly model?: string;
  /** Only those with all of these labels. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Only those of this owner. Default: those of all, and of none. */
  readonly owner?: string;
}

/** A page of answers. */
export interface StoredAnswerPage {
  /** The answers. */
  readonly data: readonly StoredAnswer[];
  /** Whether there are more after these. */
  readonly hasMore: boolean;
}

/** Where a server keeps the answers that clients ask it to keep. Keeping may be bounded: what is old can be gone. */
export interface ResponseStore {
  /**
   * Gets an answer.
   *
   * @param id Its id.
   * @returns The answer; `undefined` if there is none, or none any more.
   */
  get(id: string): StoredAnswer | undefined | Promise<StoredAnswer | undefined>;
  /**
   * Keeps an answer, in the place of one of the same id.
   *
   * @param answer The answer.
   */
  set(answer: StoredAnswer): void | Promise<void>;
  /**
   * Forgets an answer.
   *
   * @param id Its id.
   * @returns Whether there was one.
   */
  delete(id: string): boolean | Promise<boolean>;
  /**
   * Lists answers.
   *
   * @param query Which ones.
   * @returns A page of them.
   */
  list(query: StoredAnswerQuery): StoredAnswerPage | Promise<StoredAnswerPage>;
}
