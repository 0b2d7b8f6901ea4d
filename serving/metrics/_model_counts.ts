import { TimeBuckets } from "./_time_buckets.ts";

/** What is counted of one model: plain numbers, as every request adds to them. */
export class ModelCounts {
  /** What the model is called in labels. */
  readonly model: string;
  /** Requests that are over, by route and status. */
  readonly requests: Map<string, Map<number, number>> = new Map();
  /** Times of whole requests, answered in one piece. */
  readonly wholes: TimeBuckets = new TimeBuckets();
  /** Times of whole requests, answered as streams. */
  readonly streams: TimeBuckets = new TimeBuckets();
  /** Times until the first token. */
  readonly firstTokens: TimeBuckets = new TimeBuckets();
  /** Whether any tokens were counted: if none have been, there is nothing to tell of them. */
  hasTokens = false;
  inputTokens = 0;
  outputTokens = 0;
  aborts = 0;
  /** Failures upstream, by the error's code. */
  readonly upstreamErrors: Map<string, number> = new Map();

  /**
   * Counts nothing yet.
   *
   * @param model What it is called in labels.
   */
  constructor(model: string) {
    this.model = model;
  }

  /** Counts a request. */
  addRequest(route: string, status: number): void {
    let statuses = this.requests.get(route);
    if (statuses === undefined) this.requests.set(route, statuses = new Map());
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }

  /** Counts a failure upstream. */
  addUpstreamError(code: string): void {
    this.upstreamErrors.set(code, (this.upstreamErrors.get(code) ?? 0) + 1);
  }
}
