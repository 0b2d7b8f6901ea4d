import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readNamedValue, readPromptFacts } from "../../../adapters/demo/prompt_facts.ts";

function values(text: string): unknown[] {
  return readPromptFacts(text).items.map((item) => item.value);
}

const CASES: readonly (readonly [text: string, expected: readonly unknown[]])[] = [
  ['say "hello there" twice', ["hello there"]],
  [`the customer "Müller-Łukasz 北京 'O’Neill'" is new`, ["Müller-Łukasz 北京 'O’Neill'"]],
  ["'O'Neill' and “O’Neill” and ‘it’s’", ["O'Neill", "O’Neill", "it’s"]],
  ["«Привет» „Grüße“ „cześć” »Hallo« 「東京」『大阪』 ‹a› `code`", [
    "Привет",
    "Grüße",
    "cześć",
    "Hallo",
    "東京",
    "大阪",
    "a",
    "code",
  ]],
  ["名字是'北京'的客户和\"上海\"的", ["北京", "上海"]],
  ["don't count the dogs' bones, it's 5' long", [5]],
  ['an "unclosed quotation of 7', [7]],
  ["''", []],
  ["3, -4 and 2.5; 1,000 or 1,2 and −8, not GPT4 or v1.2.3 but 5km. The end is 9.", [
    3,
    -4,
    2.5,
    1000,
    1,
    2,
    -8,
    5,
    9,
  ]],
  ["10-20 and 1e3", [10, 20, 1000]],
  ['"room 5" has 6', ["room 5", 6]],
  ["Yes or no, TRUE or false, but not know", [true, false, true, false]],
  ["on 2026-11-24 at 2026-11-24T10:00:00Z write to anna.ö@example.org or see https://example.com/a?b=1.", [
    "2026-11-24",
    "2026-11-24T10:00:00Z",
    "anna.ö@example.org",
    "https://example.com/a?b=1",
  ]],
];

for (const [text, expected] of CASES) {
  Deno.test(`readPromptFacts() reads ${JSON.stringify(text)}`, () => assertEquals(values(text), [...expected]));
}

Deno.test("readPromptFacts() copies what stands between quotation marks exactly, in order, whatever it is", () => {
  const quoted = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/["“”„«»]/.test(text));
  fc.assert(fc.property(fc.array(quoted), (texts) => {
    const prompt = texts.map((text) => `“${text}”`).join(" and ");
    assertEquals(values(prompt), texts);
  }));
});

Deno.test("readPromptFacts() gives facts in order that do not overlap, for any text", () => {
  const pieces = fc.constantFrom('"', "'", "“", "”", "a", " ", "1", ",", ".", "-", "true", "@", "a@b.c", "2026-01-01");
  fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (pieces) => {
    const text = pieces.join("");
    let end = 0;
    for (const item of readPromptFacts(text).items) {
      assert(item.start >= end && item.end > item.start && item.end <= text.length, text);
      end = item.end;
    }
  }));
});

Deno.test("readNamedValue() reads values behind a name", () => {
  const named = (text: string, name: string): unknown => readNamedValue(readPromptFacts(text), name)?.value;
  assertEquals(named("use limit = 3.", "limit"), 3);
  assertEquals(named('city: "Paris", unit=celsius', "city"), "Paris");
  assertEquals(named('city: "Paris", unit=celsius.', "unit"), "celsius");
  assertEquals(named("name: Jane Doe, age: 7", "name"), "Jane Doe");
  assertEquals(named('{"dry_run": true}', "dry_run"), true);
  assertEquals(named("surname: Doe", "name"), undefined);
  assertEquals(named("the name is unknown", "name"), undefined);
});
