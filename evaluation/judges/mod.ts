/**
 * Chat models that judge answers: by rules of one's own, for the purposes MLflow has judges for, by comparing pairs; and
 * how far they agree with people.
 *
 * @module
 */
export type { JudgeModel } from "./judge_model.ts";
export {
  type Agreement,
  type AgreementOptions,
  type AgreementWeights,
  type LabelledRow,
  type LabelPair,
  labelPairs,
  measureAgreement,
} from "./agreement.ts";
export { judge, type JudgeOptions, type JudgeSettings } from "./judge.ts";
export {
  type PairVerdict,
  pairwiseJudge,
  type PairwiseJudgeOptions,
  type PositionBias,
  positionBias,
} from "./pairwise.ts";
export {
  PREDEFINED_JUDGES,
  predefinedJudge,
  type PredefinedJudgeName,
  type PredefinedJudgeOptions,
} from "./predefined.ts";
export type { CategoryScale, JudgeScale, NumberScale } from "./scale.ts";
