import { ValidationError } from "../../types/mod.ts";
import type { ScoreValue } from "../scorers/scorer.ts";

/** How far apart two labels are: all labels alike, or by their places on the scale, or by the square of that. */
export type AgreementWeights = "none" | "linear" | "quadratic";

/** Options for {@linkcode measureAgreement}. */
export interface AgreementOptions {
  /** What counts how much where labels differ. Only labels that are numbers, or `labels` in order, have a distance. @default {"none"} */
  readonly weights?: AgreementWeights;
  /** All labels, in their order. Default: those that occur, numbers by size, others by their letters. */
  readonly labels?: readonly ScoreValue[];
}

/** How far two judges agree. */
export interface Agreement {
  /** Rows that both have labelled. */
  readonly count: number;
  /** Rows that were left out, as one of them gave no label. */
  readonly skipped: number;
  /** Share of the rows with the same label, 0 to 1; `null` without rows. */
  readonly agreement: number | null;
  /**
   * Cohen's kappa: 1 full agreement, 0 as much as by chance, below it less. `null` without rows, and where both gave
   * one label only, the same, so that chance alone explains everything. (https://doi.org/10.1177/001316446002000104)
   */
  readonly kappa: number | null;
  /** The labels, in the order of {@linkcode Agreement.confusion}. */
  readonly labels: readonly ScoreValue[];
  /** How often the judge gave the label of the column where the human gave that of the row. */
  readonly confusion: readonly (readonly number[])[];
}

/** A pair of labels for one row. */
export interface LabelPair {
  /** The label of the one to be trusted, such as a human. */
  readonly human: ScoreValue | null | undefined;
  /** The label of the judge. */
  readonly judge: ScoreValue | null | undefined;
}

/**
 * Measures how far a judge agrees with human labels, beyond what chance would give.
 *
 * "yes" and `true`, "no" and `false` are the same label. Rows without one of the labels are left out, and counted.
 *
 * @example Usage
 * ```ts
 * import { measureAgreement } from "@chatmodel/chat-model/evaluation";
 * import { assertEquals } from "@std/assert";
 *
 * const { agreement, kappa } = measureAgreement([
 *   { human: "yes", judge: "yes" },
 *   { human: "yes", judge: "no" },
 *   { human: "no", judge: "no" },
 *   { human: "no", judge: "no" },
 * ]);
 * assertEquals([agreement, kappa], [0.75, 0.5]);
 * ```
 *
 * @param pairs The labels.
 * @param options Weights and labels.
 * @returns Agreement, kappa and the table behind them.
 * @throws {ValidationError} If there are weights but no order, or a label is none of `labels`.
 */
export function measureAgreement(pairs: Iterable<LabelPair>, options: AgreementOptions = {}): Agreement {
  const { weights = "none" } = options;
  const rows: (readonly [human: ScoreValue, judge: ScoreValue])[] = [];
  let skipped = 0;
  for (const { human, judge } of pairs) {
    if (human === null || human === undefined || judge === null || judge === undefined) skipped++;
    else rows.push([toLabel(human), toLabel(judge)]);
  }
  const labels = toLabels(rows, options);
  const places = new Map(labels.map((label, place) => [label, place]));
  const confusion = labels.map(() => labels.map(() => 0));
  for (const [human, judge] of rows) {
    const [row, column] = [places.get(human), places.get(judge)];
    if (row === undefined || column === undefined) {
      throw fault("labels", `lacks "${row === undefined ? human : judge}", which occurs`);
    }
    const counts = confusion[row] ?? [];
    counts[column] = (counts[column] ?? 0) + 1;
  }
  const count = rows.length;
  const same = rows.filter(([human, judge]) => human === judge).length;
  return {
    count,
    skipped,
    agreement: count === 0 ? null : same / count,
    kappa: kappaOf(confusion, { count, distance: distanceOf(weights) }),
    labels,
    confusion,
  };
}

/** A row's scores and expectations, as evaluations give them. */
export interface LabelledRow {
  /** The scores by their names. */
  readonly scores: { readonly [name: string]: { readonly value: ScoreValue | null } };
  /** What is known to be right. */
  readonly expectations: { readonly [name: string]: unknown };
}

/**
 * The pairs of labels that stand in the rows of an evaluation.
 *
 * @param rows The rows.
 * @param names Name of the judge's scores, and of the expectation that holds the human label.
 * @returns A pair for each row; a label that is missing, or is none, is `null`.
 */
export function labelPairs(
  rows: Iterable<LabelledRow>,
  { score, expectation }: { readonly score: string; readonly expectation: string },
): LabelPair[] {
  return Array.from(rows, ({ scores, expectations }) => {
    const human = expectations[expectation];
    return {
      human: typeof human === "string" || typeof human === "number" || typeof human === "boolean" ? human : null,
      judge: scores[score]?.value ?? null,
    };
  });
}

/** Weighted kappa, of which the plain one is a case: https://doi.org/10.1037/h0026256 */
function kappaOf(
  confusion: readonly (readonly number[])[],
  { count, distance }: { readonly count: number; readonly distance: (a: number, b: number) => number },
): number | null {
  const rowSums = confusion.map((counts) => counts.reduce((sum, value) => sum + value, 0));
  const columnSums = confusion.map((_, column) => confusion.reduce((sum, counts) => sum + (counts[column] ?? 0), 0));
  let observed = 0;
  let expected = 0;
  confusion.forEach((counts, row) =>
    counts.forEach((value, column) => {
      observed += distance(row, column) * value;
      expected += distance(row, column) * (rowSums[row] ?? 0) * (columnSums[column] ?? 0) / count;
    })
  );
  return count === 0 || expected === 0 ? null : 1 - observed / expected;
}

function distanceOf(weights: AgreementWeights): (a: number, b: number) => number {
  switch (weights) {
    case "none":
      return (a, b) => a === b ? 0 : 1;
    case "linear":
      return (a, b) => Math.abs(a - b);
    case "quadratic":
      return (a, b) => (a - b) ** 2;
    default:
      throw fault("weights", 'must be "none", "linear" or "quadratic"');
  }
}

function toLabels(
  rows: readonly (readonly [ScoreValue, ScoreValue])[],
  { weights = "none", labels }: AgreementOptions,
): readonly ScoreValue[] {
  if (labels !== undefined) {
    const given = labels.map(toLabel);
    if (new Set(given).size < given.length) throw fault("labels", "has a label twice");
    return given;
  }
  const found = [...new Set(rows.flat())].sort((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1
  );
  if (weights !== "none" && found.some((label) => typeof label !== "number")) {
    throw fault("labels", 'must be given in order, for "weights" to have distances between labels that are no numbers');
  }
  return found;
}

function toLabel(value: ScoreValue): ScoreValue {
  return value === true ? "yes" : value === false ? "no" : value;
}

function fault(path: string, message: string): ValidationError {
  return new ValidationError("Cannot measure agreement", [{ path, message }]);
}
