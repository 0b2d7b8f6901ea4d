/**
 * What an evaluation comes to: aggregates, metrics, the run in a store, and comparisons.
 *
 * @module
 */
export type { PassRate, ScoreAggregate, ScoreColumn } from "./aggregate.ts";
export {
  compareEvaluations,
  type CompareOptions,
  type EvaluationComparison,
  type RowDifference,
  type ScoreComparison,
} from "./compare.ts";
export { EvaluationResult, type EvaluationSummary, readEvaluation, type RowSource } from "./evaluation_result.ts";
export type { Interval } from "./statistics.ts";
