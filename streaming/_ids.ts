const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LENGTH = 24;
const pool = new Uint8Array(LENGTH * 64);
let used = pool.length;

/**
 * Makes an id no one can guess: the prefix and 24 characters of 6 random bits each.
 *
 * Random bytes are drawn in bulk since each draw crosses into the runtime, which costs more than the rest.
 */
export function createId(prefix: string): string {
  if (used + LENGTH > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let id = prefix;
  for (let i = 0; i < LENGTH; i++) id += ALPHABET[(pool[used++] ?? 0) & 63];
  return id;
}
