import {
  compareEvaluations,
  type EvaluationComparison,
  type EvaluationResult,
  type ScoreAggregate,
  type ScoreComparison,
} from "../results/mod.ts";
import { showCount, showDifference, showNumber, showPercent } from "./_numbers.ts";

/** Options for {@linkcode formatSummary}. */
export interface SummaryOptions {
  /** What it is compared with. */
  readonly baseline?: EvaluationResult;
  /** The comparison with the baseline, if there is one already. Default: `compareEvaluations` makes it. */
  readonly comparison?: EvaluationComparison;
  /** Whether to use colours. Default: if standard output is a terminal and `NO_COLOR` is not set. */
  readonly color?: boolean;
}

/** Longest name of a score that is shown, in characters. */
const LONGEST_NAME = 40;

const GREEN = 32;
const RED = 31;
const DIM = 2;

interface Cell {
  readonly text: string;
  readonly color?: number;
}

/**
 * What an evaluation comes to, as a table for a terminal.
 *
 * @example Usage
 * ```ts
 * import { evaluate, exactMatch, formatSummary } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * const data = [{ outputs: "Paris", expectations: { expected_response: "Paris" } }];
 * const summary = formatSummary(await evaluate({ data, scorers: [exactMatch()] }), { color: false });
 * assertEquals(summary.split("\n")[0], "outputs on dataset: 1 rows");
 * ```
 *
 * @param result The evaluation.
 * @param options The baseline, and whether to use colours.
 * @returns Lines without a line break at the end.
 * @throws {ValidationError} If the baseline has no row in common with the evaluation.
 */
export function formatSummary(result: EvaluationResult, options: SummaryOptions = {}): string {
  const { baseline, color = !Deno.noColor && Deno.stdout.isTerminal() } = options;
  const { config, total, failed, scores } = result;
  const head = `${plain(config.model.name)} on ${plain(config.dataset.name)}: ${showCount(total)} rows` +
    (failed === 0 ? "" : `, ${showCount(failed)} failed`);
  const lines = [head, "", ...table(scoreCells(scores), color)];
  if (baseline !== undefined) {
    const { scores: compared } = options.comparison ?? compareEvaluations({ baseline, candidate: result });
    const { model } = baseline.config;
    lines.push("", `Against ${plain(model.uri ?? model.name)}:`, "", ...table(comparedCells(compared), color));
  }
  return lines.join("\n");
}

function scoreCells(scores: ReadonlyMap<string, ScoreAggregate>): Cell[][] {
  const head = ["score", "mean", "p50", "p95", "pass rate", "95 %", "rows", "errors"].map(dim);
  return [
    head,
    ...[...scores].map(([name, { mean, p50, p95, passRate, count, errors }]): Cell[] => [
      { text: nameOf(name) },
      { text: showNumber(mean) },
      { text: showNumber(p50) },
      { text: showNumber(p95) },
      { text: showPercent(passRate?.rate) },
      { text: passRate === undefined ? "–" : `${showPercent(passRate.low)} – ${showPercent(passRate.high)}` },
      { text: showCount(count) },
      { text: showCount(errors), ...(errors > 0 && { color: RED }) },
    ]),
  ];
}

function comparedCells(scores: { readonly [name: string]: ScoreComparison }): Cell[][] {
  const head = ["score", "baseline", "now", "difference", "95 %", "better", "same", "worse", "verdict"].map(dim);
  return [
    head,
    ...Object.entries(scores).map(([name, score]): Cell[] => [
      { text: nameOf(name) },
      { text: showNumber(score.baselineMean) },
      { text: showNumber(score.candidateMean) },
      { text: showDifference(score.difference) },
      { text: `${showDifference(score.interval.low)} to ${showDifference(score.interval.high)}` },
      { text: showCount(score.improved.length) },
      { text: showCount(score.same) },
      { text: showCount(score.regressed.length) },
      {
        text: score.verdict,
        ...(score.verdict === "better" && { color: GREEN }),
        ...(score.verdict === "worse" && { color: RED }),
      },
    ]),
  ];
}

function dim(text: string): Cell {
  return { text, color: DIM };
}

/** Columns of one width: the first to the left, the others to the right. */
function table(rows: readonly (readonly Cell[])[], color: boolean): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]?.text ?? ""))));
  return rows.map((row) =>
    row.map((cell, column) => {
      const space = " ".repeat((widths[column] ?? 0) - widthOf(cell.text));
      const text = color && cell.color !== undefined ? `\x1b[${cell.color}m${cell.text}\x1b[0m` : cell.text;
      return column === 0 ? text + space : space + text;
    }).join("  ").trimEnd()
  );
}

/** Characters as people count them, which come close to columns of a terminal. */
function widthOf(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}

function nameOf(name: string): string {
  const text = plain(name);
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text;
}

/** Names come from outside: they must not steer the terminal. */
function plain(text: string): string {
  return text.toWellFormed().replace(/\p{Cc}|\p{Cf}/gu, "\ufffd");
}
