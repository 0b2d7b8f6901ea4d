import { assertEquals } from "@std/assert";
import { testCases } from "./_case.ts";
import { LOADED, REFUSED_BY_TYPES, SAVE } from "./_groups_saved.ts";

testCases(SAVE);
testCases(LOADED);

Deno.test("SaveModelOptions has no options that MLflow refuses", () => {
  // That they are refused is checked with the types; none was forgotten.
  assertEquals(
    REFUSED_BY_TYPES.map((options) => Object.keys(options).at(-1)),
    ["signature", "zzz"],
  );
});
