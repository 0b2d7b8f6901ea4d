import type { EvaluationComparison, EvaluationResult, ScoreAggregate, ScoreComparison } from "../results/mod.ts";
import { type Insertion, type Markup, markup } from "./_html.ts";
import { showCount, showDifference, showNumber, showPercent } from "./_numbers.ts";

/** The scores of one version, one line for each. */
export function renderScores(result: EvaluationResult): Markup {
  return markup`
    <div class="scroll" role="region" tabindex="0" aria-label="Scores of all rows">
      <table>
        <thead>
          <tr>
            <th scope="col">Score</th>
            <th scope="col" class="number">Mean</th>
            <th scope="col" class="number">Median</th>
            <th scope="col" class="number">p95</th>
            <th scope="col" class="number">Pass rate</th>
            <th scope="col" class="number">95 % interval</th>
            <th scope="col" class="number">Rows</th>
            <th scope="col" class="number">Without</th>
            <th scope="col" class="number">Errors</th>
          </tr>
        </thead>
        <tbody>${[...result.scores].map(([name, score]) => renderScore(name, score))}</tbody>
      </table>
    </div>
  `;
}

function renderScore(name: string, { mean, p50, p95, passRate, count, missing, errors }: ScoreAggregate): Markup {
  return markup`
    <tr><th scope="row">${name}</th>${[showNumber(mean), showNumber(p50), showNumber(p95)].map(numberCell)}${
    numberCell(
      showPercent(passRate?.rate),
    )
  }<td class="number interval">${
    passRate === undefined ? "–" : `${showPercent(passRate.low)} – ${showPercent(passRate.high)}`
  }</td>${numberCell(showCount(count))}${
    numberCell(
      showCount(missing),
    )
  }<td class="number">${errors > 0 ? markup`<span class="mark bad">${showCount(errors)}</span>` : "0"}</td></tr>
  `;
}

function numberCell(text: string): Markup {
  return markup`<td class="number">${text}</td>`;
}

/** Two versions side by side, one line for each score. */
export function renderComparison(
  { scores, uncompared, onlyInBaseline, onlyInCandidate }: EvaluationComparison,
): Markup {
  const unpaired = onlyInBaseline.length + onlyInCandidate.length;
  return markup`
    <p class="facts">Means over the rows that both have; the interval holds the difference with 95 % confidence (paired bootstrap)</p>
    <div class="scroll" role="region" tabindex="0" aria-label="Comparison with the baseline">
      <table>
        <thead>
          <tr>
            <th scope="col">Score</th>
            <th scope="col" class="number">Baseline</th>
            <th scope="col" class="number">Now</th>
            <th scope="col" class="number">Difference</th>
            <th scope="col" class="number">95 % interval</th>
            <th scope="col">Verdict</th>
            <th scope="col" class="number">Better</th>
            <th scope="col" class="number">Same</th>
            <th scope="col" class="number">Worse</th>
          </tr>
        </thead>
        <tbody>${Object.entries(scores).map(([name, score]) => renderCompared(name, score))}</tbody>
      </table>
    </div>${
    uncompared.length > 0
      ? markup`<p class="facts">Not compared, as there are no numbers in both: ${uncompared.join(", ")}</p>`
      : undefined
  }${
    unpaired > 0
      ? markup`<p class="facts">Rows that only one of them has: ${showCount(onlyInBaseline.length)} of the baseline, ${
        showCount(onlyInCandidate.length)
      } of this evaluation</p>`
      : undefined
  }
  `;
}

function renderCompared(name: string, score: ScoreComparison): Markup {
  const { baselineMean, candidateMean, difference, interval, verdict, improved, regressed, same, better } = score;
  return markup`
    <tr><th scope="row">${name}${
    better === "lower"
      ? markup`
        <span class="interval">(less is better)</span>
      `
      : undefined
  }</th>${
    [showNumber(baselineMean), showNumber(candidateMean), showDifference(difference)].map(
      numberCell,
    )
  }<td class="number interval">${showDifference(interval.low)} to ${
    showDifference(
      interval.high,
    )
  }</td><td>${verdictMark(verdict)}</td>${
    [improved.length, same, regressed.length].map((count) => numberCell(showCount(count)))
  }</tr>
  `;
}

function verdictMark(verdict: ScoreComparison["verdict"]): Insertion {
  switch (verdict) {
    case "better":
      return markup`<span class="mark good">▲ better</span>`;
    case "worse":
      return markup`<span class="mark bad">▼ worse</span>`;
    case "undecided":
      return markup`<span class="mark none">undecided</span>`;
  }
}
