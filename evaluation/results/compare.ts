import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { randomIndexes } from "../_random.ts";
import type { EvaluationResult } from "./evaluation_result.ts";
import { type Interval, mean, quantile } from "./statistics.ts";

/** Options for {@linkcode compareEvaluations}. */
export interface CompareOptions {
  /** Seed of the bootstrap: the same gives the same interval. @default {0} */
  readonly seed?: number;
  /** How many samples are drawn for an interval. Default: 10 000; of more than 1000 rows fewer, 1000 at least. */
  readonly resamples?: number;
  /** The least difference of a row that counts as better or worse. @default {0} */
  readonly tolerance?: number;
}

/** A row of two evaluations, by one score. */
export interface RowDifference {
  /** Names the row. */
  readonly id: string;
  /** Its number in the baseline; `true` and "yes" are 1, `false` and "no" 0. */
  readonly baseline: number;
  /** Its number in the candidate. */
  readonly candidate: number;
}

/** Two evaluations compared by one score. */
export interface ScoreComparison {
  /** Whether more is better. */
  readonly better: "higher" | "lower";
  /** Rows that have a number in both. */
  readonly count: number;
  /** Mean of those rows in the baseline. */
  readonly baselineMean: number;
  /** Mean of those rows in the candidate. */
  readonly candidateMean: number;
  /** What the candidate has more than the baseline, in the mean. */
  readonly difference: number;
  /**
   * The interval that holds the difference with 95 % confidence: percentiles of the means of samples that are drawn from
   * the rows' differences (paired bootstrap).
   */
  readonly interval: Interval;
  /** What the interval says: `undecided` if it holds 0. */
  readonly verdict: "better" | "worse" | "undecided";
  /** Rows in which the candidate is better, those that gained most first. */
  readonly improved: readonly RowDifference[];
  /** Rows in which it is worse, those that lost most first. */
  readonly regressed: readonly RowDifference[];
  /** How many rows are the same. */
  readonly same: number;
  /** Rows that have no number in one of them or in both, though both have the row. */
  readonly unscored: readonly string[];
}

/** What two evaluations have to say of each other. */
export interface EvaluationComparison {
  /** The comparisons by the scores' names; scores without numbers, or that only one of them has, are not among them. */
  readonly scores: { readonly [name: string]: ScoreComparison };
  /** Rows that only the baseline has. */
  readonly onlyInBaseline: readonly string[];
  /** Rows that only the candidate has. */
  readonly onlyInCandidate: readonly string[];
  /** Scores that only one of them has, or that have no numbers in rows that both have. */
  readonly uncompared: readonly string[];
}

/**
 * Compares two evaluations row by row: rows of one name belong together.
 *
 * @param baseline What there was.
 * @param candidate What is to be better.
 * @param options Seed and number of samples.
 * @returns The comparison by score.
 * @throws {ValidationError} If an option cannot be, or the two have no row in common.
 */
export function compareEvaluations(
  { baseline, candidate }: { readonly baseline: EvaluationResult; readonly candidate: EvaluationResult },
  options: CompareOptions = {},
): EvaluationComparison {
  const { seed = 0, resamples = defaultResamples(candidate.ids.length), tolerance = 0 } = options;
  checkOptions({ seed, resamples, tolerance });
  const places = new Map(baseline.ids.map((id, index) => [id, index]));
  const pairs = candidate.ids.flatMap((id, index) => {
    const place = places.get(id);
    return place === undefined ? [] : [{ id, place, index }];
  });
  if (pairs.length === 0) {
    throw new ValidationError("Cannot compare evaluations", [{
      path: "candidate",
      message: "has no row in common with the baseline. Evaluate both on the same data, or give the rows ids",
    }]);
  }
  const scores: { [name: string]: ScoreComparison } = {};
  const uncompared = new Set<string>();
  const both = new Set(pairs.map(({ id }) => id));
  for (const name of new Set([...baseline.columns.keys(), ...candidate.columns.keys()])) {
    const [before, after] = [baseline.columns.get(name), candidate.columns.get(name)];
    const better = candidate.config.scorers.find((scorer) => scorer.name === name)?.better ?? "higher";
    const rows = pairs.map(({ id, place, index }): RowDifference => ({
      id,
      baseline: before?.values[place] ?? NaN,
      candidate: after?.values[index] ?? NaN,
    }));
    const comparison = before && after && compareRows(rows, { better, seed, resamples, tolerance });
    if (comparison === undefined) uncompared.add(name);
    else scores[name] = comparison;
  }
  return {
    scores,
    onlyInBaseline: baseline.ids.filter((id) => !both.has(id)),
    onlyInCandidate: candidate.ids.filter((id) => !both.has(id)),
    uncompared: [...uncompared],
  };
}

