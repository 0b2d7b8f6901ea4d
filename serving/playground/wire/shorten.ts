/** JSON to look at: images are cut, as are texts that no one would read to the end. It is said how much is missing. */
import type { Json } from "../state/types.ts";

/** Characters of a text that are shown. */
const LONGEST = 20_000;

/** Characters of a `data:` URL that are shown. */
const LONGEST_URL = 80;

/** Writes a value with indentation. */
export function toReadableJson(value: Json): string {
  return JSON.stringify(value, (_, item) => typeof item === "string" ? shorten(item) : item, 2);
}

/** Cuts a text that is too long to look at. */
export function shorten(text: string): string {
  const longest = /^data:\w+\//.test(text) ? LONGEST_URL : LONGEST;
  if (text.length <= longest) return text;
  const missing = (text.length - longest).toLocaleString("en");
  return `${text.slice(0, longest)}… (${missing} more characters; a copy has them all)`;
}
