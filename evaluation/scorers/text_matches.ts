import { ValidationError } from "../../types/mod.ts";
import { compared, type ComparisonOptions, expectedTexts, isTexts, missing } from "./_texts.ts";
import type { Scorer } from "./scorer.ts";

/** Options for {@linkcode contains}. */
export interface ContainsOptions extends ComparisonOptions {
  /**
   * What the answer must contain, for all rows. Default: of each row its `expectations.expected_facts` if it has some,
   * else one of its `expectations.expected_response`.
   */
  readonly texts?: readonly string[];
}

/**
 * Whether the answer contains what it must, word for word: all of `texts` or of the row's `expected_facts`; or its
 * `expected_response`.
 *
 * @param options What must be contained, and how texts are compared.
 * @returns The scorer `contains`. Its values are booleans; the rationale counts what is missing. A row that the model
 * fails on counts as `false`.
 * @throws {ValidationError} If `texts` is empty.
 */
export function contains(options: ContainsOptions = {}): Scorer {
  const { texts, ignoreCase = false, name = "contains" } = options;
  if (texts !== undefined && (!isTexts(texts) || texts.length === 0)) {
    throw new ValidationError(`Cannot make scorer "${name}"`, [{
      path: "texts",
      message: "must be at least one text",
    }]);
  }
  return {
    name,
    whenFailed: false,
    config: { scorer: "contains", ignoreCase, ...(texts !== undefined && { texts: [...texts] }) },
    score: ({ text, expectations }) => {
      const answer = compared(text, ignoreCase);
      const isIn = (wanted: string) => answer.includes(compared(wanted, ignoreCase));
      const facts: unknown = texts ?? expectations.expected_facts;
      if (facts === undefined) return expectedTexts(expectations, name).some(isIn);
      if (!isTexts(facts) || facts.length === 0) throw missing(name, "expected_facts", "must be at least one text");
      const found = facts.filter(isIn).length;
      return {
        value: found === facts.length,
        ...(found < facts.length &&
          { rationale: `${facts.length - found} of ${facts.length} texts are not in the answer` }),
      };
    },
  };
}

/** Options for {@linkcode regexMatch}. */
export interface RegexMatchOptions {
  /** Name of the scores. @default {"regex_match"} */
  readonly name?: string;
  /**
   * What the answer must match, anywhere in it. Default: of each row its `expectations.expected_pattern`, which is read
   * with the flag `u`. It runs without a time limit: patterns must be of those who may be trusted.
   */
  readonly pattern?: RegExp | string;
}

/**
 * Whether the answer matches a regular expression.
 *
 * @param options The expression.
 * @returns The scorer `regex_match`. Its values are booleans; a row that the model fails on counts as `false`.
 * @throws {ValidationError} If the pattern is none.
 */
export function regexMatch(options: RegexMatchOptions = {}): Scorer {
  const { pattern, name = "regex_match" } = options;
  const given = pattern === undefined
    ? undefined
    : toRegExp(pattern, { action: `make scorer "${name}"`, path: "pattern" });
  return {
    name,
    whenFailed: false,
    config: { scorer: "regex_match", ...(given !== undefined && { pattern: String(given) }) },
    score: ({ text, expectations }) => {
      const { expected_pattern: own } = expectations;
      if (given === undefined && typeof own !== "string") {
        throw missing(name, "expected_pattern", "must be a regular expression");
      }
      const path = "expectations.expected_pattern";
      const expression = given ?? toRegExp(String(own), { action: `score by "${name}"`, path });
      // With the flags g and y an expression goes on where it was.
      expression.lastIndex = 0;
      return expression.test(text);
    },
  };
}

function toRegExp(
  pattern: RegExp | string,
  { action, path }: { readonly action: string; readonly path: string },
): RegExp {
  try {
    return typeof pattern === "string" ? new RegExp(pattern, "u") : new RegExp(pattern);
  } catch (cause) {
    throw new ValidationError(`Cannot ${action}`, [{ path, message: "is no regular expression" }], { cause });
  }
}
