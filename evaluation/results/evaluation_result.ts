import type { EvaluationConfig } from "../run/config.ts";
import { readJournal } from "../run/journal.ts";
import type { RowResult } from "../run/row_result.ts";
import { ChatModelError } from "../../types/mod.ts";
import { Aggregator, type ScoreAggregate, type ScoreColumn } from "./aggregate.ts";
import { toMetrics } from "./metrics.ts";

/** What of an evaluation stands in its JSON: all but the rows. */
export interface EvaluationSummary extends EvaluationConfig {
  /** Rows of the data, those that the model failed on, and those that were there already when it was resumed. */
  readonly rows: { readonly total: number; readonly failed: number; readonly resumed: number };
  /** The metrics, as they are logged. */
  readonly metrics: { readonly [key: string]: number };
  /** What the scores come to, by their names. */
  readonly scores: { readonly [name: string]: ScoreAggregate };
  /** Id of the run that it was logged to. */
  readonly runId?: string;
}

/** Where the results of rows can be read. */
export interface RowSource {
  /** Gives the results in the order of their rows. */
  rows(): AsyncIterable<RowResult>;
}

/** What an evaluation came to. Made by `evaluate` and {@linkcode readEvaluation}. */
export class EvaluationResult {
  /** What was evaluated how. */
  readonly config: EvaluationConfig;
  /** The metrics by the names that they are logged under: `<score>/mean` and so on. */
  readonly metrics: { readonly [key: string]: number };
  /** What the scores come to, by their names, in the order of the scorers. */
  readonly scores: ReadonlyMap<string, ScoreAggregate>;
  /** The values of the scores by the rows' indexes. */
  readonly columns: ReadonlyMap<string, ScoreColumn>;
  /** Names of the rows, in their order. */
  readonly ids: readonly string[];
  /** How many rows the data has. */
  readonly total: number;
  /** On how many rows the model failed. */
  readonly failed: number;
  /** How many rows were there already when it was resumed. */
  readonly resumed: number;
  /** Id of the run that it was logged to, if it was. */
  readonly runId: string | undefined;
  readonly #source: RowSource;

  /**
   * Not for direct use: see `evaluate`.
   *
   * @param source The results of the rows.
   * @param facts What is known of the evaluation, and what its scores came to.
   */
  constructor(source: RowSource, facts: {
    readonly config: EvaluationConfig;
    readonly aggregator: Aggregator;
    readonly ids: readonly string[];
    readonly resumed: number;
    readonly runId: string | undefined;
  }) {
    const { config, aggregator, ids, resumed, runId } = facts;
    this.config = config;
    this.ids = ids;
    this.total = config.dataset.count;
    this.failed = aggregator.failed;
    this.resumed = resumed;
    this.runId = runId;
    this.scores = aggregator.aggregates();
    this.columns = aggregator.columns();
    this.metrics = toMetrics(this.scores, { total: this.total, failed: this.failed });
    this.#source = source;
  }

  /**
   * The results of all rows, in the order of the data; one by one from the journal, if there is one.
   *
   * @returns The results. It can be called again.
   */
  rows(): AsyncIterable<RowResult> {
    return this.#source.rows();
  }

  /**
   * All but the rows, for `JSON.stringify`.
   *
   * @returns Plain JSON.
   */
  toJSON(): EvaluationSummary {
    const { config, total, failed, resumed, metrics, runId } = this;
    return {
      ...config,
      rows: { total, failed, resumed },
      metrics,
      scores: Object.fromEntries(this.scores),
      ...(runId !== undefined && { runId }),
    };
  }
}

/**
 * Puts the results of rows together.
 *
 * @param source The results.
 * @param facts What is known of the evaluation.
 * @returns The result.
 * @throws {ChatModelError} With code `invalid_value` if a row is missing.
 */
export async function toResult(
  source: RowSource,
  { config, resumed, runId }: {
    readonly config: EvaluationConfig;
    readonly resumed: number;
    readonly runId: string | undefined;
  },
): Promise<EvaluationResult> {
  const { count } = config.dataset;
  const aggregator = new Aggregator(count, config.scorers.map(({ name }) => name));
  const ids: string[] = [];
  for await (const row of source.rows()) {
    if (row.index !== ids.length) break;
    ids.push(row.id);
    aggregator.add(row);
  }
  if (ids.length < count) {
    throw new ChatModelError(
      `Cannot put results together: row ${ids.length} of ${count} has none. Resume the evaluation to its end`,
      { code: "invalid_value" },
    );
  }
  return new EvaluationResult(source, { config, aggregator, ids, resumed, runId });
}

/**
 * Reads an evaluation back from the journal that `evaluate({ resume })` wrote.
 *
 * @param path Path of the journal.
 * @returns The result. Its rows are read from the file, which must stay.
 * @throws {ChatModelError} With code `invalid_option` if it is no journal, and `invalid_value` if the evaluation did not
 * come to its end.
 */
export async function readEvaluation(path: string): Promise<EvaluationResult> {
  const journal = await readJournal(path);
  const { config, run, indexes } = journal;
  return await toResult(journal, { config, resumed: indexes.length, runId: run?.runId });
}
