const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Whether JSON has more arrays and objects in each other than a limit. `JSON.parse` takes a million, but what makes JSON
 * of them again, or walks through them by calls, then fails where nobody expects it to.
 *
 * Most texts have fewer brackets than the limit, which the engine counts fast. Where a text is no JSON, what is told of
 * it makes no difference.
 *
 * @param text The JSON.
 * @param limit Most levels.
 * @returns Whether there are more.
 */
export function isTooDeep(text: string, limit: number): boolean {
  return hasMore(text, limit) && depthOf(text, limit) > limit;
}

/** Whether there are so many brackets at all, in strings or not. */
function hasMore(text: string, limit: number): boolean {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (++count > limit) return true;
  }
  return false;
}

/** How deep it goes; not further than one beyond the limit. */
function depthOf(text: string, limit: number): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length && deepest <= limit; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    // "[" and "{", and those that close them, differ in one bit.
    else if ((code | 0x20) === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((code | 0x20) === 0x7d) depth--;
  }
  return deepest;
}

/** Where the quote is that ends a string; the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
