/** SHA-256 (FIPS 180-4) of short texts, at once and without a call into the runtime, which takes four times as long. */

/** 32-bit words of a hash. */
export const HASH_WORDS = 8;

const BLOCK_WORDS = 16;
const ROUNDS = 64;

const PRIMES = firstPrimes(ROUNDS);
/** FIPS 180-4 §5.3.3: of the square roots of the first primes, 32 bits behind the point. */
const START = Int32Array.from(PRIMES.slice(0, HASH_WORDS), (prime) => fraction(Math.sqrt(prime)));
/** FIPS 180-4 §4.2.2: the same of the cube roots. */
const CONSTANTS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

/** Used again and again: nothing waits in between. Emptied at the end, as it holds a secret. */
const schedule = new Int32Array(ROUNDS);

/**
 * Writes the SHA-256 of a text.
 *
 * @param text A text of ASCII characters only: each is a byte.
 * @param hash Gets the eight words, signed.
 */
export function writeSha256(text: string, hash: Int32Array): void {
  hash.set(START);
  // Behind the text come a bit that is set and, in the last two words, how many bits there were.
  const blocks = Math.ceil((text.length + 9) / (4 * BLOCK_WORDS));
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < BLOCK_WORDS; i++) schedule[i] = wordAt(text, 4 * (BLOCK_WORDS * block + i));
    if (block === blocks - 1) schedule[BLOCK_WORDS - 1] = 8 * text.length;
    addBlock(hash);
  }
  schedule.fill(0);
}

function wordAt(text: string, index: number): number {
  return byteAt(text, index) << 24 | byteAt(text, index + 1) << 16 | byteAt(text, index + 2) << 8 |
    byteAt(text, index + 3);
}

function byteAt(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) : index === text.length ? 0x80 : 0;
}

/** FIPS 180-4 §6.2.2, with the names that things have there. */
function addBlock(hash: Int32Array): void {
  for (let t = BLOCK_WORDS; t < ROUNDS; t++) {
    const w2 = word(schedule, t - 2);
    const w15 = word(schedule, t - 15);
    const sigma1 = rotate(w2, 17) ^ rotate(w2, 19) ^ w2 >>> 10;
    const sigma0 = rotate(w15, 7) ^ rotate(w15, 18) ^ w15 >>> 3;
    schedule[t] = sigma1 + word(schedule, t - 7) + sigma0 + word(schedule, t - 16);
  }
  let a = word(hash, 0);
  let b = word(hash, 1);
  let c = word(hash, 2);
  let d = word(hash, 3);
  let e = word(hash, 4);
  let f = word(hash, 5);
  let g = word(hash, 6);
  let h = word(hash, 7);
  for (let t = 0; t < ROUNDS; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = e & f ^ ~e & g;
    const t1 = h + sum1 + choice + word(CONSTANTS, t) + word(schedule, t) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = a & b ^ a & c ^ b & c;
    h = g;
    g = f;
    f = e;
    e = d + t1 | 0;
    d = c;
    c = b;
    b = a;
    a = t1 + sum0 + majority | 0;
  }
  hash[0] = word(hash, 0) + a;
  hash[1] = word(hash, 1) + b;
  hash[2] = word(hash, 2) + c;
  hash[3] = word(hash, 3) + d;
  hash[4] = word(hash, 4) + e;
  hash[5] = word(hash, 5) + f;
  hash[6] = word(hash, 6) + g;
  hash[7] = word(hash, 7) + h;
}

function word(words: Int32Array, index: number): number {
  return words[index] ?? 0;
}

function rotate(value: number, count: number): number {
  return value >>> count | value << 32 - count;
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return (value % 1) * 2 ** 32 | 0;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}
