import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { countWords, findName, keepWords, splitWords } from "../../../adapters/demo/words.ts";

Deno.test("splitWords() keeps white space with the word before it, and at the beginning with the first", () => {
  assertEquals(splitWords("  one two\n\nthree "), ["  one ", "two\n\n", "three "]);
  assertEquals(splitWords(""), []);
  assertEquals(splitWords(" \t"), [" \t"]);
  assertEquals(splitWords("北京　很好 مرحبا بك 👩‍👩‍👧 x"), ["北京　", "很好 ", "مرحبا ", "بك ", "👩‍👩‍👧 ", "x"]);
});

Deno.test("splitWords() loses nothing and agrees with countWords() and the platform's white space", () => {
  const text = fc.array(
    fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(" ", "\n", "\u00a0", "\u2028", "\ufeff")),
  );
  fc.assert(fc.property(text, (pieces) => {
    const text = pieces.join("");
    assertEquals(splitWords(text).join(""), text);
    assertEquals(countWords(text), text.match(/\S+/g)?.length ?? 0);
    if (countWords(text) > 0) assertEquals(splitWords(text).length, countWords(text));
  }));
});

Deno.test("keepWords() cuts behind whole words and only where there are more", () => {
  assertEquals(keepWords("one two  three ", 2), "one two");
  assertEquals(keepWords("one two  three ", 3), "one two  three ");
  assertEquals(keepWords("one", 0), "");
});

Deno.test("findName() finds whole names only, and any place in scripts without spaces", () => {
  assertEquals(findName("call magic_function_no_args and magic_function!", "magic_function"), 32);
  assertEquals(findName("forget_weather", "get_weather"), -1);
  assertEquals(findName("今天北京很热", "北京"), 2);
  assertEquals(findName("anything", ""), -1);
});
