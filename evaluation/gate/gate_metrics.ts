import { nearName } from "../../_near_names.ts";
import { ValidationError } from "../../types/mod.ts";
import type { EvaluationComparison, EvaluationResult } from "../results/mod.ts";
import type { GateCondition } from "./parse_gate.ts";

/** What a score may have: metrics of these names. */
const PARTS: readonly string[] = ["mean", "p50", "p95", "pass_rate", "pass_rate_low", "pass_rate_high", "errors"];
/** And these, where there is a baseline. */
const COMPARED: readonly string[] = ["difference", "difference_low", "difference_high"];
/** Metrics of no score. */
const ROWS: readonly string[] = ["rows/count", "rows/failed"];

/** Ends of the interval that holds the pass rate, by short names. */
const ENDS: ReadonlyMap<string, string> = new Map([["lower", "pass_rate_low"], ["upper", "pass_rate_high"]]);

/**
 * Names of the metrics that an evaluation may have, so that a gate can be checked before anyone is asked.
 *
 * @param scores Names of the scores.
 * @param options Whether there is a baseline.
 * @returns The names.
 */
export function gateMetrics(
  scores: readonly string[],
  { hasBaseline }: { readonly hasBaseline: boolean },
): readonly string[] {
  const parts = hasBaseline ? [...PARTS, ...COMPARED] : PARTS;
  return [...scores.flatMap((score) => parts.map((part) => `${score}/${part}`)), ...ROWS];
}

/**
 * The values that a gate looks at: the metrics as they are logged; `<score>/errors` also where there are none; and, with
 * a comparison, `<score>/difference` to the baseline with its 95 % interval, `/difference_low` and `/difference_high`.
 *
 * @param result The evaluation.
 * @param comparison How it compares with the baseline.
 * @returns The values by their names.
 */
export function gateValues(result: EvaluationResult, comparison?: EvaluationComparison): ReadonlyMap<string, number> {
  const values = new Map(Object.entries(result.metrics));
  for (const [score, { errors }] of result.scores) values.set(`${score}/errors`, errors);
  for (const [score, { difference, interval }] of Object.entries(comparison?.scores ?? {})) {
    values.set(`${score}/difference`, difference);
    values.set(`${score}/difference_low`, interval.low);
    values.set(`${score}/difference_high`, interval.high);
  }
  return values;
}

/**
 * The metric that a condition names: as it is logged (`latency/p95`), with `_` for `/` (`latency_p95`), by the score
 * alone (`exact_match`: its mean, else its pass rate), or an end of the pass rate's interval (`exact_match.lower`,
 * `exact_match.upper`).
 *
 * @param condition The condition.
 * @param known Names of the metrics that there are.
 * @returns The metric's name.
 * @throws {ValidationError} If there is no such metric, naming those that there are, or it may be one of several.
 */
export function resolveMetric({ metric, text }: GateCondition, known: Iterable<string>): string {
  const names = [...known];
  const found = findMetric(metric, names);
  if (found.length === 1 && found[0] !== undefined) return found[0];
  if (found.length > 1) {
    throw refuse(`"${text}" may mean ${found.map((name) => `"${name}"`).join(" or ")}: write one of these`);
  }
  const near = nearName(metric, [...names, ...names.map(shortName), ...names.map(scoreOf)]);
  throw refuse(
    `"${text}" names no metric that there is${near === undefined ? "" : `: did you mean "${near}"?`}` +
      `${near === undefined ? ":" : ""} There are ${names.join(", ")}`,
  );
}

/** The metrics that a name may mean among those that there are; none if there is no such. */
export function findMetric(metric: string, names: readonly string[]): readonly string[] {
  if (names.includes(metric)) return [metric];
  const found = names.filter((name) => shortName(name) === metric);
  // A score's own name may end like another's metric: then it is for the writer to say.
  const whole = [`${metric}/mean`, `${metric}/pass_rate`].find((name) => names.includes(name));
  const [, score = "", end = ""] = /^(.*)\.(lower|upper)$/.exec(metric) ?? [];
  const bound = `${score}/${ENDS.get(end)}`;
  return [...new Set([...found, ...whole === undefined ? [] : [whole], ...names.includes(bound) ? [bound] : []])];
}

function shortName(name: string): string {
  return name.replaceAll("/", "_");
}

function scoreOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/"));
}

function refuse(message: string): ValidationError {
  return new ValidationError("Cannot check gate", [{ path: "gate", message }]);
}
