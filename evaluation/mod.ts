/**
 * Evaluation of models: puts the rows of a data set to a model, has the answers scored, says how good it is, and which of
 * two is better.
 *
 * ```ts
 * import { ChatModel, type ChatMessage, type ModelContext } from "@chatmodel/chat-model";
 * import { compareEvaluations, evaluate, exactMatch } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * class Parrot extends ChatModel {
 *   override predict(_context: ModelContext, messages: readonly ChatMessage[]) {
 *     return String(messages.at(-1)?.content);
 *   }
 * }
 *
 * class Shouter extends Parrot {
 *   override predict(context: ModelContext, messages: readonly ChatMessage[]) {
 *     return super.predict(context, messages).toUpperCase();
 *   }
 * }
 *
 * // Or the path of a .jsonl, .json or .csv file.
 * const data = ["hi", "HO", "42"].map((text) => ({ inputs: { question: text }, expectations: { expected_response: text } }));
 * const scorers = [exactMatch()];
 * const baseline = await evaluate({ model: Shouter, data, scorers });
 * const candidate = await evaluate({ model: Parrot, data, scorers });
 *
 * assertEquals(candidate.metrics["exact_match/pass_rate"], 1);
 * const { exact_match } = compareEvaluations({ baseline, candidate }).scores;
 * assertEquals(exact_match?.improved.length, 1);
 * assertEquals(exact_match?.regressed.length, 0);
 * ```
 *
 * @module
 */
export type {
  EvaluationData,
  EvaluationInputs,
  EvaluationRow,
  Expectations,
  ExpectedToolCall,
  PreparedRow,
} from "./data/mod.ts";
export {
  checkGate,
  type ConditionResult,
  type GateCondition,
  type GateLimit,
  type GateOperator,
  type GateResult,
  parseGate,
} from "./gate/mod.ts";
export {
  type ConversationEnd,
  type ConversationSettings,
  type HeldConversation,
  modelUser,
  type ModelUserOptions,
  perTurn,
  type PerTurnOptions,
  replayConversation,
  type ReplayOptions,
  scriptedUser,
  simulateConversation,
  type SimulateOptions,
  splitConversation,
} from "./conversation/mod.ts";
export {
  type Agreement,
  type AgreementOptions,
  type AgreementWeights,
  type CategoryScale,
  judge,
  type JudgeModel,
  type JudgeOptions,
  type JudgeScale,
  type JudgeSettings,
  type LabelledRow,
  type LabelPair,
  labelPairs,
  measureAgreement,
  type NumberScale,
  type PairVerdict,
  pairwiseJudge,
  type PairwiseJudgeOptions,
  type PositionBias,
  positionBias,
  PREDEFINED_JUDGES,
  predefinedJudge,
  type PredefinedJudgeName,
  type PredefinedJudgeOptions,
} from "./judges/mod.ts";
export { formatSummary, renderReport, type ReportOptions, type SummaryOptions } from "./report/mod.ts";
export { type JsonReport, jsonReport, junitReport, type ReportedEvaluation } from "./reporters/mod.ts";
export {
  compareEvaluations,
  type CompareOptions,
  type EvaluationComparison,
  EvaluationResult,
  type EvaluationSummary,
  type Interval,
  type PassRate,
  readEvaluation,
  type RowDifference,
  type RowSource,
  type ScoreAggregate,
  type ScoreColumn,
  type ScoreComparison,
} from "./results/mod.ts";
export {
  type ConversationSoFar,
  evaluate,
  type EvaluatedModel,
  type EvaluateOptions,
  type EvaluationConfig,
  type EvaluationProgress,
  type PredictContext,
  type PredictFunction,
  type RowError,
  type RowResult,
  type RowScore,
  type ScorerConfig,
  type SimulatedUser,
} from "./run/mod.ts";
export {
  type AnsweredTurn,
  answerLength,
  type AnswerLengthOptions,
  type ComparisonOptions,
  contains,
  type ContainsOptions,
  cost,
  type CostOptions,
  exactMatch,
  jsonEquality,
  type JsonOptions,
  jsonSchema,
  type JsonSchemaOptions,
  latency,
  type MeasureOptions,
  numericTolerance,
  type NumericToleranceOptions,
  refusal,
  type RefusalOptions,
  regexMatch,
  type RegexMatchOptions,
  rougeL,
  type Score,
  type ScoredRow,
  type Scorer,
  type ScorerResult,
  type ScorerSource,
  type ScoreValue,
  type SimilarityOptions,
  timeToFirstToken,
  tokenCount,
  type TokenCountOptions,
  tokenF1,
  type TokenPrice,
  toolCallMatch,
  type ToolCallMatchOptions,
} from "./scorers/mod.ts";
