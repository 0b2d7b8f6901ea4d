import type { RowResult, RowScore } from "../run/mod.ts";
import type { EvaluationResult } from "../results/mod.ts";

/** What is gathered of all rows while they are read once. */
export interface Overview {
  /** Indexes of the worst rows, the worst first. */
  readonly worst: readonly number[];
  /** How many rows there are with something wrong: an error, a score that does not pass, a scorer that failed. */
  readonly faulty: number;
  /** Milliseconds of the rows that were timed, in ascending order. */
  readonly latencies: Float64Array;
  /** Milliseconds to the first pieces of answers, in ascending order. */
  readonly firstTokens: Float64Array;
}

/** A failing row is worse than any scores. */
const FAILED = 1e6;

/**
 * Reads all rows once and keeps what a report needs of them.
 *
 * A row is the worse the more of its scores do not pass; of scores of which that is not known, numbers count by where
 * they lie between the best and the worst of all rows. Rows that are equally bad stay in their order.
 *
 * @param result The evaluation.
 * @param most Most rows to keep.
 * @returns What is kept.
 */
export async function overview(result: EvaluationResult, most: number): Promise<Overview> {
  const better = new Map(result.config.scorers.map(({ name, better }) => [name, better]));
  const badness = new Float64Array(result.total);
  const latencies: number[] = [];
  const firstTokens: number[] = [];
  let faulty = 0;
  for await (const row of result.rows()) {
    if (isFaulty(row)) faulty++;
    badness[row.index] = badnessOf(row, { result, better });
    if (row.latency !== undefined) latencies.push(row.latency);
    if (row.timeToFirstToken !== undefined) firstTokens.push(row.timeToFirstToken);
  }
  const order = Array.from(badness.keys()).sort((a, b) => (badness[b] ?? 0) - (badness[a] ?? 0) || a - b);
  return {
    worst: order.slice(0, most),
    faulty,
    latencies: Float64Array.from(latencies).sort(),
    firstTokens: Float64Array.from(firstTokens).sort(),
  };
}

/** Whether anything is known to be wrong with a row. */
export function isFaulty({ state, scores }: RowResult): boolean {
  return state === "ERROR" ||
    Object.values(scores).some(({ passed, error }) => passed === false || error !== undefined);
}

function badnessOf(
  { state, scores }: RowResult,
  known: { readonly result: EvaluationResult; readonly better: ReadonlyMap<string, "higher" | "lower"> },
): number {
  let sum = state === "ERROR" ? FAILED : 0;
  for (const [name, score] of Object.entries(scores)) sum += scoreBadness(name, score, known);
  return sum;
}

function scoreBadness(
  name: string,
  { value, passed, error }: RowScore,
  { result, better }: { readonly result: EvaluationResult; readonly better: ReadonlyMap<string, "higher" | "lower"> },
): number {
  if (error !== undefined) return 1;
  if (passed !== undefined) return passed ? 0 : 1;
  const { min, max } = result.scores.get(name) ?? {};
  if (typeof value !== "number" || min === undefined || max === undefined || max <= min) return 0;
  const place = (value - min) / (max - min);
  // Below what does not pass: a slow row is no wrong row.
  return 0.5 * (better.get(name) === "lower" ? place : 1 - place);
}

/**
 * Reads the rows of some names.
 *
 * @param result The evaluation.
 * @param ids Names of the rows.
 * @returns The rows by their names.
 */
export async function rowsOf(
  result: EvaluationResult,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, RowResult>> {
  const found = new Map<string, RowResult>();
  for await (const row of result.rows()) {
    if (ids.has(row.id)) found.set(row.id, row);
    if (found.size === ids.size) break;
  }
  return found;
}
