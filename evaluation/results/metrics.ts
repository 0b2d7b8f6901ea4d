import type { ScoreAggregate } from "./aggregate.ts";

/**
 * The metrics of an evaluation by the names under which they are logged: `<score>/mean`, as MLflow has it, `<score>/p50`
 * and `/p95` of numbers, `<score>/pass_rate` with `/pass_rate_low` and `/pass_rate_high` (95 %), `<score>/errors` where a
 * scorer failed, and `rows/count`, `rows/failed`.
 *
 * @param aggregates The aggregates by score.
 * @param rows How many rows there are, and on how many the model failed.
 * @returns The metrics.
 */
export function toMetrics(
  aggregates: ReadonlyMap<string, ScoreAggregate>,
  rows: { readonly total: number; readonly failed: number },
): { readonly [key: string]: number } {
  const metrics: { [key: string]: number } = { "rows/count": rows.total, "rows/failed": rows.failed };
  for (const [name, { mean, p50, p95, passRate, errors }] of aggregates) {
    const values: { readonly [part: string]: number | undefined } = {
      mean,
      p50,
      p95,
      pass_rate: passRate?.rate,
      pass_rate_low: passRate?.low,
      pass_rate_high: passRate?.high,
      errors: errors > 0 ? errors : undefined,
    };
    for (const [part, value] of Object.entries(values)) if (value !== undefined) metrics[`${name}/${part}`] = value;
  }
  return metrics;
}
