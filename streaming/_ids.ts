const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LENGTH = 24;
const COUNT = 64;

let characters = "";
let used = 0;

/**
 * Makes an id no one can guess: the prefix and 24 characters of 6 random bits each.
 *
 * Made in bulk and cut up, since each draw of random bytes crosses into the runtime, and each character put on a string
 * by itself is an object more to be collected.
 */
export function createId(prefix: string): string {
  if (used === characters.length) {
    const bytes = crypto.getRandomValues(new Uint8Array(LENGTH * COUNT));
    characters = Array.from(bytes, (byte) => ALPHABET.charAt(byte & 63)).join("");
    used = 0;
  }
  return prefix + characters.slice(used, used += LENGTH);
}
