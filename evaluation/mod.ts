/**
 * Evaluation of models: puts the rows of a data set to a model, has the answers scored, and says which of two models is
 * better.
 *
 * @module
 */
export type { EvaluationData, EvaluationInputs, EvaluationRow, Expectations, ExpectedToolCall } from "./data/mod.ts";
export { evaluate } from "./run/evaluate.ts";
export type { EvaluateOptions } from "./run/options.ts";
export { type EvaluationResult, readEvaluation } from "./results/evaluation_result.ts";
export { exactMatch } from "./scorers/mod.ts";
