import {
  ChatModelError,
  type ChatModelErrorOptions,
  ModelNotFoundError,
  OverloadedError,
  TimeoutError,
  UpstreamError,
  ValidationError,
  type ValidationIssue,
} from "../../types/mod.ts";
import type { Thrown } from "./_protocol.ts";

/** How Deno says that a permission is missing, whatever it wraps it in: imports fail with a TypeError. */
const MISSING = /Requires (\w+) access(?: to (.+?))?, run again with the --allow-/s;

/** What is wrong with reaching for something that was not declared. */
export interface MissingPermission {
  /** Deno's name for the kind, such as `read`. */
  readonly kind: string;
  /** What was reached for, as Deno quotes it; absent where it was everything of the kind. */
  readonly what?: string;
}

/** Which permission a message of Deno's says is missing; `undefined` if it says something else. */
export function missingPermission(message: string): MissingPermission | undefined {
  const match = MISSING.exec(message);
  if (match === null) return undefined;
  const [, kind = "", what] = match;
  return { kind, ...(what !== undefined && { what }) };
}

/**
 * What was thrown, as it goes over the boundary: errors as such do not get through with all that they say.
 *
 * @param thrown Anything.
 * @returns What is sent.
 */
export function describeThrown(thrown: unknown): Thrown {
  const denied = permissionMessage(thrown);
  if (denied !== undefined) return { kind: "permission", message: denied };
  if (ChatModelError.isInstance(thrown)) {
    return {
      kind: "own",
      name: String(thrown.name),
      message: String(thrown.message),
      status: thrown.status,
      code: thrown.code,
      errorType: thrown.type,
      param: thrown.param,
      retryable: thrown.retryable,
      ...(thrown.retryAfter !== undefined && { retryAfter: thrown.retryAfter }),
      ...(thrown instanceof ValidationError && { issues: thrown.issues.map(plainIssue) }),
    };
  }
  if (thrown instanceof DOMException) return { kind: "dom", name: thrown.name, message: thrown.message };
  if (!(thrown instanceof Error)) return { kind: "value", message: textOf(thrown) };
  return {
    kind: "error",
    name: String(thrown.name),
    message: String(thrown.message),
    ...(typeof thrown.stack === "string" && { stack: thrown.stack }),
  };
}

/** Also of what a failed import, or a failed fetch, was caused by. */
function permissionMessage(thrown: unknown): string | undefined {
  let error = thrown;
  for (let depth = 0; depth < 5 && error instanceof Error; depth++) {
    const isOurs = ChatModelError.isInstance(error);
    if (error instanceof Deno.errors.NotCapable) return error.message;
    if (!isOurs && missingPermission(error.message) !== undefined) return error.message;
    error = error.cause;
  }
  return undefined;
}

function plainIssue({ path, message }: ValidationIssue): ValidationIssue {
  return { path, message };
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "a value that cannot be shown";
  }
}

/**
 * The error that something thrown on the other side becomes here.
 *
 * @param thrown What was sent.
 * @returns An error of the same class, as far as the class is known here.
 */
export function reviveThrown(thrown: Exclude<Thrown, { readonly kind: "permission" }>): unknown {
  switch (thrown.kind) {
    case "own":
      return reviveOwn(thrown);
    case "dom":
      return new DOMException(thrown.message, thrown.name);
    case "error":
      return reviveError(thrown);
    case "value":
      return new Error(thrown.message);
  }
}

function reviveOwn(thrown: Extract<Thrown, { readonly kind: "own" }>): ChatModelError {
  const options: ChatModelErrorOptions = {
    status: thrown.status,
    code: thrown.code,
    type: thrown.errorType,
    param: thrown.param,
    retryable: thrown.retryable,
    ...(thrown.retryAfter !== undefined && { retryAfter: thrown.retryAfter }),
  };
  if (thrown.name === "ValidationError" && thrown.issues !== undefined) {
    const error = new ValidationError("Cannot answer", thrown.issues, options);
    error.message = thrown.message;
    return error;
  }
  switch (thrown.name) {
    case "ModelNotFoundError":
      return new ModelNotFoundError(thrown.message, options);
    case "UpstreamError":
      return new UpstreamError(thrown.message, options);
    case "TimeoutError":
      return new TimeoutError(thrown.message, options);
    case "OverloadedError":
      return new OverloadedError(thrown.message, options);
    default:
      return new ChatModelError(thrown.message, options);
  }
}

const BUILT_IN: ReadonlyMap<string, ErrorConstructor> = new Map<string, ErrorConstructor>([
  ["TypeError", TypeError],
  ["RangeError", RangeError],
  ["SyntaxError", SyntaxError],
  ["ReferenceError", ReferenceError],
]);

function reviveError({ name, message, stack }: Extract<Thrown, { readonly kind: "error" }>): Error {
  const error = new (BUILT_IN.get(name) ?? Error)(message);
  if (error.name !== name) error.name = name;
  // The author's own lines are of interest, not those that brought the error here.
  if (stack !== undefined) error.stack = stack;
  return error;
}
