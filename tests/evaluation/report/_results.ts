/** Evaluations for the tests of reports: made of rows that say what came of them. */
import type { RowResult, RowScore } from "../../../evaluation/run/mod.ts";
import type { EvaluationConfig } from "../../../evaluation/run/mod.ts";
import { type EvaluationResult, toResult } from "../../../evaluation/results/evaluation_result.ts";

/** What a row differs by from a good one. */
export interface RowChanges extends Partial<RowResult> {
  /** The answer. */
  readonly text?: string;
  /** The expected response. */
  readonly expected?: string;
}

/** A row that a model was asked. */
export function row(index: number, { expected = "Paris", text = "Paris", ...changes }: RowChanges = {}): RowResult {
  return {
    index,
    id: `row-${index}`,
    digest: "0".repeat(64),
    state: "OK",
    inputs: { messages: [{ role: "user", content: `Question ${index}` }] },
    expectations: { expected_response: expected },
    tags: {},
    output: null,
    text,
    scores: { exact: score(text === expected) },
    startTime: 0,
    latency: 10 + index,
    attempts: 1,
    ...changes,
  };
}

/** A score of a boolean. */
export function score(value: boolean): RowScore {
  return { value, passed: value };
}

/** An evaluation with such rows. */
export function resultOf(
  rows: readonly RowResult[],
  changes: Partial<EvaluationConfig> = {},
): Promise<EvaluationResult> {
  const names = [...new Set(rows.flatMap(({ scores }) => Object.keys(scores)))];
  return toResult({
    async *rows() {
      for (const row of rows) yield await Promise.resolve(row);
    },
  }, {
    config: {
      model: { name: "model" },
      dataset: { name: "data", digest: "a".repeat(64), count: rows.length },
      scorers: names.map((name) => ({ name, better: "higher" })),
      params: {},
      ...changes,
    },
    resumed: 0,
    runId: undefined,
  });
}
