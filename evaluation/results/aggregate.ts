import type { RowResult, RowScore } from "../run/row_result.ts";
import { type Interval, mean, quantile, wilsonInterval } from "./statistics.ts";

/** How many rows pass. */
export interface PassRate extends Interval {
  /** Share of rows that pass, from 0 to 1. */
  readonly rate: number;
  /** Rows that pass. */
  readonly passed: number;
  /** Rows of which it is known whether they pass. */
  readonly count: number;
}

/** The values of one score over all rows. */
export interface ScoreAggregate {
  /** Rows that have a value. */
  readonly count: number;
  /** Rows that have none: the scorer had nothing to say of them, or the model failed and the scorer does not count that. */
  readonly missing: number;
  /** Rows on which the scorer failed. */
  readonly errors: number;
  /** Whether all values are booleans (or "yes" and "no"), numbers, or something else, of which there is no mean. */
  readonly kind: "boolean" | "number" | "category" | "none";
  /** Arithmetic mean; `true` and "yes" are 1, `false` and "no" 0. */
  readonly mean?: number;
  /** Median, of numbers. */
  readonly p50?: number;
  /** 95th percentile, of numbers. */
  readonly p95?: number;
  /** Least value, of numbers. */
  readonly min?: number;
  /** Greatest value, of numbers. */
  readonly max?: number;
  /** How often each value occurs, of categories. */
  readonly categories?: { readonly [value: string]: number };
  /** How many rows pass, with the interval that Wilson's score gives with 95 % confidence; where that is known. */
  readonly passRate?: PassRate;
}

/** All values of one score, by the rows' indexes. */
export interface ScoreColumn {
  /** Numbers of the rows; `NaN` where a row has none. */
  readonly values: Float64Array;
  /** 1 where a row passes, 0 where it does not, -1 where that is not known. */
  readonly passed: Int8Array;
}

/** Puts the scores of all rows together. */
export class Aggregator {
  readonly #count: number;
  readonly #scores = new Map<string, OpenScore>();
  #failed = 0;
  #rows = 0;

  /**
   * Begins.
   *
   * @param count How many rows there are.
   * @param names Names of the scorers, in their order.
   */
  constructor(count: number, names: readonly string[]) {
    this.#count = count;
    for (const name of names) this.#score(name);
  }

  /** Takes the result of a row. */
  add({ index, state, scores }: RowResult): void {
    this.#rows++;
    if (state === "ERROR") this.#failed++;
    for (const [name, score] of Object.entries(scores)) this.#score(name).add(index, score);
  }

  /** Rows that the model failed on. */
  get failed(): number {
    return this.#failed;
  }

  /** The values by the scores' names; scorers that never gave a score are not among them. */
  columns(): Map<string, ScoreColumn> {
    return new Map(this.#known().map(([name, { values, passed }]) => [name, { values, passed }]));
  }

  /** The aggregates by the scores' names. */
  aggregates(): Map<string, ScoreAggregate> {
    return new Map(this.#known().map(([name, score]) => [name, score.aggregate(this.#rows)]));
  }

  #known(): [string, OpenScore][] {
    return [...this.#scores].filter(([, { seen }]) => seen);
  }

  #score(name: string): OpenScore {
    let score = this.#scores.get(name);
    if (score === undefined) this.#scores.set(name, score = new OpenScore(this.#count));
    return score;
  }
}

class OpenScore {
  readonly values: Float64Array;
  readonly passed: Int8Array;
  seen = false;
  #numbers = 0;
  #booleans = 0;
  #errors = 0;
  readonly #categories = new Map<string, number>();

  constructor(count: number) {
    this.values = new Float64Array(count).fill(NaN);
    this.passed = new Int8Array(count).fill(-1);
  }

  add(index: number, { value, passed, error }: RowScore): void {
    this.seen = true;
    if (error !== undefined) this.#errors++;
    if (passed !== undefined) this.passed[index] = passed ? 1 : 0;
    if (typeof value === "number") {
      this.values[index] = value;
      this.#numbers++;
    } else if (typeof value === "boolean" || value === "yes" || value === "no") {
      this.values[index] = value === true || value === "yes" ? 1 : 0;
      this.#booleans++;
    } else if (value !== null) this.#categories.set(value, (this.#categories.get(value) ?? 0) + 1);
  }

  aggregate(rows: number): ScoreAggregate {
    const texts = [...this.#categories.values()].reduce((sum, count) => sum + count, 0);
    const count = this.#numbers + this.#booleans + texts;
    const counts = { count, errors: this.#errors, missing: rows - count - this.#errors };
    const passRate = this.#passRate();
    const rest = passRate === undefined ? {} : { passRate };
    if (count === 0) return { ...counts, kind: "none", ...rest };
    // A mean over some of the values would say nothing of the rest.
    if (texts > 0) return { ...counts, kind: "category", categories: Object.fromEntries(this.#categories), ...rest };
    const sorted = this.values.filter((value) => !Number.isNaN(value)).sort();
    const average = mean(sorted);
    if (this.#numbers === 0) return { ...counts, kind: "boolean", mean: average, ...rest };
    return {
      ...counts,
      kind: "number",
      mean: average,
      p50: quantile(sorted, 0.5),
      p95: quantile(sorted, 0.95),
      min: sorted[0] ?? NaN,
      max: sorted[sorted.length - 1] ?? NaN,
      ...rest,
    };
  }

  #passRate(): PassRate | undefined {
    let [passed, count] = [0, 0];
    for (const mark of this.passed) {
      if (mark === 1) passed++;
      if (mark >= 0) count++;
    }
    if (count === 0) return undefined;
    return { rate: passed / count, passed, count, ...wilsonInterval(passed, count) };
  }
}
