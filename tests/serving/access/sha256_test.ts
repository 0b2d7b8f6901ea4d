import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { hashSecret, writeWords } from "../../../serving/access/_secret_hash.ts";
import { HASH_WORDS, writeSha256 } from "../../../serving/access/_sha256.ts";

function hashOf(text: string): number[] {
  // Whatever was there before.
  const words = new Int32Array(HASH_WORDS).fill(-1);
  writeSha256(text, words);
  return [...words];
}

function expected(text: string): number[] {
  const words = new Int32Array(HASH_WORDS);
  writeWords(hashSecret(text), words);
  return [...words];
}

Deno.test("writeSha256() gives the digests of FIPS 180-4's examples", () => {
  const hexadecimal = (text: string) => hashOf(text).map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  assertEquals(hexadecimal("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assertEquals(
    hexadecimal("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});

Deno.test("writeSha256() gives what node:crypto does for every length that a key may have, and beyond", () => {
  for (let length = 0; length <= 1100; length++) {
    const text = Array.from({ length }, (_, index) => String.fromCharCode(33 + (index * 7 + length) % 94)).join("");
    assertEquals(hashOf(text), expected(text), `${length} characters`);
  }
});

Deno.test("writeSha256() gives what node:crypto does for any ASCII text", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 200 });
  fc.assert(fc.property(ascii, (text) => assertEquals(hashOf(text), expected(text))));
});
