import { ValidationError } from "../../types/mod.ts";
import { missing } from "./_texts.ts";
import type { Scorer } from "./scorer.ts";

/** Options for {@linkcode numericTolerance}. */
export interface NumericToleranceOptions {
  /** Name of the scores. @default {"numeric_tolerance"} */
  readonly name?: string;
  /** Greatest difference. @default {0} */
  readonly absolute?: number;
  /** Greatest difference as a share of the expected number, such as 0.01. The larger of both counts. @default {1e-9} */
  readonly relative?: number;
  /** Which number of the answer counts, if it is no number as a whole. @default {"last"} */
  readonly take?: "first" | "last";
}

/** A number as JSON writes it. It may have a sign, but not where it is a dash: in `1-2`, `A-4`. */
const NUMBER = /(?<![\p{L}\p{N}_.])(?:(?<![\p{L}\p{N}_)\]])[-−])?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_])/gu;

/**
 * Whether the number in the answer is the expected one (`expectations.expected_value`, or the number of
 * `expected_response`), within a tolerance. Numbers are read with a point before their fraction, and without separators
 * of thousands.
 *
 * @param options The tolerance.
 * @returns The scorer `numeric_tolerance`. Its values are booleans; the rationale has both numbers. A row that the model
 * fails on counts as `false`.
 * @throws {ValidationError} If a tolerance is negative or no number.
 */
export function numericTolerance(options: NumericToleranceOptions = {}): Scorer {
  const { absolute = 0, relative = 1e-9, take = "last", name = "numeric_tolerance" } = options;
  for (const [path, value] of Object.entries({ absolute, relative })) {
    if (typeof value === "number" && value >= 0) continue;
    throw new ValidationError(`Cannot make scorer "${name}"`, [{ path, message: `must be a number of at least 0` }]);
  }
  return {
    name,
    whenFailed: false,
    config: { scorer: "numeric_tolerance", absolute, relative, take },
    score: ({ text, expectations }) => {
      const { expected_value, expected_response } = expectations;
      const expected = toNumber(expected_value ?? expected_response);
      if (expected === undefined) {
        throw missing(name, "expected_value", 'must be a number; or "expected_response" must be the text of one');
      }
      const found = toNumber(text) ?? toNumber([...text.matchAll(NUMBER)].at(take === "last" ? -1 : 0)?.[0]);
      if (found === undefined) return { value: false, rationale: "The answer has no number" };
      const isNear = Math.abs(found - expected) <= Math.max(absolute, relative * Math.abs(expected));
      return { value: isNear, rationale: `The answer has ${found}, expected is ${expected}` };
    },
  };
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim().replace("−", "-");
  if (!/^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
