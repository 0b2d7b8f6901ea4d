import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readPattern } from "../../../adapters/demo/pattern.ts";

const PATTERNS = [
  "^[A-Z]{3}-\\d{4}$",
  "^(?:red|green)$",
  "^\\+?[1-9]\\d{1,14}$",
  "abc",
  "^a.c$",
  "^[^\\s@]+@[^\\s@]+\\.[a-z]{2,}$",
  "^#(?<hex>[0-9a-fA-F]{6})$",
  "^\\p{Lu}\\p{Ll}*$",
  "^$",
  "",
  "(a|b)*c",
  "^\\$\\d+(\\.\\d\\d)?$",
  "^[\\w.-]+\\/v[0-9]+$",
  "^[一-龥]{2,4}$",
  "^a{0,2}b{2,}?$",
  "^(?!\\.)a(?<!x)\\b",
  "^\\u{1F600}\\x41$",
];

for (const source of PATTERNS) {
  Deno.test(`readPattern() makes texts that match ${source}, and agrees with RegExp`, () => {
    const pattern = readPattern(source);
    const expression = new RegExp(source, "u");
    for (const extra of [0, 1, 5]) {
      const sample = pattern?.sample(extra);
      assert(sample !== undefined && expression.test(sample), `${sample}`);
      assertEquals(pattern?.matches(sample), true);
    }
    const texts = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: fc.constantFrom(..."abcAB-019.@#$/ 一") }));
    fc.assert(fc.property(texts, (text) => pattern?.matches(text) === expression.test(text)), { numRuns: 50 });
  });
}

for (const source of ["(a)\\1", "[", "(", "a)", "*"]) {
  Deno.test(`readPattern() gives up on ${source}`, () => assertEquals(readPattern(source), undefined));
}

Deno.test("readPattern() bounds the work of patterns that take RegExp exponential time", () => {
  const pattern = readPattern("^((a+)+)+$");
  assertEquals(pattern?.matches("a".repeat(60) + "!"), false);
  assertEquals(pattern?.matches("a".repeat(60)), true);
  assertEquals(readPattern("(((a{999}){999}){999}){999}"), undefined);
  assertEquals(readPattern("^(😀a){5001}$"), undefined);
});
