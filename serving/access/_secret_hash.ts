// Of `node:crypto`, as it is synchronous.
import { hash } from "node:crypto";
import { HASH_WORDS } from "./_sha256.ts";

/** SHA-256 of a key, as 64 hexadecimal digits in lower case. */
export function hashSecret(secret: string): string {
  return hash("sha256", secret, "hex");
}

/** Puts a SHA-256 of 64 hexadecimal digits into words. */
export function writeWords(hexadecimal: string, words: Int32Array, offset = 0): void {
  for (let i = 0; i < HASH_WORDS; i++) {
    words[offset + i] = Number.parseInt(hexadecimal.slice(8 * i, 8 * i + 8), 16);
  }
}

/**
 * Index of a hash among many, or -1. All are compared, and each as a whole, without a branch: how long it takes says
 * nothing of how much is alike.
 */
// Not `timingSafeEqual`: it takes half a microsecond for each key, this takes a few nanoseconds.
export function indexOfHash(wanted: Int32Array, hashes: Int32Array): number {
  let found = -1;
  for (let start = 0; start < hashes.length; start += HASH_WORDS) {
    let difference = 0;
    for (let i = 0; i < HASH_WORDS; i++) difference |= (hashes[start + i] ?? 0) ^ (wanted[i] ?? 0);
    // All bits where they differ, none where they are equal.
    const differs = (difference | -difference) >> 31;
    found = (found & differs) | ((start / HASH_WORDS) & ~differs);
  }
  return found;
}
