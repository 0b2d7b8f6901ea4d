import type { Logprobs, TokenLogprob } from "../types/mod.ts";

/**
 * Most UTF-16 units of text in one chunk. JSON writes a unit in at most 6 bytes (`\u001f`), so that a line of a
 * stream stays under 64 KiB with room for the rest of the chunk: clients with line buffers of that size exist.
 */
export const MAX_TEXT = 8192;

/** Most tokens whose log probabilities go into one chunk, with up to 20 alternatives each. */
const MAX_LOGPROBS = 16;

/** Cuts text into pieces of at most {@linkcode MAX_TEXT} units, never inside a surrogate pair. */
export function splitText(text: string): string[] {
  if (text.length <= MAX_TEXT) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + MAX_TEXT, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** A piece of text and the log probabilities that go with it. */
export interface TextPiece {
  readonly text: string;
  readonly logprobs: Logprobs | null;
}

/**
 * Cuts text and its log probabilities into pieces for one chunk each. Tokens stay with their text as long as the two
 * agree; text that they do not cover comes last.
 */
export function splitTextWithLogprobs(
  text: string,
  tokens: readonly TokenLogprob[] | null,
  kind: "content" | "refusal",
): TextPiece[] {
  const wrap = (tokens: readonly TokenLogprob[]): Logprobs => ({ content: null, refusal: null, [kind]: tokens });
  if (tokens === null || (tokens.length <= MAX_LOGPROBS && text.length <= MAX_TEXT)) {
    return splitText(text).map((text, i) => ({ text, logprobs: i === 0 && tokens !== null ? wrap(tokens) : null }));
  }
  const pieces: TextPiece[] = [];
  let rest = text;
  for (let start = 0; start === 0 || start < tokens.length; start += MAX_LOGPROBS) {
    const group = tokens.slice(start, start + MAX_LOGPROBS);
    const joined = group.map((entry) => entry.token).join("");
    const own = joined.length <= MAX_TEXT && rest.startsWith(joined) ? joined : "";
    rest = rest.slice(own.length);
    pieces.push({ text: own, logprobs: wrap(group) });
  }
  if (rest !== "") pieces.push(...splitText(rest).map((text) => ({ text, logprobs: null })));
  return pieces;
}
