/** Without a language of its own, segmentation follows Unicode's default rules (UAX #29), with dictionaries where words have no spaces between. */
const WORDS = new Intl.Segmenter("und", { granularity: "word" });
// deno-lint-ignore no-control-regex -- that is what ASCII has
const ASCII = /^[\x00-\x0c\x0e-\x7f]*$/;
const GRAPHEMES = new Intl.Segmenter("und", { granularity: "grapheme" });

/**
 * The words of a text in any language, as they are compared: in Unicode's form NFKC and lower case, without punctuation
 * and symbols.
 *
 * @param text The text.
 * @returns The words, in their order.
 */
export function words(text: string): string[] {
  const found: string[] = [];
  for (const { segment, isWordLike } of WORDS.segment(text.normalize("NFKC").toLowerCase())) {
    if (isWordLike === true) found.push(segment);
  }
  return found;
}

/** How many characters a text has, as people see them. */
export function countGraphemes(text: string): number {
  // Segmentation is slow, and in ASCII only CR LF is one character of two.
  if (ASCII.test(text)) return text.length;
  let count = 0;
  for (const _ of GRAPHEMES.segment(text)) count++;
  return count;
}
