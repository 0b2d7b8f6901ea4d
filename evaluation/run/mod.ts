/**
 * Puts rows to models and has the answers scored.
 *
 * @module
 */
export type { EvaluationConfig, ScorerConfig } from "./config.ts";
export type { ConversationSoFar, SimulatedUser } from "./converse.ts";
export { evaluate } from "./evaluate.ts";
export type { EvaluateOptions } from "./options.ts";
export type { EvaluationProgress } from "./progress.ts";
export type { RowError, RowResult, RowScore } from "./row_result.ts";
export type { EvaluatedModel, PredictContext, PredictFunction } from "./subject.ts";
