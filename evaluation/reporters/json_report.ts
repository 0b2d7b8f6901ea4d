import type { GateResult } from "../gate/mod.ts";
import type { EvaluationComparison, EvaluationSummary } from "../results/mod.ts";
import type { ReportedEvaluation } from "./reported_evaluation.ts";

/** A report as JSON. */
export interface JsonReport {
  /** The evaluation, all but its rows. */
  readonly candidate: EvaluationSummary;
  /** What it was compared with. */
  readonly baseline?: EvaluationSummary;
  /** How the two compare, with the rows that are better or worse. */
  readonly comparison?: EvaluationComparison;
  /** What became of the gate. */
  readonly gate?: GateResult;
}

/**
 * Puts a report together that programs can read. It names rows, but holds nothing of what was asked and answered.
 *
 * @param evaluation The evaluation, and what it was compared with and checked for.
 * @returns Plain JSON, for `JSON.stringify`.
 */
export function jsonReport({ candidate, baseline, comparison, gate }: ReportedEvaluation): JsonReport {
  return {
    candidate: candidate.toJSON(),
    ...(baseline !== undefined && { baseline: baseline.toJSON() }),
    ...(comparison !== undefined && { comparison }),
    ...(gate !== undefined && { gate }),
  };
}
