/**
 * What scores answers.
 *
 * @module
 */
export { exactMatch } from "./exact_match.ts";
export type { AnsweredTurn, Score, ScoredRow, Scorer, ScorerResult, ScorerSource, ScoreValue } from "./scorer.ts";
