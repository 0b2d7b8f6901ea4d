import type { ErrorObject } from "./error_object.ts";
import { errorKind } from "./_error_table.ts";

const BRAND = Symbol.for("@chatmodel/chat-model/error");

/** Facts about a {@linkcode ChatModelError}. */
export interface ChatModelErrorOptions {
  /** HTTP status to answer with. Default: the code's, as in `docs/errors.md`; 500 for other codes. */
  readonly status?: number;
  /** What went wrong, for programs. @default {null} */
  readonly code?: string | null;
  /** OpenAI's class of error. Default: by status. */
  readonly type?: string;
  /** Dotted path of the request's field at fault. @default {null} */
  readonly param?: string | null;
  /** Whether the same call may succeed later. Default: as the code says, or `false`. */
  readonly retryable?: boolean;
  /** Milliseconds after which a new try makes sense. */
  readonly retryAfter?: number;
  /** What caused it. */
  readonly cause?: unknown;
}

/**
 * Every error that this package makes, but for aborts, which stay the platform's: `signal.reason` is rethrown as it is.
 *
 * Check with {@linkcode ChatModelError.isInstance} rather than `instanceof` where two copies of the package may meet.
 */
export class ChatModelError extends Error {
  /** Name of the class. */
  override name = "ChatModelError";
  /** HTTP status to answer with. */
  readonly status: number;
  /** What went wrong, for programs. */
  readonly code: string | null;
  /** OpenAI's class of error. */
  readonly type: string;
  /** Dotted path of the request's field at fault, such as `messages.0.content`. */
  readonly param: string | null;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Milliseconds after which a new try makes sense. */
  readonly retryAfter?: number;

  /**
   * Makes an error.
   *
   * @param message What went wrong: no prompt text, no secrets.
   * @param options Facts about it.
   */
  constructor(message: string, options: ChatModelErrorOptions = {}) {
    const { code = null, param = null } = options;
    const kind = errorKind(code);
    const { status = kind?.status ?? 500, retryable = kind?.retryable ?? false } = options;
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.status = status;
    this.code = code;
    this.type = options.type ?? typeOfStatus(status);
    this.param = param;
    this.retryable = retryable;
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /**
   * Whether a value is an error of this package, whichever copy of it.
   *
   * @param value Anything.
   * @returns Whether it is one.
   */
  static isInstance(value: unknown): value is ChatModelError {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /**
   * The error that stands for anything that was thrown: errors of this package as they are, aborts as status 499,
   * all else as a failure of the model's own code, its message kept.
   *
   * @param error What was thrown.
   * @returns The error, with what was thrown as its `cause`.
   */
  static from(error: unknown): ChatModelError {
    if (ChatModelError.isInstance(error)) return error;
    const message = error instanceof Error ? error.message : String(error);
    return error instanceof DOMException && error.name === "AbortError"
      ? new ChatModelError(`Cannot finish the answer: ${message}`, { code: "cancelled", cause: error })
      : new ChatModelError(`Cannot answer: the model failed: ${message}`, { code: "model_error", cause: error });
  }

  /**
   * The error as OpenAI clients read it.
   *
   * @returns The object to put under `error`.
   */
  toErrorObject(): ErrorObject {
    return { message: this.message, type: this.type, param: this.param, code: this.code };
  }
}

function typeOfStatus(status: number): string {
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** A class's own defaults, for codes of which nothing else is known. */
function withDefaults(
  options: ChatModelErrorOptions,
  defaults: { readonly code: string; readonly status: number; readonly retryable?: boolean },
): ChatModelErrorOptions {
  const code = options.code === undefined ? defaults.code : options.code;
  const { status, retryable = false } = errorKind(code) ?? defaults;
  return { status, retryable, ...options, code };
}

/** One thing that is wrong with a value. */
export interface ValidationIssue {
  /** Dotted path of the field, such as `messages.0.content`; empty for the value itself. */
  readonly path: string;
  /** What was found and what would be right. */
  readonly message: string;
}

/** A value has not the shape it must have. All that is wrong with it stands in {@linkcode ValidationError.issues}. */
export class ValidationError extends ChatModelError {
  /** Name of the class. */
  override name = "ValidationError";
  /** All that is wrong, in the order of the fields. */
  readonly issues: readonly ValidationIssue[];

  /**
   * Makes an error from issues. `param` is the first issue's path, `status` 400 and `code` `invalid_value` unless
   * told otherwise.
   *
   * @param message The action that failed, such as "Cannot parse chat request".
   * @param issues All that is wrong; at least one.
   * @param options Facts about it.
   */
  constructor(message: string, issues: readonly ValidationIssue[], options: ChatModelErrorOptions = {}) {
    const details = issues.map((issue) => issue.path === "" ? issue.message : `"${issue.path}": ${issue.message}`);
    super(`${message}: ${details.join("; ")}`, {
      param: issues[0]?.path || null,
      ...withDefaults(options, { code: "invalid_value", status: 400 }),
    });
    this.issues = issues;
  }
}

/** No model of the name that was asked for. */
export class ModelNotFoundError extends ChatModelError {
  /** Name of the class. */
  override name = "ModelNotFoundError";

  /**
   * Makes an error with status 404 and OpenAI's code `model_not_found`.
   *
   * @param message What was asked for and how to get it.
   * @param options Facts about it.
   */
  constructor(message: string, options: ChatModelErrorOptions = {}) {
    super(message, { param: "model", ...withDefaults(options, { code: "model_not_found", status: 404 }) });
  }
}

/** The server behind a model cannot be reached, failed, or answered what no one can read. */
export class UpstreamError extends ChatModelError {
  /** Name of the class. */
  override name = "UpstreamError";

  /**
   * Makes an error with status 502 and code `upstream_error` unless told otherwise.
   *
   * @param message What went wrong.
   * @param options Facts about it.
   */
  constructor(message: string, options: ChatModelErrorOptions = {}) {
    super(message, withDefaults(options, { code: "upstream_error", status: 502 }));
  }
}

/** A time limit passed. */
export class TimeoutError extends ChatModelError {
  /** Name of the class. */
  override name = "TimeoutError";

  /**
   * Makes an error with status 504 and code `timeout` unless told otherwise.
   *
   * @param message Which limit, in milliseconds, and how to raise it.
   * @param options Facts about it.
   */
  constructor(message: string, options: ChatModelErrorOptions = {}) {
    super(message, withDefaults(options, { code: "timeout", status: 504, retryable: true }));
  }
}

/** Too much to do at the moment. */
export class OverloadedError extends ChatModelError {
  /** Name of the class. */
  override name = "OverloadedError";

  /**
   * Makes an error with status 503 and code `overloaded` unless told otherwise.
   *
   * @param message What is overloaded.
   * @param options Facts about it.
   */
  constructor(message: string, options: ChatModelErrorOptions = {}) {
    super(message, withDefaults(options, { code: "overloaded", status: 503, retryable: true }));
  }
}
