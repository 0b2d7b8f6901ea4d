import type { GateResult } from "../evaluation/gate/mod.ts";
import type { EvaluationResult } from "../evaluation/mod.ts";
import { formatSummary } from "../evaluation/report/format_summary.ts";
import { jsonReport, junitReport, type ReportedEvaluation } from "../evaluation/reporters/mod.ts";
import type { Promotion } from "./_evaluate_promotion.ts";
import type { ReportFiles } from "./_evaluate_settings.ts";
import { worstRows } from "./_evaluate_worst_rows.ts";
import { table } from "./_output.ts";

/** What an evaluation came to, and what followed of it. */
export interface Evaluated extends ReportedEvaluation {
  readonly promotion?: Promotion;
}

/** As `--json` prints it. */
export function toJson({ promotion, ...evaluation }: Evaluated): object {
  return { ...jsonReport(evaluation), ...(promotion !== undefined && { promotion }) };
}

/** As people read it. */
export async function toText({ candidate, baseline, gate, promotion }: Evaluated): Promise<string> {
  const parts = [formatSummary(candidate, { ...(baseline !== undefined && { baseline }) }), await worstRows(candidate)];
  if (gate !== undefined) parts.push(gateText(gate));
  if (promotion !== undefined) parts.push(promotion.reason);
  const runs = [
    ...(candidate.runId === undefined ? [] : [`Run ${candidate.runId}`]),
    ...(baseline?.runId === undefined ? [] : [`baseline: run ${baseline.runId}`]),
  ];
  parts.push(runs.join(", "));
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Writes the reports that hold nothing of a promotion. */
export async function writeReports(files: ReportFiles, evaluation: ReportedEvaluation): Promise<void> {
  const { junit, html } = files;
  if (junit !== undefined) {
    await Deno.writeTextFile(junit, ReadableStream.from(junitReport(evaluation)));
  }
  if (html === undefined) return;
  // Its plotting library is of no use to anyone else.
  const { renderReport } = await import("../evaluation/report/render_report.ts");
  const { candidate, baseline } = evaluation;
  await Deno.writeTextFile(html, await renderReport(candidate, { ...(baseline !== undefined && { baseline }) }));
}

/** Why the command fails; `undefined` if it does not. */
export function failureOf({ candidate, gate, promotion }: Evaluated): string | undefined {
  if (gate !== undefined && !gate.holds) {
    const reasons = gate.conditions.filter(({ holds }) => !holds).map(({ reason }) => reason);
    return `The gate is not passed: ${reasons.join("; ")}`;
  }
  if (promotion !== undefined && !promotion.promoted) return promotion.reason;
  // Where there is a gate, it says what is allowed.
  return gate === undefined ? failedRows(candidate) : undefined;
}

function failedRows({ failed, total, scores }: EvaluationResult): string | undefined {
  const scorers = [...scores].filter(([, { errors }]) => errors > 0)
    .map(([name, { errors }]) => `"${name}" failed on ${errors}`);
  const failures = [...failed === 0 ? [] : [`the model failed on ${failed}`], ...scorers];
  return failures.length === 0 ? undefined : `Of ${total} rows, ${failures.join(", ")}`;
}

function gateText({ holds, conditions }: GateResult): string {
  const rows = conditions.map(({ condition, holds, reason }) => [holds ? "holds" : "REFUSED", condition, reason]);
  return `The gate is ${holds ? "passed" : "not passed"}:\n\n${table(["", "condition", "why"], rows)}`;
}
