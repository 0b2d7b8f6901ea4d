/** Seconds: from a cached word to a model that is loaded first. */
export const SECONDS: readonly number[] = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  20,
  40,
  80,
  160,
  320,
];

/** How many times lay below which bound. */
export class TimeBuckets {
  /** By {@linkcode SECONDS}; each counts those above the bound before it. */
  readonly counts: Float64Array = new Float64Array(SECONDS.length);
  /** How many there are, also above the last bound. */
  count = 0;
  /** All together, in seconds. */
  sum = 0;

  /** Counts a time, in seconds. */
  add(seconds: number): void {
    this.count++;
    this.sum += seconds;
    for (let i = 0; i < SECONDS.length; i++) {
      if (seconds > (SECONDS[i] ?? Infinity)) continue;
      this.counts[i] = (this.counts[i] ?? 0) + 1;
      return;
    }
  }
}
