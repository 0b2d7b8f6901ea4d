import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { pythonJson, pythonJsonLines } from "../../signature/mod.ts";

/** What Python's `json.dumps` makes of it. */
const WRITTEN: readonly [unknown, string][] = [
  [[], "[]"],
  [{}, "{}"],
  [{ a: [1, "x", null, true], b: { c: [] } }, '{"a": [1, "x", null, true], "b": {"c": []}}'],
  ['é\u2028😀\x7f\x85\n/\\"', '"\\u00e9\\u2028\\ud83d\\ude00\\u007f\\u0085\\n/\\\\\\""'],
  [[0, -0, 0.0001, 0.00001, 1e-7, -2.5e-10, 1.5e-100], "[0, 0, 0.0001, 1e-05, 1e-07, -2.5e-10, 1.5e-100]"],
  [[1e20, 1e21, 0.1, 123456.789], "[100000000000000000000, 1e+21, 0.1, 123456.789]"],
];

for (const [value, text] of WRITTEN) {
  Deno.test(`pythonJson() writes ${text} as Python does`, () => assertEquals(pythonJson(value), text));
}

Deno.test("pythonJsonLines() writes two spaces deep, and what is empty on one line", () => {
  assertEquals(
    pythonJsonLines({ a: [1e-5, [], {}], "é": { b: "x" } }),
    '{\n  "a": [\n    1e-05,\n    [],\n    {}\n  ],\n  "\\u00e9": {\n    "b": "x"\n  }\n}',
  );
  assertEquals(pythonJsonLines("x"), '"x"');
});

Deno.test("pythonJson() and pythonJsonLines() leave out what is undefined, as JSON does", () => {
  assertEquals(pythonJson({ a: undefined, b: 1 }), '{"b": 1}');
  assertEquals(pythonJsonLines({ a: undefined }), "{}");
});

Deno.test("pythonJson() and pythonJsonLines() write what JSON.parse reads back, in ASCII", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    for (const text of [pythonJson(value), pythonJsonLines(value)]) {
      assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assertEquals(text.match(/[^\n -~]/), null);
    }
  }));
});
