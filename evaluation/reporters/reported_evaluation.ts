import type { GateResult } from "../gate/mod.ts";
import type { EvaluationComparison, EvaluationResult } from "../results/mod.ts";

/** What is reported of an evaluation. */
export interface ReportedEvaluation {
  /** The evaluation. */
  readonly candidate: EvaluationResult;
  /** What it was compared with. */
  readonly baseline?: EvaluationResult | undefined;
  /** How the two compare. */
  readonly comparison?: EvaluationComparison | undefined;
  /** What became of the gate. */
  readonly gate?: GateResult | undefined;
}
