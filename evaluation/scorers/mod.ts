/**
 * What scores answers.
 *
 * @module
 */
export type { ComparisonOptions } from "./_texts.ts";
export { exactMatch } from "./exact_match.ts";
export { jsonEquality, type JsonOptions, jsonSchema, type JsonSchemaOptions } from "./json_matches.ts";
export {
  answerLength,
  type AnswerLengthOptions,
  cost,
  type CostOptions,
  latency,
  type MeasureOptions,
  refusal,
  type RefusalOptions,
  timeToFirstToken,
  tokenCount,
  type TokenCountOptions,
  type TokenPrice,
} from "./measures.ts";
export { numericTolerance, type NumericToleranceOptions } from "./numeric_tolerance.ts";
export type { AnsweredTurn, Score, ScoredRow, Scorer, ScorerResult, ScorerSource, ScoreValue } from "./scorer.ts";
export { rougeL, type SimilarityOptions, tokenF1 } from "./similarity.ts";
export { contains, type ContainsOptions, regexMatch, type RegexMatchOptions } from "./text_matches.ts";
export { toolCallMatch, type ToolCallMatchOptions } from "./tool_call_match.ts";
