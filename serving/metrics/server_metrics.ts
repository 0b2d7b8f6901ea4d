import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RequestRecord } from "../request_record.ts";

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

/** Seconds: from a cached word to a model that is loaded first. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];

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
  readonly #requests: Counter<"model" | "route" | "status">;
  readonly #duration: Histogram<"model" | "stream">;
  readonly #firstToken: Histogram<"model">;
  readonly #tokens: Counter<"model" | "type">;
  readonly #aborts: Counter<"model">;
  readonly #upstreamErrors: Counter<"model" | "code">;
  readonly #names = new Set<string>();

  /**
   * Begins to count.
   *
   * @param sources What is read when the metrics are asked for.
   */
  constructor({ inFlight, load }: MetricsSources) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "chat_model_requests_total",
      help: "Requests that are over, by model, route and HTTP status.",
      labelNames: ["model", "route", "status"],
      registers,
    });
    this.#duration = new Histogram({
      name: "chat_model_request_duration_seconds",
      help: "Time from a request's arrival until its answer was handed over, of requests that asked a model.",
      labelNames: ["model", "stream"],
      buckets: SECONDS,
      registers,
    });
    this.#firstToken = new Histogram({
      name: "chat_model_time_to_first_token_seconds",
      help: "Time from a streamed request's arrival until the model gave something.",
      labelNames: ["model"],
      buckets: SECONDS,
      registers,
    });
    this.#tokens = new Counter({
      name: "chat_model_tokens_total",
      help: "Tokens of what was asked (input) and answered (output), estimated where no one has counted.",
      labelNames: ["model", "type"],
      registers,
    });
    this.#aborts = new Counter({
      name: "chat_model_aborts_total",
      help: "Requests whose clients left before the end of the answer.",
      labelNames: ["model"],
      registers,
    });
    this.#upstreamErrors = new Counter({
      name: "chat_model_upstream_errors_total",
      help: "Requests that failed at what is behind a model, by the error's code.",
      labelNames: ["model", "code"],
      registers,
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
    const { route = NONE, status, outcome, errorCode, errorStatus = 0, stream, duration, timeToFirstToken, tokens } =
      record;
    const model = this.#nameOf(record);
    this.#requests.inc({ model, route, status });
    if (outcome === "cancelled") this.#aborts.inc({ model });
    if (!record.asked) return;
    if (outcome === "failed" && errorCode !== undefined && UPSTREAM_STATUSES.includes(errorStatus)) {
      this.#upstreamErrors.inc({ model, code: errorCode });
    }
    this.#duration.observe({ model, stream: String(stream) }, duration / 1000);
    if (timeToFirstToken !== undefined) this.#firstToken.observe({ model }, timeToFirstToken / 1000);
    if (tokens === undefined) return;
    this.#tokens.inc({ model, type: "input" }, tokens.promptTokens);
    this.#tokens.inc({ model, type: "output" }, tokens.completionTokens);
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

  /** Clients choose the names, also of models that there are not: only one that has answered is worth a label. */
  #nameOf({ model: name, status }: RequestRecord): string {
    if (name === undefined) return NONE;
    if (this.#names.has(name)) return name;
    if (status >= 400 || this.#names.size >= MAX_NAMES) return OTHER;
    this.#names.add(name);
    return name;
  }
}
