import { isObject, parseJson } from "./_json_value.ts";

/** Characters of a foreign text that are shown at most. */
const MAX_TEXT = 500;
const MAX_PAGE = 200;

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

/**
 * Makes a foreign text fit to be shown to strangers: on one line, of bounded length, without paths of the server.
 *
 * @param text The text.
 * @returns What may be shown of it.
 */
export function publicText(text: string): string {
  return shorten(text.slice(0, 4 * MAX_TEXT).replace(PATH_REGEXP, "<path>").replace(/\s+/g, " ").trim(), MAX_TEXT);
}

/**
 * Makes a page of text fit to be shown: without its tags, and only its beginning.
 *
 * @param page HTML or plain text.
 * @returns What may be shown of it.
 */
export function pageText(page: string): string {
  const text = page.slice(0, 20_000).replace(/<(script|style)\b[^]*?<\/\1>/gi, " ").replace(/<[^<>]*>/g, " ");
  return shorten(publicText(text), MAX_PAGE);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

// An absolute path of two parts or more, Unix or Windows, with spaces inside; not what stands in a URL or a model name.
const PATH_REGEXP = new RegExp(
  String.raw`(?<![\w:/>.\\])(?:[A-Za-z]:)?[\\/]PART(?:(?: PART){0,4}[\\/]PART)+`.replaceAll(
    "PART",
    String.raw`[^\s\\/"':,;()]+`,
  ),
  "g",
);
