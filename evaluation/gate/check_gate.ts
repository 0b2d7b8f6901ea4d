import { ValidationError } from "../../types/mod.ts";
import type { EvaluationComparison, EvaluationResult } from "../results/mod.ts";
import { findMetric, gateMetrics, gateValues, resolveMetric } from "./gate_metrics.ts";
import type { GateCondition, GateOperator } from "./parse_gate.ts";

/** Share up to which two numbers differ by rounding alone. */
const ROUNDING = 1e-12;

/** What became of a condition. */
export interface ConditionResult {
  /** The condition, as it was written. */
  readonly condition: string;
  /** Name of the metric, as it is logged. */
  readonly metric: string;
  /** Its value; absent where it has none. */
  readonly value?: number;
  /** What it was compared with; absent where the baseline has no value. */
  readonly limit?: number;
  /** Whether the condition holds. */
  readonly holds: boolean;
  /** Why it does or does not, for people. */
  readonly reason: string;
}

/** What became of a gate. */
export interface GateResult {
  /** Whether all conditions hold. */
  readonly holds: boolean;
  /** The conditions in their order. */
  readonly conditions: readonly ConditionResult[];
}

/**
 * Checks whether an evaluation holds what a gate asks for. A metric without a value holds no condition. Numbers that
 * differ by no more than rounding does (a share of 1e-12) count as equal.
 *
 * @example Usage
 * ```ts
 * import { ChatModel } from "@chatmodel/chat-model";
 * import { checkGate, evaluate, exactMatch, parseGate } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * class Polite extends ChatModel {
 *   override predict() {
 *     return "Hello";
 *   }
 * }
 *
 * const candidate = await evaluate({
 *   model: Polite,
 *   data: [{ inputs: "Hi", expectations: { expected_response: "Hello" } }],
 *   scorers: [exactMatch()],
 * });
 * const { holds } = checkGate(parseGate("exact_match >= 0.8, rows_failed == 0"), { candidate });
 * assertEquals(holds, true);
 * ```
 *
 * @param conditions The conditions, of `parseGate`.
 * @param evaluations What is checked, what limits refer to as `baseline`, and how the two compare, for
 * `<score>/difference`.
 * @returns What became of each condition.
 * @throws {ValidationError} If a condition names a metric that there is not, or needs a baseline where there is none.
 */
export function checkGate(
  conditions: readonly GateCondition[],
  { candidate, baseline, comparison }: {
    readonly candidate: EvaluationResult;
    readonly baseline?: EvaluationResult | undefined;
    readonly comparison?: EvaluationComparison | undefined;
  },
): GateResult {
  const values = gateValues(candidate, comparison);
  const before = baseline && gateValues(baseline);
  const scores = [...candidate.config.scorers.map(({ name }) => name), ...candidate.scores.keys()];
  const possible = new Set(gateMetrics(scores, { hasBaseline: baseline !== undefined }));
  for (const name of values.keys()) possible.add(name);
  const results = conditions.map((condition) => {
    // What has a value comes first; what only might have one is no slip of the pen, and holds nothing.
    const [only, ...others] = findMetric(condition.metric, [...values.keys()]);
    const metric = only !== undefined && others.length === 0 ? only : resolveMetric(condition, possible);
    return checkCondition(condition, { metric, value: values.get(metric), before });
  });
  return { holds: results.every(({ holds }) => holds), conditions: results };
}

function checkCondition(
  { text, operator, limit }: GateCondition,
  { metric, value, before }: {
    readonly metric: string;
    readonly value: number | undefined;
    readonly before: ReadonlyMap<string, number> | undefined;
  },
): ConditionResult {
  let bound: number | undefined;
  if (limit.kind === "number") bound = limit.value;
  else if (before === undefined) {
    throw new ValidationError("Cannot check gate", [{
      path: "gate",
      message: `"${text}" compares with a baseline, but there is none`,
    }]);
  } else bound = toBound(before.get(metric), limit);
  const known = { condition: text, metric };
  if (value === undefined || !Number.isFinite(value)) {
    return { ...known, holds: false, reason: `${metric} has no value: nothing was scored` };
  }
  if (bound === undefined) {
    return { ...known, value, holds: false, reason: `${metric} has no value in the baseline` };
  }
  const holds = compares(value, operator, bound);
  const [shown, wanted] = holds || short(value) !== short(bound) ? [short(value), short(bound)] : [value, bound];
  const reason = `${metric} is ${shown}, ${holds ? "as" : "but"} it must be ${operator} ${wanted}`;
  return { ...known, value, limit: bound, holds, reason };
}

function toBound(
  value: number | undefined,
  { factor, offset }: { readonly factor: number; readonly offset: number },
): number | undefined {
  const bound = value === undefined ? NaN : factor * value + offset;
  return Number.isFinite(bound) ? bound : undefined;
}

function compares(value: number, operator: GateOperator, bound: number): boolean {
  const isEqual = Math.abs(value - bound) <= ROUNDING * Math.max(Math.abs(value), Math.abs(bound));
  switch (operator) {
    case ">=":
      return isEqual || value > bound;
    case "<=":
      return isEqual || value < bound;
    case ">":
      return !isEqual && value > bound;
    case "<":
      return !isEqual && value < bound;
    case "==":
      return isEqual;
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}
