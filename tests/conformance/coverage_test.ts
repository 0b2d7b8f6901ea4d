import { assert, assertEquals } from "@std/assert";
import { CASES, GROUPS } from "./_all.ts";
import type { Verdict } from "./_case.ts";
import { NOT_POSABLE } from "./_language.ts";
import { REFUSALS } from "./_refusals.ts";
import { DOCUMENT, renderDocument } from "./_table.ts";
import { fieldAtFault, VECTORS } from "./_vectors.ts";

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

Deno.test("conformance says by hand what is wrong exactly where MLflow and we refuse and MLflow names no field", () => {
  const unnamed = CASES.filter(({ vector, difference }) =>
    !vector.ok && difference === undefined && fieldAtFault(vector) === undefined
  );
  assertEquals(unnamed.map(({ vector }) => vector.name).sort(), Object.keys(REFUSALS).sort());
});

Deno.test("conformance takes no error for any other: each is told by a field or by what it says", () => {
  const outcomes = CASES.flatMap(({ difference }) =>
    difference === undefined ? [] : [difference.mlflow, difference.ours]
  );
  const refused = [...Object.values(REFUSALS), ...outcomes.flatMap((one) => "refused" in one ? [one.refused] : [])];
  for (const pattern of refused) {
    if (typeof pattern === "string") assert(/^\w+$/.test(pattern), `"${pattern}" is no field`);
    else assert(!pattern.test("x") && !pattern.test(""), `${pattern} fits any error`);
  }
});

const COUNTS: Readonly<Record<Verdict, number>> = { same: 217, more: 9, different: 81, language: 18, open: 0 };

Deno.test("conformance has as many vectors of each verdict as it says", () => {
  const counts = Object.fromEntries(
    Object.keys(COUNTS).map((verdict) => [verdict, CASES.filter((one) => one.verdict === verdict).length]),
  );
  assertEquals(counts, COUNTS);
});

Deno.test("conformance calls nothing impossible in JavaScript but what is listed, each with why", () => {
  const language = CASES.filter(({ verdict }) => verdict === "language").map(({ vector }) => vector.name);
  assertEquals(language.sort(), Object.keys(NOT_POSABLE).sort());
});

Deno.test("conformance differs on purpose in at most a quarter of the vectors", () => {
  // Whatever a difference is called: all count but what cannot be posed, and what gives MLflow's value and more.
  const different = CASES.filter(({ vector, verdict }) =>
    verdict !== "same" && verdict !== "more" && !Object.hasOwn(NOT_POSABLE, vector.name)
  );
  assert(different.length <= VECTORS.length / 4, `Different in ${different.length} of ${VECTORS.length}`);
});

Deno.test("docs/conformance.md says what the tests say", () => {
  assertEquals(Deno.readTextFileSync(DOCUMENT), renderDocument());
});
