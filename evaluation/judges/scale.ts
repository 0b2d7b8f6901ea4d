import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import type { ScoreValue } from "../scorers/scorer.ts";

/** Whole numbers from one to another, both included. */
export interface NumberScale {
  /** The lowest. */
  readonly min: number;
  /** The highest; at most 100 above the lowest. */
  readonly max: number;
  /** The lowest with which a row passes. Default: it is not known whether it passes. */
  readonly passing?: number;
}

/** One of several words. */
export interface CategoryScale {
  /** The words, at least two. */
  readonly categories: readonly string[];
  /** Those with which a row passes. Default: it is not known whether it passes. */
  readonly passing?: readonly string[];
}

/** What a judge may say: `"yes_no"`, as MLflow's judges do, whole numbers, or one of several words. */
export type JudgeScale = "yes_no" | NumberScale | CategoryScale;

/** Most numbers of a scale: models do not tell more apart. */
const MOST_STEPS = 100;

/** A scale, ready to be asked for and to be read. */
export interface ReadyScale {
  /** The scale as JSON Schema. */
  readonly schema: { readonly [keyword: string]: unknown };
  /** The scale in words. */
  readonly words: string;
  /** What a row counts as that the model failed on; `undefined` if it does not count. */
  readonly worst: ScoreValue | undefined;
  /** The value that a judge gave, as it is kept; `undefined` if it is not on the scale. */
  read(value: unknown): ScoreValue | undefined;
  /** Whether a row passes with a value, if that is known. */
  passes(value: ScoreValue): boolean | undefined;
}

/**
 * Checks a scale and makes it ready.
 *
 * @param scale The scale.
 * @param judge Name of the judge, for the error.
 * @returns The scale, ready to be used.
 * @throws {ValidationError} If it is no scale.
 */
export function readyScale(scale: JudgeScale, judge: string): ReadyScale {
  if (scale === "yes_no") return categoryScale({ categories: ["yes", "no"], passing: ["yes"] }, "no");
  const given: unknown = scale;
  if (typeof given !== "object" || given === null) {
    throw fault(judge, [{
      path: "scale",
      message: 'must be "yes_no", { min, max }, or { categories: […] }',
    }]);
  }
  const issues = "categories" in scale ? categoryIssues(scale) : numberIssues(scale);
  if (issues.length > 0) throw fault(judge, issues);
  return "categories" in scale ? categoryScale(scale, undefined) : numberScale(scale);
}

function categoryScale({ categories, passing }: CategoryScale, worst: string | undefined): ReadyScale {
  const bySpelling = new Map(categories.map((category) => [category.toLowerCase(), category]));
  return {
    schema: { type: "string", enum: [...categories] },
    words: `one of ${categories.map((category) => JSON.stringify(category)).join(", ")}`,
    worst,
    // Upper case is a slip of models without structured output, not another verdict.
    read: (value) => typeof value === "string" ? bySpelling.get(value.trim().toLowerCase()) : undefined,
    passes: (value) => passing === undefined ? undefined : passing.some((category) => category === value),
  };
}

function numberScale({ min, max, passing }: NumberScale): ReadyScale {
  return {
    schema: { type: "integer", minimum: min, maximum: max },
    words: `a whole number from ${min} to ${max}`,
    worst: min,
    read: (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
    passes: (value) => passing === undefined || typeof value !== "number" ? undefined : value >= passing,
  };
}

function numberIssues({ min, max, passing }: NumberScale): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  if (!Number.isSafeInteger(min)) issues.push({ path: "scale.min", message: "must be a whole number" });
  if (!Number.isSafeInteger(max)) issues.push({ path: "scale.max", message: "must be a whole number" });
  if (issues.length === 0 && (max <= min || max - min > MOST_STEPS)) {
    issues.push({ path: "scale.max", message: `must be above "min", by at most ${MOST_STEPS}` });
  }
  if (passing !== undefined && !(passing >= min && passing <= max)) {
    issues.push({ path: "scale.passing", message: 'must lie between "min" and "max"' });
  }
  return issues;
}

function categoryIssues({ categories, passing = [] }: CategoryScale): ValidationIssue[] {
  const given: unknown = categories;
  if (!Array.isArray(given) || given.some((category) => typeof category !== "string" || category.trim() === "")) {
    return [{ path: "scale.categories", message: "must be a list of words" }];
  }
  const known = new Set(categories.map((category) => category.toLowerCase()));
  if (known.size < 2 || known.size < categories.length) {
    return [{ path: "scale.categories", message: "must be at least two words, all different" }];
  }
  return passing.filter((category) => !categories.includes(category)).map((category) => ({
    path: "scale.passing",
    message: `must consist of categories, which "${category}" is not`,
  }));
}

function fault(judge: string, issues: readonly ValidationIssue[]): ValidationError {
  return new ValidationError(`Cannot make judge "${judge}"`, issues);
}
