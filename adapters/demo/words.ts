/** Whether a UTF-16 code unit is white space, as `\s` and `String.prototype.trim` see it. */
function isSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13);
  return code === 0xa0 || code === 0x1680 || (code >= 0x2000 && code <= 0x200a) || code === 0x2028 || code === 0x2029 ||
    code === 0x202f || code === 0x205f || code === 0x3000 || code === 0xfeff;
}

/**
 * Counts the words of a text: its runs of anything but white space. The demo model takes them for tokens.
 *
 * A loop over code units, because this is most of the work of a short answer.
 *
 * @param text Any text.
 * @returns How many words it has.
 */
export function countWords(text: string): number {
  let count = 0;
  let inWord = false;
  for (let position = 0; position < text.length; position++) {
    const isBlank = isSpace(text.charCodeAt(position));
    if (!isBlank && !inWord) count++;
    inWord = !isBlank;
  }
  return count;
}

/**
 * Splits a text into pieces of one word each with the white space behind it; white space at the beginning stays with
 * the first word. The pieces joined are the text.
 *
 * @param text Any text.
 * @returns As many pieces as the text has words; one piece for a text that is nothing but white space, none for "".
 */
export function splitWords(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let seenWord = false;
  let inWord = false;
  for (let position = 0; position < text.length; position++) {
    const isBlank = isSpace(text.charCodeAt(position));
    if (!isBlank && !inWord && seenWord) {
      pieces.push(text.slice(start, position));
      start = position;
    }
    inWord = !isBlank;
    seenWord ||= inWord;
  }
  if (start < text.length) pieces.push(text.slice(start));
  return pieces;
}

/**
 * Cuts a text behind a number of words.
 *
 * @param text Any text.
 * @param limit Most words to keep.
 * @returns The text if it has no more words, else its beginning without white space at the end.
 */
export function keepWords(text: string, limit: number): string {
  if (limit <= 0) return "";
  const pieces = splitWords(text);
  return pieces.length <= limit ? text : pieces.slice(0, limit).join("").trimEnd();
}

/** Scripts that write words without spaces between them. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/**
 * Whether a character at the edge of a name means that the name goes on: a letter, digit or underscore, but for
 * scripts that write words without spaces, where the next word may begin anywhere.
 *
 * @param character One character; `undefined` or "" beyond the text's ends.
 * @returns Whether a word may not end or begin there.
 */
export function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{M}\p{N}_]/u.test(character) && !UNSPACED.test(character);
}

/**
 * Finds a name in a text where it stands as a word of its own.
 *
 * @param text Where to look.
 * @param name What to look for, in this very case.
 * @param from Position to begin at.
 * @returns Its first position, or -1.
 */
export function findName(text: string, name: string, from = 0): number {
  if (name === "") return -1;
  for (let position = text.indexOf(name, from); position !== -1; position = text.indexOf(name, position + 1)) {
    const goesOn = (isWordCharacter(text[position - 1]) && isWordCharacter(name[0])) ||
      (isWordCharacter(text[position + name.length]) && isWordCharacter(name.at(-1)));
    if (!goesOn) return position;
  }
  return -1;
}
