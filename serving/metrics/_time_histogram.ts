import { Histogram, type Registry } from "prom-client";
import { SECONDS, type TimeBuckets } from "./_time_buckets.ts";

/** Times of requests with the same labels. */
export interface LabeledTimes {
  readonly labels: Readonly<Record<string, string>>;
  readonly times: TimeBuckets;
}

/** What {@linkcode TimeHistogram} tells. */
export interface TimeHistogramOptions {
  /** Name of the metric. */
  readonly name: string;
  /** What it tells. */
  readonly help: string;
  /** Names of its labels. */
  readonly labelNames: readonly string[];
  /** Times to tell of, read when someone asks. */
  readonly read: () => readonly LabeledTimes[];
}

/** A value as `prom-client` writes it. */
interface Sample {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What `prom-client` takes for text, and makes of it what `get` gives. */
interface Told {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  readonly aggregator: "sum";
  readonly values: Sample[];
}

/**
 * A histogram of what was counted elsewhere: to look up the labels for each time that is observed costs a request more
 * than to count it.
 */
export class TimeHistogram extends Histogram {
  readonly #options: TimeHistogramOptions;

  /**
   * Registers it.
   *
   * @param registry Where.
   * @param options What it tells.
   */
  constructor(registry: Registry, options: TimeHistogramOptions) {
    const { name, help, labelNames } = options;
    super({ name, help, labelNames, buckets: [...SECONDS], registers: [registry] });
    this.#options = options;
  }

  /**
   * What there is to tell. By this name the registry asks for it, and `get` does, too.
   *
   * @returns What `prom-client` would have counted itself.
   */
  getForPromString(): Promise<Told> {
    const { name, help, read } = this.#options;
    const values = read().flatMap((each) => samplesOf(each, name));
    return Promise.resolve({ name, help, type: "histogram", aggregator: "sum", values });
  }
}

function samplesOf({ labels: sharedLabels, times }: LabeledTimes, name: string): Sample[] {
  const metricName = `${name}_bucket`;
  let below = 0;
  return [
    ...SECONDS.map((le, index) => ({
      metricName,
      labels: { le },
      sharedLabels,
      value: below += times.counts[index] ?? 0,
    })),
    { metricName, labels: { le: "+Inf" }, sharedLabels, value: times.count },
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: times.sum },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: times.count },
  ];
}
