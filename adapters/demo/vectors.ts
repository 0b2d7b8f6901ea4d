import { ValidationError } from "../../types/mod.ts";
import { splitWords } from "./words.ts";

/** Length of the vectors unless another is asked for. */
const DIMENSIONS = 64;

/** So that a request for a few texts cannot take all memory. */
const MAX_DIMENSIONS = 4096;

/**
 * Makes a vector of a text: each word adds to or takes from a few of its numbers, by the word's hash. So texts with words
 * in common are near each other, and others are not. The same text always gives the same vector.
 *
 * @param text The text.
 * @param dimensions Length of the vector, at most 4096.
 * @returns The vector, of length one by the root of its squares.
 * @throws {ValidationError} If it would be longer than that.
 */
export function toVector(text: string, dimensions = DIMENSIONS): number[] {
  if (dimensions > MAX_DIMENSIONS) {
    throw new ValidationError("Cannot make vectors", [
      { path: "dimensions", message: `Expected at most ${MAX_DIMENSIONS}, found ${dimensions}` },
    ]);
  }
  const vector = new Array<number>(dimensions).fill(0);
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? splitWords(text);
  for (const word of words) addWord(vector, word);
  // Words may take away what others added.
  if (!vector.some(Boolean)) vector[hash(text) % dimensions] = 1;
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

function addWord(vector: number[], word: string): void {
  for (let seed = 0; seed < 4; seed++) {
    const bits = hash(`${seed}${word}`);
    const position = (bits >>> 1) % vector.length;
    vector[position] = (vector[position] ?? 0) + (bits & 1 ? 1 : -1);
  }
}

/** FNV-1a over UTF-16 units, its bits mixed once more: the lowest ones alone would tell little. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  return (bits ^ (bits >>> 13)) >>> 0;
}
