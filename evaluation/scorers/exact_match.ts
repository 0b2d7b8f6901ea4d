import type { Scorer } from "./scorer.ts";
import { anyOf, compared, type ComparisonOptions, expectedTexts } from "./_texts.ts";

/**
 * Whether the answer is the expected response (`expectations.expected_response`), white space around it aside.
 *
 * @param options How texts are compared.
 * @returns The scorer `exact_match`. Its values are booleans; a row that the model fails on counts as `false`.
 */
export function exactMatch(options: ComparisonOptions = {}): Scorer {
  const { ignoreCase = false, name = "exact_match" } = options;
  return {
    name,
    whenFailed: false,
    config: { scorer: "exact_match", ignoreCase },
    score: ({ text, expectations }) => {
      const answer = compared(text, ignoreCase);
      return anyOf(expectedTexts(expectations, name), (expected) => answer === compared(expected, ignoreCase));
    },
  };
}
