/** Characters of a foreign text that are shown at most. */
const MAX_TEXT = 500;
const MAX_PAGE = 200;

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
