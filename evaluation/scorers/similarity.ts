import { ValidationError } from "../../types/mod.ts";
import { words } from "./_segments.ts";
import { compared, expectedTexts } from "./_texts.ts";
import type { Score, Scorer } from "./scorer.ts";

/** Options for scorers that tell how alike texts are. */
export interface SimilarityOptions {
  /** Name of the scores. Default: the scorer's own. */
  readonly name?: string;
  /** The least value with which a row passes, from 0 to 1. Default: rows neither pass nor fail. */
  readonly minimum?: number;
}

/**
 * How alike the answer and the expected response are by ROUGE-L: the F-measure of their longest common subsequence of
 * words. C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004). Words are found as Unicode divides
 * text, so it works in any language; without stemming. Of several expected responses, the most alike counts.
 *
 * @param options The limit.
 * @returns The scorer `rougeL`, as MLflow names it. Its values are numbers from 0 to 1; a row that the model fails on
 * counts as 0.
 * @throws {ValidationError} If the limit is not from 0 to 1.
 */
export function rougeL(options: SimilarityOptions = {}): Scorer {
  return similarity(
    "rougeL",
    options,
    (answer, expected) => fMeasure(longestCommonSubsequence(answer, expected), answer, expected),
  );
}

/**
 * How alike the answer and the expected response are by the words that they share, in any order: the F-measure that
 * question answering is measured by (SQuAD's F1), but without leaving articles out, which are of one language. Of several
 * expected responses, the most alike counts.
 *
 * @param options The limit.
 * @returns The scorer `token_f1`. Its values are numbers from 0 to 1; a row that the model fails on counts as 0.
 * @throws {ValidationError} If the limit is not from 0 to 1.
 */
export function tokenF1(options: SimilarityOptions = {}): Scorer {
  return similarity(
    "token_f1",
    options,
    (answer, expected) => fMeasure(sharedWords(answer, expected), answer, expected),
  );
}

function similarity(
  scorer: string,
  { name = scorer, minimum }: SimilarityOptions,
  measure: (answer: readonly string[], expected: readonly string[]) => number,
): Scorer {
  if (minimum !== undefined && !(typeof minimum === "number" && minimum >= 0 && minimum <= 1)) {
    throw new ValidationError(`Cannot make scorer "${name}"`, [{
      path: "minimum",
      message: "must be a number from 0 to 1",
    }]);
  }
  return {
    name,
    whenFailed: 0,
    config: { scorer, ...(minimum !== undefined && { minimum }) },
    score: ({ text, expectations }): Score => {
      const answer = words(text);
      const values = expectedTexts(expectations, name).map((expected) => {
        const wanted = words(expected);
        // Of signs alone, such as emoji, there are no words to compare.
        if (answer.length === 0 && wanted.length === 0) {
          return compared(text, false) === compared(expected, false) ? 1 : 0;
        }
        return measure(answer, wanted);
      });
      const value = Math.max(...values);
      return minimum === undefined ? { value } : { value, passed: value >= minimum };
    },
  };
}

function fMeasure(common: number, answer: readonly string[], expected: readonly string[]): number {
  if (common === 0) return 0;
  const precision = common / answer.length;
  const recall = common / expected.length;
  return 2 * precision * recall / (precision + recall);
}

function sharedWords(one: readonly string[], other: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const word of one) counts.set(word, (counts.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of other) {
    const left = counts.get(word) ?? 0;
    if (left === 0) continue;
    counts.set(word, left - 1);
    shared++;
  }
  return shared;
}

/** Length of the longest common subsequence. Takes time by the product of both lengths, memory by the second. */
function longestCommonSubsequence(one: readonly string[], other: readonly string[]): number {
  const ids = new Map<string, number>();
  const idOf = (word: string) => {
    let id = ids.get(word);
    if (id === undefined) ids.set(word, id = ids.size);
    return id;
  };
  const columns = Uint32Array.from(other, idOf);
  const lengths = new Uint32Array(columns.length + 1);
  for (const word of one) {
    const id = idOf(word);
    let diagonal = 0;
    for (let j = 1; j <= columns.length; j++) {
      const above = lengths[j] ?? 0;
      lengths[j] = columns[j - 1] === id ? diagonal + 1 : Math.max(above, lengths[j - 1] ?? 0);
      diagonal = above;
    }
  }
  return lengths[columns.length] ?? 0;
}
