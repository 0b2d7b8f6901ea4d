import { ChatModelError, ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { asJson, isRecord } from "../_canonical_json.ts";
import type { RowScore } from "../run/row_result.ts";
import type { Scorer, ScorerResult, ScorerSource, ScoreValue } from "./scorer.ts";

/** What MLflow takes as a part of a metric's name; a slash would make `<name>/mean` ambiguous. */
const NAME = /^[A-Za-z0-9_](?:[\w .-]{0,198}[\w.-])?$/;

/**
 * Makes scorers of functions, and refuses what is none.
 *
 * @param sources The scorers.
 * @returns The scorers, each with a name of its own.
 * @throws {ValidationError} If one is no scorer, has no fit name, or two have the same.
 */
export function normaliseScorers(sources: readonly ScorerSource[]): readonly Scorer[] {
  const given: unknown = sources;
  if (!Array.isArray(given)) {
    throw new ValidationError("Cannot evaluate", [{ path: "scorers", message: "must be a list of scorers" }]);
  }
  const issues: ValidationIssue[] = [];
  const names = new Set<string>();
  const scorers: Scorer[] = [];
  sources.forEach((source, index) => {
    const scorer = toScorer(source);
    const path = `scorers.${index}`;
    if (scorer === undefined) {
      issues.push({ path, message: 'must be a function, or an object with "name" and "score"' });
    } else if (!isScoreName(scorer.name)) {
      issues.push({
        path: `${path}.name`,
        message: scorer.name === ""
          ? "is empty: give the function a name, or write { name, score }"
          : 'must consist of letters, digits, "_", "-", "." and spaces, at most 200',
      });
    } else if (names.has(scorer.name)) {
      issues.push({ path: `${path}.name`, message: `is the name of two scorers: "${scorer.name}"` });
    } else {
      names.add(scorer.name);
      scorers.push(scorer);
    }
  });
  if (issues.length > 0) throw new ValidationError("Cannot evaluate", issues);
  return scorers;
}

function toScorer(source: ScorerSource): Scorer | undefined {
  if (typeof source === "function") return { name: source.name, score: source };
  const given: unknown = source;
  return isRecord(given) && typeof given.name === "string" && typeof given.score === "function" ? source : undefined;
}

/** Whether scores can have a name: it becomes a part of a metric's. */
export function isScoreName(name: string): boolean {
  // An object cannot have a member of that name that is its own by assignment.
  return NAME.test(name) && name !== "__proto__";
}

/**
 * What a scorer returned, as it is kept.
 *
 * @param result What it returned.
 * @param scorer The scorer.
 * @returns Scores by name.
 * @throws {ChatModelError} With code `invalid_value` if it cannot be understood.
 */
export function toRowScores(result: ScorerResult, scorer: Scorer): readonly (readonly [string, RowScore])[] {
  const given: unknown = result;
  if (!Array.isArray(given)) return [toRowScore(given, scorer)];
  const scores = given.map((item: unknown) => toRowScore(item, scorer));
  if (new Set(scores.map(([name]) => name)).size < scores.length) {
    throw refuse(scorer, "gave two scores of one name. Give each its own");
  }
  return scores;
}

function toRowScore(given: unknown, scorer: Scorer): readonly [string, RowScore] {
  if (!isRecord(given)) return [scorer.name, withPassed(toValue(given, scorer))];
  const { value, name = scorer.name, passed, rationale, metadata } = given;
  if (!("value" in given)) throw refuse(scorer, 'gave an object without "value"');
  if (typeof name !== "string" || !isScoreName(name)) throw refuse(scorer, "gave a score whose name is none");
  if (passed !== undefined && typeof passed !== "boolean") throw refuse(scorer, 'gave "passed" that is no boolean');
  if (rationale !== undefined && typeof rationale !== "string") {
    throw refuse(scorer, 'gave a "rationale" that is no text');
  }
  const kept: unknown = metadata === undefined ? undefined : asJson(metadata);
  if (kept !== undefined && !isJsonObject(kept)) throw refuse(scorer, 'gave "metadata" that is no object');
  return [name, {
    ...withPassed(toValue(value, scorer)),
    ...(passed !== undefined && { passed }),
    ...(rationale !== undefined && rationale !== "" && { rationale }),
    ...(kept !== undefined && { metadata: kept }),
  }];
}

function toValue(value: unknown, scorer: Scorer): ScoreValue | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw refuse(scorer, `gave ${value}, which is no score`);
  }
  throw refuse(
    scorer,
    `gave ${Array.isArray(value) ? "a list" : `a value of type ${typeof value}`}, which is no score`,
  );
}

/** A score of which is known whether the row passes, as far as the value tells. */
export function withPassed(value: ScoreValue | null): RowScore {
  if (typeof value === "boolean") return { value, passed: value };
  if (value === "yes" || value === "no") return { value, passed: value === "yes" };
  return { value };
}

function isJsonObject(value: unknown): value is NonNullable<RowScore["metadata"]> {
  return isRecord(value);
}

function refuse(scorer: Scorer, problem: string): ChatModelError {
  return new ChatModelError(`Cannot score by "${scorer.name}": it ${problem}`, { code: "invalid_value" });
}
