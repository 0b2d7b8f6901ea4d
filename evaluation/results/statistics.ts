/** Quantile of the standard normal distribution at 97.5 %: two-sided 95 %. */
const Z95 = 1.959963984540054;

/** Two ends of an interval. */
export interface Interval {
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/**
 * The arithmetic mean, its sum corrected for rounding (Neumaier), so that it does not depend on the order of the values.
 *
 * @param values At least one value.
 * @returns The mean.
 */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return (sum + lost) / values.length;
}

/**
 * A quantile, between two values by linear interpolation: Hyndman and Fan's type 7, which NumPy, R and spreadsheets use
 * by default.
 *
 * @param sorted At least one value, in ascending order.
 * @param share From 0 to 1, such as 0.95.
 * @returns The quantile.
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (high - low) * (position - below);
}

/**
 * The interval that holds a rate with 95 % confidence, by Wilson's score: it is right for small numbers, and for rates
 * near 0 and 1, too. E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
 *
 * @param passed How many passed.
 * @param count How many there are; at least one.
 * @returns The interval, within 0 and 1.
 */
export function wilsonInterval(passed: number, count: number): Interval {
  const rate = passed / count;
  const square = Z95 ** 2;
  const centre = (rate + square / (2 * count)) / (1 + square / count);
  const half = Z95 / (1 + square / count) * Math.sqrt(rate * (1 - rate) / count + square / (4 * count ** 2));
  // Rounding must not lead out of what a rate can be.
  return {
    low: passed === 0 ? 0 : Math.max(0, centre - half),
    high: passed === count ? 1 : Math.min(1, centre + half),
  };
}
