import { assertEquals } from "@std/assert";
import { readWrittenCall } from "../../../adapters/demo/call_syntax.ts";

const CASES: readonly (readonly [text: string, expected: readonly unknown[] | undefined])[] = [
  ["What is the value of f(3)?", [{ value: 3 }]],
  ["f()", []],
  ["f( )", []],
  ["f(1, -2.5, true, null)", [{ value: 1 }, { value: -2.5 }, { value: true }, { value: null }]],
  [`f("a, (b)", 'c"d', «é»)`, [{ value: "a, (b)" }, { value: 'c"d' }, { value: "é" }]],
  ["f(Paris)", [{ value: "Paris" }]],
  ["f(a=1, b: [1, 2])", [{ name: "a", value: 1 }, { name: "b", value: [1, 2] }]],
  ['f({"a": 1, "b": {"c": [2]}})', [{ name: "a", value: 1 }, { name: "b", value: { c: [2] } }]],
  ["f(https://example.com/x)", [{ value: "https://example.com/x" }]],
  ["f (see below)", undefined],
  ["self(3)", undefined],
  ["f(1, 2", undefined],
  ["first f, then f(4)", [{ value: 4 }]],
];

for (const [text, expected] of CASES) {
  Deno.test(`readWrittenCall() reads ${JSON.stringify(text)}`, () => {
    assertEquals(readWrittenCall(text, "f")?.arguments, expected);
  });
}
