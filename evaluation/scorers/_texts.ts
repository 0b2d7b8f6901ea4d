import { ValidationError } from "../../types/mod.ts";
import type { Expectations } from "../data/mod.ts";

/** Options for scorers that compare texts. */
export interface ComparisonOptions {
  /** Name of the scores. Default: the scorer's own. */
  readonly name?: string;
  /** Whether upper and lower case are the same. @default {false} */
  readonly ignoreCase?: boolean;
}

/**
 * A text as it is compared: in Unicode's form NFC, without white space around it.
 *
 * @param text The text.
 * @param ignoreCase Whether upper and lower case are the same.
 * @returns The text to compare.
 */
export function compared(text: string, ignoreCase: boolean): string {
  const plain = text.normalize("NFC").trim();
  return ignoreCase ? plain.toLowerCase() : plain;
}

/**
 * The texts that are right.
 *
 * @param expectations What is known to be right.
 * @param scorer Name of the scorer, for the error.
 * @returns At least one text.
 * @throws {ValidationError} If there is none.
 */
export function expectedTexts(expectations: Expectations, scorer: string): readonly string[] {
  const expected: unknown = expectations.expected_response;
  if (typeof expected === "string") return [expected];
  if (isTexts(expected) && expected.length > 0) return expected;
  throw missing(scorer, "expected_response", "must be a text, or a list of texts that are all right");
}

/** A row has not the expectation that a scorer compares with. */
export function missing(scorer: string, name: string, message: string): ValidationError {
  return new ValidationError(`Cannot score by "${scorer}"`, [{ path: `expectations.${name}`, message }]);
}

/** Whether something is so of one of them. */
export function anyOf(texts: readonly string[], isSo: (text: string) => boolean): boolean {
  return texts.some(isSo);
}

/** Whether a value is a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
