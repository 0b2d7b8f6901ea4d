/** Numbers are those of an independent computation in Python: tests/testdata/evaluation/independent.py. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { compareEvaluations, evaluate, exactMatch, rougeL, tokenF1 } from "../../../evaluation/mod.ts";
import { mean, quantile, wilsonInterval } from "../../../evaluation/results/statistics.ts";
import { all } from "../_models.ts";
import independent from "../../testdata/evaluation/independent.json" with { type: "json" };

/** As good as doubles are, after some operations. */
const TOLERANCE = 1e-12;

Deno.test("rougeL() and tokenF1() give the numbers of rouge-score and of counting in Python", async () => {
  const result = await evaluate({
    data: independent.similarity.map(({ answer, expected }) => ({
      outputs: answer,
      expectations: { expected_response: expected },
    })),
    scorers: [rougeL(), tokenF1()],
  });
  const rows = await all(result.rows());
  assert(rows.length > 60);
  rows.forEach(({ scores }, index) => {
    const { rougeL, token_f1 } = independent.similarity[index] ?? { rougeL: NaN, token_f1: NaN };
    assertAlmostEquals(Number(scores.rougeL?.value), rougeL, TOLERANCE);
    assertAlmostEquals(Number(scores.token_f1?.value), token_f1, TOLERANCE);
  });
});

Deno.test("mean() and quantile() give the numbers of exact fractions and of NumPy", () => {
  for (const { values, mean: average, p50, p95 } of independent.samples) {
    const sorted = Float64Array.from(values).sort();
    for (
      const [found, expected] of [[mean(values), average], [quantile(sorted, 0.5), p50], [
        quantile(sorted, 0.95),
        p95,
      ]] as const
    ) {
      assertAlmostEquals(found, expected, Math.abs(expected) * TOLERANCE);
    }
  }
});

Deno.test("wilsonInterval() gives the numbers of SciPy", () => {
  for (const { passed, count, low, high } of independent.wilson) {
    const interval = wilsonInterval(passed, count);
    assertAlmostEquals(interval.low, low, TOLERANCE);
    assertAlmostEquals(interval.high, high, TOLERANCE);
  }
});

Deno.test("evaluate() and compareEvaluations() give the numbers of NumPy on the same table", async () => {
  const { table, seed, resamples, candidate_pass } = independent.evaluation;
  const evaluated = async (model: "baseline" | "candidate") =>
    await evaluate({
      data: table.map((row) => ({
        id: row.id,
        inputs: { question: row.expected },
        outputs: row[model],
        expectations: { expected_response: row.expected },
      })),
      scorers: [exactMatch(), rougeL()],
    });
  const [baseline, candidate] = [await evaluated("baseline"), await evaluated("candidate")];
  const { scores } = compareEvaluations({ baseline, candidate }, { seed, resamples });
  for (const name of ["exact_match", "rougeL"] as const) {
    const expected = independent.evaluation[name];
    const comparison = scores[name];
    assert(comparison !== undefined);
    for (const [result, numbers] of [[baseline, expected.baseline], [candidate, expected.candidate]] as const) {
      assertAlmostEquals(result.metrics[`${name}/mean`] ?? NaN, numbers.mean, TOLERANCE);
      if (name === "exact_match") continue;
      assertAlmostEquals(result.metrics[`${name}/p50`] ?? NaN, numbers.p50, TOLERANCE);
      assertAlmostEquals(result.metrics[`${name}/p95`] ?? NaN, numbers.p95, TOLERANCE);
    }
    assertAlmostEquals(comparison.difference, expected.difference, TOLERANCE);
    // The same random numbers, made by another hand.
    assertAlmostEquals(comparison.interval.low, expected.interval[0] ?? NaN, TOLERANCE);
    assertAlmostEquals(comparison.interval.high, expected.interval[1] ?? NaN, TOLERANCE);
    // Others, which can only be near.
    assertAlmostEquals(comparison.interval.low, expected.scipy_interval[0] ?? NaN, 0.02);
    assertAlmostEquals(comparison.interval.high, expected.scipy_interval[1] ?? NaN, 0.02);
    assertEquals(comparison.improved.map(({ id }) => id).toSorted(), expected.improved.toSorted());
    assertEquals(comparison.regressed.map(({ id }) => id).toSorted(), expected.regressed.toSorted());
    assertEquals(comparison.same, table.length - expected.improved.length - expected.regressed.length);
  }
  assertEquals(scores.exact_match?.verdict, "better");
  const passRate = candidate.scores.get("exact_match")?.passRate;
  assertEquals(passRate?.passed, candidate_pass.passed);
  assertAlmostEquals(candidate.metrics["exact_match/pass_rate_low"] ?? NaN, candidate_pass.low, TOLERANCE);
  assertAlmostEquals(candidate.metrics["exact_match/pass_rate_high"] ?? NaN, candidate_pass.high, TOLERANCE);
});
