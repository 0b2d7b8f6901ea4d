import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ValidationError } from "../../../mod.ts";
import { compareEvaluations, evaluate, type EvaluationResult, type ScorerSource } from "../../../evaluation/mod.ts";
import { mean, quantile, wilsonInterval } from "../../../evaluation/results/statistics.ts";

type Values = { readonly [id: string]: number | boolean | string | null };

/** An evaluation whose rows have the values that are given. */
async function evaluated(values: Values, better: "higher" | "lower" = "higher"): Promise<EvaluationResult> {
  const scorer: ScorerSource = { name: "s", better, score: ({ id }) => values[id] ?? null };
  return await evaluate({ data: Object.keys(values).map((id) => ({ id, outputs: id })), scorers: [scorer] });
}

Deno.test("compareEvaluations() pairs rows by name, and says which are missing, better and worse", async () => {
  const baseline = await evaluated({ a: 1, b: 2, c: 3, d: null, gone: 1 });
  const candidate = await evaluated({ c: 1, b: 2, new: 9, a: 5, d: 4 });
  const { scores, onlyInBaseline, onlyInCandidate, uncompared } = compareEvaluations({ baseline, candidate });
  assertEquals(onlyInBaseline, ["gone"]);
  assertEquals(onlyInCandidate, ["new"]);
  assertEquals(uncompared, []);
  const { s } = scores;
  assert(s !== undefined);
  assertEquals(s.count, 3);
  assertEquals([s.baselineMean, s.candidateMean, s.difference], [2, 8 / 3, 2 / 3]);
  assertEquals(s.improved, [{ id: "a", baseline: 1, candidate: 5 }]);
  assertEquals(s.regressed, [{ id: "c", baseline: 3, candidate: 1 }]);
  assertEquals([s.same, s.unscored, s.verdict], [1, ["d"], "undecided"]);
});

Deno.test("compareEvaluations() takes less for better where the scorer says so", async () => {
  const ids = Array.from({ length: 30 }, (_, index) => `row ${index}`);
  const baseline = await evaluated(Object.fromEntries(ids.map((id, index) => [id, 100 + index])), "lower");
  const candidate = await evaluated(Object.fromEntries(ids.map((id, index) => [id, 90 + index])), "lower");
  const { s } = compareEvaluations({ baseline, candidate }).scores;
  assertEquals([s?.difference, s?.interval, s?.verdict], [-10, { low: -10, high: -10 }, "better"]);
  assertEquals(s?.improved.length, 30);
  assertEquals(compareEvaluations({ baseline: candidate, candidate: baseline }).scores.s?.verdict, "worse");
});

Deno.test("compareEvaluations() counts small differences as the same, if told", async () => {
  const [baseline, candidate] = [await evaluated({ a: 1, b: 1 }), await evaluated({ a: 1.05, b: 2 })];
  const { s } = compareEvaluations({ baseline, candidate }, { tolerance: 0.1 }).scores;
  assertEquals([s?.same, s?.improved.map(({ id }) => id)], [1, ["b"]]);
});

Deno.test("compareEvaluations() names scores that cannot be compared", async () => {
  const baseline = await evaluated({ a: "weather" });
  const candidate = await evaluated({ a: "sports" });
  assertEquals(compareEvaluations({ baseline, candidate }), {
    scores: {},
    onlyInBaseline: [],
    onlyInCandidate: [],
    uncompared: ["s"],
  });
});

Deno.test("compareEvaluations() gives the same interval for the same seed only", async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `row ${index}`);
  const baseline = await evaluated(Object.fromEntries(ids.map((id, index) => [id, Math.sqrt(index)])));
  const candidate = await evaluated(Object.fromEntries(ids.map((id, index) => [id, Math.cbrt(index)])));
  const interval = (seed: number) => compareEvaluations({ baseline, candidate }, { seed }).scores.s?.interval;
  assertEquals(interval(1), interval(1));
  assert(interval(1)?.low !== interval(2)?.low);
});

Deno.test("compareEvaluations() refuses evaluations without a common row, and options that cannot be", async () => {
  const [baseline, candidate] = [await evaluated({ a: 1 }), await evaluated({ b: 1 })];
  assertThrows(() => compareEvaluations({ baseline, candidate }), ValidationError, "has no row in common");
  const error = assertThrows(
    () => compareEvaluations({ baseline, candidate: baseline }, { seed: -1, resamples: 5, tolerance: NaN }),
    ValidationError,
  );
  assertEquals(error.issues.map(({ path }) => path), ["seed", "resamples", "tolerance"]);
});

Deno.test("EvaluationResult as JSON has all but the rows", async () => {
  const result = await evaluated({ a: 1, b: 3 });
  const summary = JSON.parse(JSON.stringify(result));
  assertEquals(summary.rows, { total: 2, failed: 0, resumed: 0 });
  assertEquals(summary.metrics["s/mean"], 2);
  assertEquals(summary.scores.s, {
    count: 2,
    missing: 0,
    errors: 0,
    kind: "number",
    mean: 2,
    p50: 2,
    p95: 2.9,
    min: 1,
    max: 3,
  });
  assertEquals(summary.dataset.count, 2);
});

Deno.test("mean(), quantile() and wilsonInterval() stay within what they are of", () => {
  const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
    const sorted = Float64Array.from(values).sort();
    const [least, most] = [sorted[0] ?? NaN, sorted[sorted.length - 1] ?? NaN];
    for (const value of [mean(sorted), quantile(sorted, share)]) {
      assert(value >= least - 1e-6 && value <= most + 1e-6);
    }
    assertEquals([quantile(sorted, 0), quantile(sorted, 1)], [least, most]);
  }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (count, share) => {
      const passed = Math.round(count * share);
      const { low, high } = wilsonInterval(passed, count);
      assert(low >= 0 && low <= passed / count && high >= passed / count && high <= 1);
    }),
  );
});
