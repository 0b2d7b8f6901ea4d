import { assert, assertEquals } from "@std/assert";
import { CASES, GROUPS } from "./_all.ts";
import { DOCUMENT, renderDocument } from "./_table.ts";
import { VECTORS } from "./_vectors.ts";

Deno.test("conformance covers each of the 325 vectors exactly once", () => {
  assertEquals(VECTORS.length, 325);
  assertEquals(new Set(VECTORS.map(({ name }) => name)).size, 325);
  assertEquals(CASES.map(({ vector }) => vector.name).sort(), VECTORS.map(({ name }) => name).sort());
});

Deno.test("conformance knows every vector that it calls different", () => {
  for (const { title, different, holds } of GROUPS) {
    for (const name of Object.keys(different)) {
      assert(VECTORS.some((vector) => vector.name === name && holds(vector)), `${title} has no vector "${name}"`);
    }
  }
});

Deno.test("conformance differs on purpose in at most a quarter of the vectors", () => {
  const different = CASES.filter(({ verdict }) => verdict === "different");
  assert(different.length <= VECTORS.length / 4, `Different in ${different.length} of ${VECTORS.length}`);
});

Deno.test("docs/conformance.md says what the tests say", () => {
  assertEquals(Deno.readTextFileSync(DOCUMENT), renderDocument());
});
