import { Counter, Gauge, Registry } from "prom-client";
import type { RequestRecord } from "../request_record.ts";
import { ModelCounts } from "./_model_counts.ts";
import type { TimeBuckets } from "./_time_buckets.ts";
import { TimeHistogram } from "./_time_histogram.ts";

/** How many requests of a model run and wait. */
export interface ModelLoad {
  /** Name of the model. */
  readonly model: string;
  /** Requests that are being answered. */
  readonly running: number;
  /** Requests that wait for their turn. */
  readonly queued: number;
}

/** What metrics are read from when they are asked for. */
export interface MetricsSources {
  /** How many requests are being answered. */
  readonly inFlight: () => number;
  /** Load by model, where it is limited. */
  readonly load?: () => readonly ModelLoad[];
}

/** Most names that a label takes; what comes after them is counted under {@linkcode OTHER}. */
const MAX_NAMES = 200;

/** Stands for names beyond the first {@linkcode MAX_NAMES}, and for what has none. */
const OTHER = "other";
const NONE = "";

/** Statuses of errors that what is behind a model has caused. */
const UPSTREAM_STATUSES = [502, 503, 504];

/**
 * Counts requests, and tells the counts as Prometheus reads them. Labels hold names of models and routes and codes:
 * nothing that a caller could make up without bound.
 */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #counts = new Map<string, ModelCounts>();
  readonly #others = new ModelCounts(OTHER);
  readonly #nameless = new ModelCounts(NONE);

  /**
   * Begins to count.
   *
   * @param sources What is read when the metrics are asked for.
   */
  constructor({ inFlight, load }: MetricsSources) {
    const registers = [this.#registry];
    const all = () => this.#all();
    new Counter({
      name: "chat_model_requests_total",
      help: "Requests that are over, by model, route and HTTP status.",
      labelNames: ["model", "route", "status"],
      registers,
      collect() {
        this.reset();
        for (const { model, requests } of all()) {
          for (const [route, statuses] of requests) {
            for (const [status, count] of statuses) this.inc({ model, route, status }, count);
          }
        }
      },
    });
    new TimeHistogram(this.#registry, {
      name: "chat_model_request_duration_seconds",
      help: "Time from a request's arrival until its answer was handed over, of requests that asked a model.",
      labelNames: ["model", "stream"],
      read: () =>
        all().flatMap(({ model, wholes, streams }) => [
          { labels: { model, stream: "false" }, times: wholes },
          { labels: { model, stream: "true" }, times: streams },
        ]).filter(isUsed),
    });
    new TimeHistogram(this.#registry, {
      name: "chat_model_time_to_first_token_seconds",
      help: "Time from a streamed request's arrival until the model gave something.",
      labelNames: ["model"],
      read: () => all().map(({ model, firstTokens: times }) => ({ labels: { model }, times })).filter(isUsed),
    });
    new Counter({
      name: "chat_model_tokens_total",
      help: "Tokens of what was asked (input) and answered (output), estimated where no one has counted.",
      labelNames: ["model", "type"],
      registers,
      collect() {
        this.reset();
        for (const { model, hasTokens, inputTokens, outputTokens } of all()) {
          if (!hasTokens) continue;
          this.inc({ model, type: "input" }, inputTokens);
          this.inc({ model, type: "output" }, outputTokens);
        }
      },
    });
    new Counter({
      name: "chat_model_aborts_total",
      help: "Requests whose clients left before the end of the answer.",
      labelNames: ["model"],
      registers,
      collect() {
        this.reset();
        for (const { model, aborts } of all()) if (aborts > 0) this.inc({ model }, aborts);
      },
    });
    new Counter({
      name: "chat_model_upstream_errors_total",
      help: "Requests that failed at what is behind a model, by the error's code.",
      labelNames: ["model", "code"],
      registers,
      collect() {
        this.reset();
        for (const { model, upstreamErrors } of all()) {
          for (const [code, count] of upstreamErrors) this.inc({ model, code }, count);
        }
      },
    });
    new Gauge({
      name: "chat_model_requests_in_flight",
      help: "Requests that are being answered.",
      registers,
      collect() {
        this.set(inFlight());
      },
    });
    if (load !== undefined) {
      new Gauge({
        name: "chat_model_requests_running",
        help: "Requests that a model is answering, by model.",
        labelNames: ["model"],
        registers,
        collect() {
          this.reset();
          for (const { model, running } of load()) this.set({ model }, running);
        },
      });
      new Gauge({
        name: "chat_model_queue_length",
        help: "Requests that wait for their turn, by model.",
        labelNames: ["model"],
        registers,
        collect() {
          this.reset();
          for (const { model, queued } of load()) this.set({ model }, queued);
        },
      });
    }
  }

  /**
   * Counts a request that is over.
   *
   * @param record What there is to say of it.
   */
  count(record: RequestRecord): void {
    const { outcome, errorCode, timeToFirstToken, tokens } = record;
    const counts = this.#countsOf(record);
    counts.addRequest(record.route ?? NONE, record.status);
    if (outcome === "cancelled") counts.aborts++;
    if (!record.asked) return;
    if (outcome === "failed" && errorCode !== undefined && UPSTREAM_STATUSES.includes(record.errorStatus ?? 0)) {
      counts.addUpstreamError(errorCode);
    }
    (record.stream ? counts.streams : counts.wholes).add(record.duration / 1000);
    if (timeToFirstToken !== undefined) counts.firstTokens.add(timeToFirstToken / 1000);
    if (tokens === undefined) return;
    counts.hasTokens = true;
    counts.inputTokens += tokens.promptTokens;
    counts.outputTokens += tokens.completionTokens;
  }

  /** The content type of {@linkcode ServerMetrics.text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * All metrics in Prometheus' text format.
   *
   * @returns The text.
   */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** All that is counted, by model. */
  #all(): ModelCounts[] {
    return [this.#nameless, this.#others, ...this.#counts.values()];
  }

  /** Clients choose the names, also of models that there are not: only one that has answered is worth a label. */
  #countsOf({ model, status }: RequestRecord): ModelCounts {
    if (model === undefined) return this.#nameless;
    let counts = this.#counts.get(model);
    if (counts !== undefined) return counts;
    if (status >= 400 || this.#counts.size >= MAX_NAMES || model === OTHER) return this.#others;
    this.#counts.set(model, counts = new ModelCounts(model));
    return counts;
  }
}

function isUsed({ times }: { readonly times: TimeBuckets }): boolean {
  return times.count > 0;
}
