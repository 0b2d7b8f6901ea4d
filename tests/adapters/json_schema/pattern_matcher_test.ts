import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LinearPattern, StepsExceededError } from "../../../adapters/json_schema/mod.ts";

const matches = (source: string, text: string): boolean | undefined =>
  LinearPattern.fromSource(source)?.matches(text, { left: 10_000_000 });

/** Patterns as they stand in schemas, with the letters that texts are made of to try them. */
const PATTERNS: readonly (readonly [source: string, letters: string])[] = [
  ["^(a+)+$", "ab"],
  ["(a|a)*b", "abc"],
  ["^(?:a|b|ab){2,4}c?$", "abc"],
  ["(.*a){3}", "ab\n"],
  ["^a{2}b{1,3}?c{0,}$", "abc"],
  ["^$|^a$", "ab"],
  ["^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$", "a.-@B"],
  ["^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{3,}$", "aB1"],
  ["(?<=a)b(?=c)", "abc"],
  ["(?<!a)b(?!c)", "abc"],
  ["(?<=^a*)b(?=c*$)", "abcd"],
  ["^(?:(?!ab).)*$", "abc"],
  ["(?=(?!a)b)b(?<=a(?=b)b)", "abc"],
  ["\\bab\\b", "ab c-"],
  ["a\\Bb", "ab-"],
  ["\\b", "a -"],
  ["^[^]$", "a\n😀"],
  ["^.$", "a\n😀"],
  ["^\\u{1F600}$|^\\uD83D\\uDE00x$|\\x61\\cJ|\\0", "😀xa\n\0"],
  ["^\\p{Lu}\\p{L}*$", "aBé1"],
  ["^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$", "aZ+="],
  ["^(?:(?:a*)*)*$", "ab"],
  ["^(?:a?){3}b", "abc"],
  ["^(?<year>\\d{2})-(?<rest>(\\d|-)*)$", "12-"],
  ["", "a"],
];

for (const [source, letters] of PATTERNS) {
  Deno.test(`LinearPattern.matches() agrees with RegExp on ${source}`, () => {
    const expression = new RegExp(source, "u");
    const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
    fc.assert(fc.property(text, (text) => assertEquals(matches(source, text), expression.test(text))), {
      numRuns: 300,
    });
  });
}

for (const source of ["^(a+)+$", "(a|a)*b", "(.*a){20}", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?=(a+)+$)b", "(x+x+)+y"]) {
  Deno.test(`LinearPattern.matches() ends on a long text where RegExp does not: ${source}`, () => {
    for (const text of ["a".repeat(50_000) + "!", "x".repeat(50_000)]) {
      assertEquals(typeof matches(source, text), "boolean");
    }
    assertEquals(matches("^(a+)+$", "a".repeat(50_000)), true);
  });
}

Deno.test("LinearPattern.matches() ends when its steps are used up", () => {
  const pattern = LinearPattern.fromSource("^(?:.?){2000}$");
  const budget = { left: 100_000 };
  assertThrows(() => pattern?.matches("a".repeat(10_000), budget), StepsExceededError);
});

Deno.test("LinearPattern.matches() counts each branch as a step, also where it leads to what was seen", () => {
  const pattern = LinearPattern.fromSource(`(?:${"|".repeat(4000)})(?:${"|".repeat(4000)})b`);
  const budget = { left: 100_000 };
  assertEquals(pattern?.matches("xx", budget), false);
  assert(budget.left < 100_000 - 3 * 8000, `${budget.left} steps are left`);
  assertThrows(() => pattern?.matches("x".repeat(20), budget), StepsExceededError);
});

Deno.test("LinearPattern.fromSource() takes off what a pattern has of the states", () => {
  const left = (source: string) => {
    const budget = { left: 1000 };
    return LinearPattern.fromSource(source, budget) === undefined ? undefined : 1000 - budget.left;
  };
  assertEquals(["", "a", "a{20}", "(?:a{20}){5}", "a{0,20}", "a*", "(?:|||)"].map(left), [0, 1, 20, 100, 40, 2, 4]);
  assertEquals(left("a{1001}"), undefined);
  // A class takes its time to compile, but only once.
  assertEquals(["[a-c]", "[a-c][a-c]", "[a-c]{50}"].map(left), [10, 11, 50]);
});

for (
  const source of [
    "(a)\\1",
    "|".repeat(20_000),
    "(?:){0}".repeat(20_000),
    "(?<n>a)\\k<n>",
    "(?i:a)",
    "(",
    "a)",
    "[",
    "*",
    "a{9}{9}",
    "(((a{99}){99}){99})",
    "((){99999}){99999}",
  ]
) {
  Deno.test(`LinearPattern.fromSource() gives up on ${source.slice(0, 30)}`, () => {
    assertEquals(LinearPattern.fromSource(source), undefined);
  });
}
