/** What went wrong, as OpenAI clients read it. */
export interface ErrorObject {
  /** What went wrong, for people. */
  readonly message: string;
  /** Class of error, such as `invalid_request_error` or `server_error`. */
  readonly type: string;
  /** Dotted path of the field at fault, such as `messages.0.content`; else `null`. */
  readonly param: string | null;
  /** What went wrong, for programs, such as `model_not_found`; else `null`. */
  readonly code: string | null;
}

/** Body of an error answer, and of the frame that ends a failed stream. */
export interface ErrorResponse {
  /** What went wrong. */
  readonly error: ErrorObject;
}
