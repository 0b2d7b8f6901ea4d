import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ValidationError } from "../../../mod.ts";
import { type AgreementWeights, labelPairs, measureAgreement } from "../../../evaluation/judges/mod.ts";
import cases from "../../testdata/evaluation/agreement.json" with { type: "json" };

const WEIGHTS: readonly AgreementWeights[] = ["none", "linear", "quadratic"];

function assertClose(actual: number | null, expected: number, message: string): void {
  assert(actual !== null && Math.abs(actual - expected) < 1e-12, `${message}: ${actual} is not ${expected}`);
}

for (const { name, human, judge, labels, agreement, confusion, kappa } of cases) {
  Deno.test(`measureAgreement() gives the numbers of scikit-learn for ${name}`, () => {
    const pairs = human.map((label, index) => ({ human: label, judge: judge[index] }));
    for (const weights of WEIGHTS) {
      const found = measureAgreement(pairs, { weights, labels });
      assertClose(found.agreement, agreement, "agreement");
      assertEquals(found.confusion, confusion);
      assertClose(found.kappa, kappa[weights], `kappa, weights ${weights}`);
    }
    assertEquals(measureAgreement(pairs).labels, labels);
  });
}

Deno.test("measureAgreement() takes booleans for yes and no, and counts rows without a label", () => {
  const found = measureAgreement([
    { human: true, judge: "yes" },
    { human: "no", judge: false },
    { human: null, judge: "yes" },
    { human: true, judge: undefined },
  ]);
  assertEquals([found.count, found.skipped, found.agreement, found.kappa], [2, 2, 1, 1]);
});

Deno.test("measureAgreement() has no kappa where chance explains everything", () => {
  assertEquals(measureAgreement([{ human: "yes", judge: "yes" }]).kappa, null);
  const none = measureAgreement([]);
  assertEquals([none.count, none.agreement, none.kappa], [0, null, null]);
});

Deno.test("measureAgreement() refuses weights without an order, and labels that are not listed", () => {
  const pairs = [{ human: "good", judge: "bad" }];
  assertThrows(() => measureAgreement(pairs, { weights: "linear" }), ValidationError, "must be given in order");
  assertThrows(() => measureAgreement(pairs, { labels: ["good"] }), ValidationError, 'lacks "bad"');
  assertThrows(() => measureAgreement(pairs, { labels: ["good", "good"] }), ValidationError, "twice");
});

Deno.test("measureAgreement() is the same with the judges exchanged, and at most 1", () => {
  const label = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(fc.array(fc.tuple(label, label), { maxLength: 40 }), fc.constantFrom(...WEIGHTS), (rows, weights) => {
      const one = measureAgreement(rows.map(([human, judge]) => ({ human, judge })), { weights, labels: [1, 2, 3, 4] });
      const other = measureAgreement(rows.map(([judge, human]) => ({ human, judge })), {
        weights,
        labels: [1, 2, 3, 4],
      });
      if (one.kappa === null || other.kappa === null) return one.kappa === other.kappa;
      return Math.abs(one.kappa - other.kappa) < 1e-9 && one.kappa <= 1;
    }),
  );
});

Deno.test("labelPairs() takes the labels out of rows", () => {
  const rows = [
    { scores: { good: { value: "yes" } }, expectations: { human_good: true } },
    { scores: { good: { value: null } }, expectations: { human_good: "no" } },
    { scores: {}, expectations: { human_good: ["no"] } },
  ];
  assertEquals(labelPairs(rows, { score: "good", expectation: "human_good" }), [
    { human: true, judge: "yes" },
    { human: "no", judge: null },
    { human: null, judge: null },
  ]);
});
