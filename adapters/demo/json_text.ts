/**
 * Writes JSON in one line with a space behind every colon and comma, so that it has words to be streamed by.
 *
 * @param value A JSON value.
 * @returns Its text.
 */
export function toJsonText(value: unknown): string {
  // Line breaks occur between tokens only: within strings they are escaped.
  return JSON.stringify(value, null, 1).replace(/,\n */g, ", ").replace(/\n */g, "");
}
