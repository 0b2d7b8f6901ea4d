import { createHash } from "node:crypto";
import { ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { compareEvaluations, type EvaluationComparison, type EvaluationResult } from "../results/mod.ts";
import { quantile } from "../results/statistics.ts";
import { distributionOf, type Version } from "./_distribution.ts";
import { type Insertion, Markup, markup } from "./_html.ts";
import { showCount, showPercent, showTime } from "./_numbers.ts";
import { renderRow } from "./_row.ts";
import { STYLE } from "./_style.ts";
import { renderComparison, renderScores } from "./_tables.ts";
import { type Overview, overview, rowsOf } from "./_worst_rows.ts";

/** Options for {@linkcode renderReport}. */
export interface ReportOptions {
  /** What it is compared with: another evaluation, best of the same data. */
  readonly baseline?: EvaluationResult;
  /** The comparison with the baseline, if there is one already. Default: `compareEvaluations` makes it. */
  readonly comparison?: EvaluationComparison;
  /** Heading. Default: the model's name and that of the data. */
  readonly title?: string;
  /** Most rows that are shown, the worst of them; 0 to 1000. @default {50} */
  readonly maxRows?: number;
  /** Most UTF-16 units of each text in a row, 100 to 100 000. @default {4000} */
  readonly maxTextLength?: number;
  /** When it was made. @default {new Date()} */
  readonly date?: Date;
}

/** Most scores that have a chart. */
const MOST_CHARTS = 24;

/**
 * Makes a report of an evaluation: one HTML document that needs nothing else, to be read in a browser or printed.
 *
 * It shows what the scores come to and how they are spread, how long the answers took, the worst rows with their
 * conversations and what differs from the expectation; and, with a baseline, which of the two is better by which score.
 *
 * The document runs no code and asks nothing of any server: its policy (CSP) forbids both, and all text from models and
 * data is escaped. It holds what was asked and answered: give it only to those who may read that. Its size is bounded by
 * `maxRows` and `maxTextLength`; how much is left out stands in it.
 *
 * @example Usage
 * ```ts
 * import { evaluate, exactMatch, renderReport } from "@chatmodel/chat-model/evaluation";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const data = [{ outputs: "<b>Rome</b>", expectations: { expected_response: "Paris" } }];
 * const report = await renderReport(await evaluate({ data, scorers: [exactMatch()] }));
 * assertStringIncludes(report, "&lt;b&gt;Rome");
 * ```
 *
 * @param result The evaluation.
 * @param options The baseline, and how much is shown.
 * @returns The document.
 * @throws {ValidationError} If an option is not valid, or the baseline has no row in common with the evaluation.
 */
export async function renderReport(result: EvaluationResult, options: ReportOptions = {}): Promise<string> {
  const { baseline, maxRows = 50, maxTextLength = 4000, date = new Date() } = options;
  checkOptions({ maxRows, maxTextLength, date });
  const { title = `${result.config.model.name} on ${result.config.dataset.name}` } = options;
  const comparison = baseline && (options.comparison ?? compareEvaluations({ baseline, candidate: result }));
  // Rows of the baseline are shown beside the same rows of this evaluation: only its times are of interest here.
  const facts = await overview(result, maxRows);
  const before = baseline && await overview(baseline, 0);
  const versions: readonly Version[] = [
    ...(baseline === undefined ? [] : [{ role: "baseline" as const, result: baseline }]),
    { role: "candidate", result },
  ];
  const body = markup`<header>
<h1>${title}</h1>
<p class="facts">Evaluation report, made ${date.toISOString().slice(0, 16).replace("T", " ")} UTC</p>
${renderFacts(result, baseline)}
</header>
<main>
${renderTiles(result, facts)}
${renderVersionKey(baseline)}
<section aria-labelledby="scores"><h2 id="scores">Scores</h2>
${renderScores(result)}
</section>
${comparison === undefined ? undefined : await renderVersions(comparison)}
${await renderDistributions(result, versions)}
${await renderTimes(facts, before)}
${await renderRows(result, { facts, baseline, maxTextLength })}
</main>`;
  return document(title, body);
}

function document(title: string, body: Markup): string {
  const digest = createHash("sha256").update(STYLE).digest("base64");
  // The digest lets this one style in; nothing else is let in at all.
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  return markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <meta name="color-scheme" content="light dark">
        <title>${title}</title>
        <style>${new Markup(STYLE)}</style>
      </head>
      <body>
    ${body}
      </body>
    </html>
  `.text.trim() + "\n";
}

function renderFacts(result: EvaluationResult, baseline: EvaluationResult | undefined): Markup {
  const { model, dataset, params, seed } = result.config;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Model", model.uri === undefined || model.uri === model.name ? model.name : `${model.name} (${model.uri})`],
    ["Logged model", model.modelId],
    ["Baseline", baseline && (baseline.config.model.uri ?? baseline.config.model.name)],
    ["Data", `${dataset.name}, ${showCount(dataset.count)} rows, SHA-256 ${dataset.digest.slice(0, 16)}…`],
    ["Parameters", Object.keys(params).length === 0 ? undefined : JSON.stringify(params)],
    ["Seed", seed === undefined ? undefined : String(seed)],
    ["Run", result.runId],
  ];
  return markup`<dl class="facts">${
    facts.map(([name, value]) => value === undefined ? undefined : markup`<dt>${name}</dt><dd>${value}</dd>`)
  }</dl>`;
}

function renderTiles(result: EvaluationResult, { faulty, latencies }: Overview): Markup {
  const tiles: readonly (readonly [string, string])[] = [
    [showCount(result.total), "rows"],
    [showCount(result.failed), "rows that the model failed on"],
    [showCount(faulty), "rows with something wrong"],
    ...(latencies.length === 0 ? [] : [[showTime(quantile(latencies, 0.5)), "median time"] as const]),
    ...[...result.scores].flatMap(([name, { passRate }]) =>
      passRate === undefined ? [] : [[showPercent(passRate.rate), `pass ${name}`] as const]
    ).slice(0, 4),
  ];
  return markup`<ul class="tiles">${
    tiles.map(([value, name]) => markup`<li><b>${value}</b><span>${name}</span></li>`)
  }</ul>`;
}

function renderVersionKey(baseline: EvaluationResult | undefined): Insertion {
  if (baseline === undefined) return undefined;
  return markup`
    <ul class="key" aria-label="Colours of the charts">
      <li class="baseline">Baseline</li>
      <li class="candidate">This evaluation</li>
    </ul>
  `;
}

async function renderVersions(comparison: EvaluationComparison): Promise<Markup> {
  const { drawChanges } = await charts();
  const changes = Object.entries(comparison.scores).map(([name, { improved, regressed }]) => ({
    name,
    improved: improved.length,
    regressed: regressed.length,
  }));
  return markup`<section aria-labelledby="versions"><h2 id="versions">Against the baseline</h2>
${renderComparison(comparison)}
${
    changes.length === 0
      ? undefined
      : markup`<div class="wide"><figure><figcaption><h3>Rows that changed</h3></figcaption>${await drawChanges(
        changes.slice(0, MOST_CHARTS),
      )}${leftOut(changes.length)}</figure></div>`
  }
</section>`;
}

async function renderDistributions(result: EvaluationResult, versions: readonly Version[]): Promise<Insertion> {
  const { drawDistribution } = await charts();
  const roles = versions.map(({ role }) => role);
  const figures: Markup[] = [];
  for (const [name, { errors, missing }] of [...result.scores].slice(0, MOST_CHARTS)) {
    const distribution = distributionOf(name, versions);
    if (distribution === undefined) continue;
    const without = errors + missing;
    figures.push(
      markup`<figure><figcaption><h3>${name}</h3></figcaption>${await drawDistribution({ name, distribution, roles })}${
        without > 0 ? markup`<p class="facts">${showCount(without)} rows have no value</p>` : undefined
      }</figure>`,
    );
  }
  if (figures.length === 0) return undefined;
  return markup`<section aria-labelledby="distributions"><h2 id="distributions">Distributions</h2>
<div class="charts">${figures}</div>${leftOut(result.scores.size)}
</section>`;
}

function leftOut(count: number): Insertion {
  return count > MOST_CHARTS ? markup`<p class="facts">${count - MOST_CHARTS} more scores are left out</p>` : undefined;
}

async function renderTimes(facts: Overview, before: Overview | undefined): Promise<Insertion> {
  const { drawTimes } = await charts();
  const figures: Markup[] = [];
  for (
    const [name, key] of [["Time of the answer", "latencies"], ["Time to the first token", "firstTokens"]] as const
  ) {
    const lines = [
      { role: "baseline" as const, title: "baseline", sorted: before?.[key] ?? new Float64Array() },
      { role: "candidate" as const, title: "this evaluation", sorted: facts[key] },
    ].filter(({ sorted }) => sorted.length > 0);
    if (lines.length === 0) continue;
    figures.push(
      markup`<figure><figcaption><h3>${name}</h3>${
        lines.map(({ title, sorted }) =>
          markup`<p>${lines.length > 1 ? `${title}: ` : ""}half of the rows within ${
            showTime(quantile(sorted, 0.5))
          }, 95 % within ${showTime(quantile(sorted, 0.95))}, the slowest ${showTime(quantile(sorted, 1))}</p>`
        )
      }</figcaption>${await drawTimes({ name, lines })}</figure>`,
    );
  }
  if (figures.length === 0) return undefined;
  return markup`
    <section aria-labelledby="times">
      <h2 id="times">Times</h2>
      <div class="wide">${figures}</div>
    </section>
  `;
}

async function renderRows(
  result: EvaluationResult,
  { facts, baseline, maxTextLength }: {
    readonly facts: Overview;
    readonly baseline: EvaluationResult | undefined;
    readonly maxTextLength: number;
  },
): Promise<Markup> {
  const ids = facts.worst.flatMap((index) => result.ids[index] ?? []);
  const rows = await rowsOf(result, new Set(ids));
  const before = baseline && await rowsOf(baseline, new Set(ids));
  const hidden = result.total - ids.length;
  return markup`<section aria-labelledby="rows"><h2 id="rows">Rows, the worst first</h2>
<p class="facts">${showCount(ids.length)} of ${showCount(result.total)} rows${
    hidden > 0 ? markup`; ${showCount(hidden)} are left out, all of them no worse than these` : undefined
  }</p>
${
    ids.map((id) => {
      const row = rows.get(id);
      return row === undefined ? undefined : renderRow(row, { before: before?.get(id), mostText: maxTextLength });
    })
  }
</section>`;
}

/** The plotting library is needed for reports alone. */
function charts(): Promise<typeof import("./_charts.ts")> {
  return import("./_charts.ts");
}

function checkOptions(
  { maxRows, maxTextLength, date }: { readonly maxRows: number; readonly maxTextLength: number; readonly date: Date },
): void {
  const issues: ValidationIssue[] = [];
  if (!Number.isInteger(maxRows) || maxRows < 0 || maxRows > 1000) {
    issues.push({ path: "maxRows", message: "must be a whole number from 0 to 1000" });
  }
  if (!Number.isInteger(maxTextLength) || maxTextLength < 100 || maxTextLength > 100_000) {
    issues.push({ path: "maxTextLength", message: "must be a whole number from 100 to 100000" });
  }
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) issues.push({ path: "date", message: "must be a date" });
  if (issues.length > 0) throw new ValidationError("Cannot make report", issues);
}
