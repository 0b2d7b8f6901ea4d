const LENGTH = 24;
const COUNT = 64;

/** Bytes that make one id: four characters stand for three bytes. */
const BYTES = LENGTH * 3 / 4;

let characters = "";
let used = 0;

/**
 * Makes an id no one can guess: the prefix and 24 characters of 6 random bits each, as base64url has them.
 *
 * Made in bulk and cut up, since each draw of random bytes crosses into the runtime, and each character put on a string
 * by itself is an object more to be collected.
 */
export function createId(prefix: string): string {
  if (used === characters.length) {
    characters = crypto.getRandomValues(new Uint8Array(BYTES * COUNT)).toBase64({ alphabet: "base64url" });
    used = 0;
  }
  return prefix + characters.slice(used, used += LENGTH);
}
