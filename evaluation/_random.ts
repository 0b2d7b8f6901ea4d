const TWO_TO_32 = 2 ** 32;

/** Makes well-mixed 32-bit words of a seed: a counter (Weyl sequence) through the finaliser of MurmurHash3. */
function splitMix(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  };
}

/**
 * The seed of one row: the same for the same evaluation seed and index, unlike that of its neighbours.
 *
 * @param seed The evaluation's seed.
 * @param index The row's position, from 0.
 * @returns A whole number from 0 to 2³¹ − 1, as the servers behind models take it.
 */
export function rowSeed(seed: number, index: number): number {
  // Seeds beyond 32 bits count in full.
  const mixed = splitMix((seed >>> 0) ^ Math.imul(Math.floor(seed / TWO_TO_32) | 0, 0x27d4eb2f))();
  return splitMix((mixed + Math.imul(index, 0x9e3779b1)) >>> 0)() >>> 1;
}

/**
 * Random numbers that are the same for the same seed on every machine (xoshiro128**, https://prng.di.unimi.it).
 *
 * @param seed The seed.
 * @returns Gives a whole number from 0 to one less than its argument, which is at most 2³².
 */
export function randomIndexes(seed: number): (below: number) => number {
  const next = splitMix(seed);
  let [a, b, c, d] = [next(), next(), next(), next()];
  return (below) => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return Math.floor(word / TWO_TO_32 * below);
  };
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
