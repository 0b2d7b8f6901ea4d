/** JSON to look at: long texts, such as images, are cut in the middle of nowhere, and it is said how much is missing. */
import type { Json } from "../state/types.ts";

const LONGEST = 2_000;

/** Writes a value with indentation. */
export function toReadableJson(value: Json | undefined): string {
  return JSON.stringify(value, (_, item) => typeof item === "string" ? shorten(item) : item, 2) ?? "";
}

/** Cuts a text that is too long to look at. */
export function shorten(text: string, longest: number = LONGEST): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, 100)}… (${(text.length - 100).toLocaleString("en")} more characters; a copy has them all)`;
}
