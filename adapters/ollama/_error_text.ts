import { isObject, parseJson } from "./_json_value.ts";

/** What a server says went wrong. */
export interface ErrorText {
  /** The text in full; may hold paths of the server. */
  readonly full: string;
  /** Class of error that llama-server gives, such as `exceed_context_size_error`. */
  readonly type?: string;
  /** Whether it is one of Ollama's own JSON errors; else a page of something in between, or of something else. */
  readonly isOwn: boolean;
}

/**
 * Finds the text of an error: the member `error`, in which the errors of llama-server stand as JSON text once more.
 *
 * @param body Body of an answer, or a line.
 * @returns The text.
 */
export function readErrorText(body: string): ErrorText {
  const value = parseJson(body);
  if (!isObject(value) || value["error"] === undefined || value["error"] === null) {
    return { full: body.trim(), isOwn: false };
  }
  return { ...unwrap(value["error"]), isOwn: true };
}

function unwrap(error: unknown): { full: string; type?: string } {
  if (typeof error === "string") {
    const inner = parseJson(error);
    return isObject(inner) ? unwrap(inner["error"] ?? inner) : { full: error.trim() };
  }
  if (!isObject(error)) return { full: JSON.stringify(error) };
  const { message, type } = error;
  return {
    full: typeof message === "string" ? message.trim() : JSON.stringify(error),
    ...(typeof type === "string" && { type }),
  };
}