/** The more rows, the less the samples differ: so many that a comparison takes no more than a second or two. */
function defaultResamples(rows: number): number {
  return Math.min(10_000, Math.max(1_000, Math.floor(10_000_000 / rows)));
}

function compareRows(
  rows: readonly RowDifference[],
  { better, seed, resamples, tolerance }: Required<CompareOptions> & { readonly better: "higher" | "lower" },
): ScoreComparison | undefined {
  const scored = rows.filter(isScored);
  if (scored.length === 0) return undefined;
  const differences = Float64Array.from(scored, ({ baseline, candidate }) => candidate - baseline);
  const interval = pairedBootstrap(differences, { seed, resamples });
  const gain = (row: RowDifference) => (row.candidate - row.baseline) * (better === "higher" ? 1 : -1);
  const improved = scored.filter((row) => gain(row) > tolerance).sort((a, b) => gain(b) - gain(a));
  const regressed = scored.filter((row) => gain(row) < -tolerance).sort((a, b) => gain(a) - gain(b));
  const [certainlyMore, certainlyLess] = [interval.low > 0, interval.high < 0];
  return {
    better,
    count: scored.length,
    baselineMean: mean(scored.map(({ baseline }) => baseline)),
    candidateMean: mean(scored.map(({ candidate }) => candidate)),
    difference: mean(differences),
    interval,
    verdict: !certainlyMore && !certainlyLess
      ? "undecided"
      : certainlyMore === (better === "higher")
      ? "better"
      : "worse",
    improved,
    regressed,
    same: scored.length - improved.length - regressed.length,
    unscored: rows.filter((row) => !isScored(row)).map(({ id }) => id),
  };
}

/**
 * The interval that holds the mean of differences with 95 % confidence, by the bootstrap's percentiles: B. Efron and
 * R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
 *
 * @param differences At least one difference.
 * @param options The seed, and how many samples are drawn.
 * @returns The interval.
 */
export function pairedBootstrap(
  differences: Float64Array,
  { seed, resamples }: { readonly seed: number; readonly resamples: number },
): Interval {
  const { length } = differences;
  const draw = randomIndexes(seed);
  const means = new Float64Array(resamples);
  for (let sample = 0; sample < resamples; sample++) {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += differences[draw(length)] ?? 0;
    means[sample] = sum / length;
  }
  means.sort();
  return { low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

function isScored({ baseline, candidate }: RowDifference): boolean {
  return !Number.isNaN(baseline) && !Number.isNaN(candidate);
}

function checkOptions({ seed, resamples, tolerance }: Required<CompareOptions>): void {
  const issues: ValidationIssue[] = [];
  if (!Number.isSafeInteger(seed) || seed < 0) {
    issues.push({ path: "seed", message: "must be a whole number of at least 0" });
  }
  if (!Number.isSafeInteger(resamples) || resamples < 100 || resamples > 10_000_000) {
    issues.push({ path: "resamples", message: "must be a whole number from 100 to 10000000" });
  }
  if (!(tolerance >= 0)) issues.push({ path: "tolerance", message: "must be a number of at least 0" });
  if (issues.length > 0) throw new ValidationError("Cannot compare evaluations", issues);
}
