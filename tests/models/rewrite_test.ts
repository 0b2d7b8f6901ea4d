import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { applyEdits, escapeSpecifier, SourceText } from "../../models/_rewrite.ts";

/** A place in a text as Deno tells it: lines end with \n alone, columns are of characters. */
function position(text: string): { line: number; character: number } {
  const lines = text.split("\n");
  return { line: lines.length - 1, character: [...lines.at(-1) ?? ""].length };
}

const code = fc.array(
  fc.constantFrom("a", " ", "é", "😀", "\n", "\r\n", "\r", "\u2028", "\t", '"', "`", "\\", "/* */", "ﬀ", "e\u0301"),
).map((parts) => parts.join(""));

Deno.test("SourceText.at() finds a literal wherever it stands", () => {
  fc.assert(fc.property(code, code, fc.constantFrom('"', "'", "`"), (before, after, quote) => {
    const literal = `${quote}./😀 é.ts${quote}`;
    const source = new SourceText(before + literal + after);
    const found = source.at({ start: position(before), end: position(before + literal) });
    assertEquals(found, {
      start: before.length + 1,
      end: before.length + literal.length - 1,
      text: "./😀 é.ts",
      quoted: true,
    });
  }));
});

Deno.test("SourceText.at() tells literals from expressions, and nothing from something", () => {
  const at = (text: string) => {
    const end = [...text].length;
    return new SourceText(text).at({ start: { line: 0, character: 0 }, end: { line: 0, character: end } });
  };
  for (const text of ['"./a/" + name + ".ts"', "`./a/${name}.ts`", "./types.d.ts", "'a' + 'b'", '"']) {
    assertEquals(at(text), { start: 0, end: text.length, text, quoted: false });
  }
  assertEquals(at('"\\"a"')?.text, '\\"a');
  assertEquals(at("`$a`")?.text, "$a");
  assertEquals(at(""), undefined);
  assertEquals(new SourceText("").at(undefined), undefined);
});

Deno.test("SourceText.place() counts lines and columns from 1", () => {
  const source = new SourceText("one\r\ntwo\n\nfour");
  assertEquals([0, 3, 5, 9, 10, 13].map((offset) => source.place(offset)), ["1:1", "1:4", "2:1", "3:1", "4:1", "4:4"]);
});

Deno.test("applyEdits() replaces parts in whatever order, each place once", () => {
  const edits = [{ start: 4, end: 5, text: "FIVE" }, { start: 0, end: 2, text: "" }, {
    start: 4,
    end: 5,
    text: "FIVE",
  }];
  assertEquals(applyEdits("abcdef", edits), "cdFIVEf");
  assertEquals(applyEdits("abc", []), "abc");
});

Deno.test("escapeSpecifier() gives what reads as the specifier between any quotes", () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom('"', "'", "`"), (specifier, quote) => {
    fc.pre(!/[\n\r\u2028\u2029]/.test(specifier));
    const read: unknown = new Function(`return ${quote}${escapeSpecifier(specifier)}${quote}`)();
    assertEquals(read, specifier);
  }));
});
