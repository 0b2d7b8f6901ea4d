import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { ApiKeys, hashSecret } from "../../../serving/access/mod.ts";
import { apiKey, issuesOf, OTHER_SECRET, refusedKey, SECRET } from "./_keys.ts";

const KEYS = new ApiKeys([apiKey({ name: "other", sha256: hashSecret(OTHER_SECRET) }), apiKey()]);

Deno.test("hashSecret() is SHA-256 as everybody else has it", () => {
  assertEquals(hashSecret("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
  Deno.test(`ApiKeys.find() finds each key after "${scheme}"`, () => {
    assertEquals(KEYS.find(`${scheme} ${SECRET}`).name, "ci");
    assertEquals(KEYS.find(`${scheme} ${OTHER_SECRET}`).name, "other");
  });
}

Deno.test("ApiKeys.find() takes two spaces for one, as RFC 9110 has it", () => {
  assertEquals(KEYS.find(`Bearer  ${SECRET}`).name, "ci");
});

for (
  const [what, header, said] of [
    ["no header", null, 'it has no API key. Send "Authorization: Bearer KEY"'],
    ["an empty header", "", "it has no API key"],
    ["the scheme alone", "Bearer", 'has no key after "Bearer"'],
    ["the scheme and a space", "Bearer ", 'has no key after "Bearer"'],
    ["the scheme and many spaces", `Bearer${" ".repeat(5000)}`, 'has no key after "Bearer"'],
    ["no space", `Bearer${SECRET}`, 'has no space after "Bearer"'],
    ["a tab for a space", `Bearer\t${SECRET}`, 'has no space after "Bearer"'],
    ["the key alone", SECRET, 'the scheme of its Authorization header is not "Bearer"'],
    ["another scheme", `Basic ${btoa(`ci:${SECRET}`)}`, 'the scheme of its Authorization header is not "Bearer"'],
    ["a space before the scheme", ` Bearer ${SECRET}`, 'the scheme of its Authorization header is not "Bearer"'],
    ["an unknown key", `Bearer sk-${"q".repeat(48)}`, "its API key is not known here. Check that it was copied"],
    ["a key less one character", `Bearer ${SECRET.slice(0, -1)}`, "its API key is not known here"],
    ["a key and one character more", `Bearer ${SECRET}a`, "its API key is not known here"],
    ["a key in the other case", `Bearer ${SECRET.toUpperCase()}`, "its API key is not known here"],
    ["the hash of a key", `Bearer ${hashSecret(SECRET)}`, "its API key is not known here"],
    ["the name of a key", "Bearer ci", "its API key is not known here"],
    ["a key with a line end", `Bearer ${SECRET}\n`, "holds what no key does"],
    ["a key with a space behind it", `Bearer ${SECRET} `, "holds what no key does"],
    ["a key with a NUL", `Bearer ${SECRET}\0`, "holds what no key does"],
    ["two headers in one", `Bearer ${SECRET}, Bearer ${SECRET}`, "holds what no key does"],
    ["a key in quotes", `Bearer "${SECRET}"`, "its API key is not known here"],
    ["a key of Latin-1", "Bearer sk-schl\u00fcssel-schl\u00fcssel", "holds what no key does"],
    ["a key beyond Latin-1", "Bearer sk-\u{1f511}\u{1f511}\u{1f511}\u{1f511}", "holds what no key does"],
    ["half a character", "Bearer sk-\ud83d", "holds what no key does"],
    ["letters that only look alike", `\u212aearer ${SECRET}`, 'the scheme of its Authorization header is not "Bearer"'],
    ["1 MB", `Bearer ${"s".repeat(1 << 20)}`, "its API key is longer than 1024 characters"],
    ["1 MB of another scheme", "s".repeat(1 << 20), 'the scheme of its Authorization header is not "Bearer"'],
  ] as const
) {
  Deno.test(`ApiKeys.find() refuses ${what}, and quotes nothing of it`, () => {
    const message = refusedKey(() => KEYS.find(header));
    assertStringIncludes(message, said);
    // Not the key, nor a part of it: no four characters in a row.
    const key = header?.replace(/.?earer/i, "").trim() ?? "";
    for (let i = 0; i + 4 <= Math.min(key.length, 200); i++) {
      assert(!message.includes(key.slice(i, i + 4)), `"${key.slice(i, i + 4)}" in ${message}`);
    }
    assertEquals(KEYS.find(`Bearer ${SECRET}`).name, "ci");
  });
}

Deno.test("ApiKeys.find() lets nobody in when there are no keys", () => {
  const keys = new ApiKeys([]);
  assertStringIncludes(refusedKey(() => keys.find(`Bearer ${SECRET}`)), "its API key is not known here");
  assertStringIncludes(refusedKey(() => keys.find(null)), "it has no API key");
});

Deno.test("ApiKeys.find() knows each of many keys from all others", () => {
  const secrets = Array.from({ length: 300 }, (_, index) => `secret-of-number-${index}`);
  const keys = new ApiKeys(secrets.map((secret, index) => ({ name: `key-${index}`, sha256: hashSecret(secret) })));
  secrets.forEach((secret, index) => assertEquals(keys.find(`Bearer ${secret}`).name, `key-${index}`));
});

Deno.test("ApiKeys.find() takes a key only if all of its hash is alike", () => {
  const hash = hashSecret(SECRET);
  const alike = Array.from(hash, (digit, place) => ({
    name: `key-${place}`,
    sha256: hash.slice(0, place) + (digit === "0" ? "8" : "0") + hash.slice(place + 1),
  }));
  assertStringIncludes(refusedKey(() => new ApiKeys(alike).find(`Bearer ${SECRET}`)), "not known here");
  assertEquals(new ApiKeys([...alike, apiKey()]).find(`Bearer ${SECRET}`).name, "ci");
});

Deno.test("ApiKeys.find() takes no header but that of a key", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), fc.boolean(), (text, isBearer) => {
    refusedKey(() => KEYS.find(isBearer ? `Bearer ${text}` : text));
  }));
});

Deno.test("ApiKeys gives keys that nobody can change", () => {
  const models = ["demo"];
  const keys = new ApiKeys([apiKey({ models })]);
  models.push("secret");
  const key = keys.find(`Bearer ${SECRET}`);
  assertEquals(key, { name: "ci", sha256: hashSecret(SECRET), models: ["demo"] });
  assert(Object.isFrozen(key) && Object.isFrozen(key.models));
});

Deno.test("ApiKeys refuses keys that are not as they must be, by the paths of a file", () => {
  assertEquals(issuesOf(() => new ApiKeys([apiKey(), apiKey({ maxConcurrency: 0 })])), [
    ["keys.1.max_concurrency", "Expected an integer of at least 1, found 0"],
    ["keys.1.name", 'The same as "keys.0.name": each must be unique'],
    ["keys.1.sha256", 'The same as "keys.0.sha256": each must be unique'],
  ]);
});
