import type { JsonValue } from "../../model_config.ts";
import type { TrackingStore } from "../../tracking/mod.ts";
import type { Tracing } from "../../tracing/mod.ts";
import { parseChatParams, ValidationError, type ValidationIssue } from "../../types/mod.ts";
import { toJsonValue } from "../../_json_value.ts";
import { suggestion } from "../../_near_names.ts";
import { isRecord } from "../_canonical_json.ts";
import type { EvaluationData } from "../data/mod.ts";
import type { ScorerSource } from "../scorers/scorer.ts";
import type { SimulatedUser } from "./converse.ts";
import type { EvaluationProgress } from "./progress.ts";
import type { EvaluatedModel } from "./subject.ts";

/** Options for `evaluate`. */
export interface EvaluateOptions {
  /**
   * What is evaluated: the URI of a model, as `loadModel` takes it; a loaded model; a `ChatModel` or its class; or a
   * function of a row's `inputs`. Absent: the rows have `outputs`.
   */
  readonly model?: EvaluatedModel;
  /** Rows, or the path or `file:` URL of a file of rows: `.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`. */
  readonly data: EvaluationData;
  /** What scores the answers, such as `[exactMatch(), latency()]`; functions do. */
  readonly scorers: readonly ScorerSource[];
  /** Name of the model for people. Default: the model's own. */
  readonly name?: string;
  /** Id of the logged model, where it is not told by a URI: the run is linked to it. */
  readonly modelId?: string;
  /** How many rows are under way at once. @default {4} */
  readonly concurrency?: number;
  /** How often a row is tried again whose error says that this may help. @default {2} */
  readonly retries?: number;
  /** Milliseconds before the first retry; twice as long before each further one, 30 s at most. @default {500} */
  readonly retryDelay?: number;
  /** Milliseconds that a row may take, retries included, and each of its scorers; 0 for no limit. @default {300_000} */
  readonly rowTimeout?: number;
  /**
   * A whole number of at least 0, from which each row gets a seed of its own by its position, which is sent to the model
   * unless the row or `params` has one. Default: none is sent.
   */
  readonly seed?: number;
  /** Parameters that go with every row, such as `{ temperature: 0 }`; a row's own come before them. @default {{}} */
  readonly params?: { readonly [name: string]: unknown };
  /**
   * Talks to the model after the messages of a row, until it gives `undefined`: the scorers see the whole conversation.
   */
  readonly user?: SimulatedUser;
  /** Most answers of the model to one row. @default {10} where there is a `user`, else as many as a row asks for */
  readonly maxTurns?: number;
  /**
   * Path of a file that takes down what is done, line by line. If it exists, what stands in it is not done again: an
   * evaluation that was killed goes on where it was. It must be of the same evaluation. Without it, all results are kept
   * in memory.
   */
  readonly resume?: string;
  /** Whether rows that failed are done again when an evaluation is resumed. @default {false} */
  readonly retryFailed?: boolean;
  /** Told when it begins, whenever a row is done, and when it ends. What it throws ends the evaluation. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Gives up: `evaluate` rejects with its reason, after what is under way has been cancelled. */
  readonly signal?: AbortSignal;
  /**
   * Where a run with metrics, params, tags and the table is logged. Default: none is, unless `experiment` or `runName`
   * is given, which log to the store that runs go to.
   */
  readonly trackingStore?: TrackingStore;
  /** Name of the experiment that the run belongs to; made if there is none. Default: the one that is active. */
  readonly experiment?: string;
  /** Name of the run for people. Default: an invented one. */
  readonly runName?: string;
  /**
   * Tracing that brings spans to the store of the run, as `enableTracing` gave it: scores and expectations are then logged
   * to the trace of each row, too, where MLflow's page shows them.
   */
  readonly tracing?: Tracing;
}

/** Options as they are used. */
export interface CheckedOptions {
  readonly concurrency: number;
  readonly retries: number;
  readonly retryDelay: number;
  readonly rowTimeout: number;
  readonly seed: number | undefined;
  readonly params: { readonly [name: string]: JsonValue };
  readonly maxTurns: number;
}

/** Most answers to one row where a user is simulated. */
const MOST_TURNS = 10;
/** Longest time that a timer can wait, in ms. */
const LONGEST = 2 ** 31 - 1;

type Check = (value: unknown) => string | undefined;

const CHECKS: { readonly [Name in keyof Required<EvaluateOptions>]: Check } = {
  model: anything,
  data: anything,
  scorers: anything,
  name: text,
  modelId: text,
  concurrency: whole(1, 10_000),
  retries: whole(0, 100),
  retryDelay: whole(0, LONGEST),
  rowTimeout: whole(0, LONGEST),
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  params: (value) => isRecord(value) ? undefined : "must be an object",
  user: callback,
  maxTurns: whole(1, 10_000),
  resume: text,
  retryFailed: (value) => typeof value === "boolean" ? undefined : "must be true or false",
  onProgress: callback,
  signal: (value) => value instanceof AbortSignal ? undefined : "must be an AbortSignal",
  trackingStore: (value) => typeof value === "object" && value !== null ? undefined : "must be a TrackingStore",
  experiment: text,
  runName: text,
  tracing: (value) =>
    isRecord(value) && typeof value.flush === "function" ? undefined : "must be what enableTracing gave",
};

/**
 * Checks the options.
 *
 * @param options What was given.
 * @returns What is missing filled in.
 * @throws {ValidationError} If one is none, or has a value that cannot be; all that is wrong is in it.
 */
export function checkOptions(options: EvaluateOptions): CheckedOptions {
  const given: unknown = options;
  if (!isRecord(given)) {
    throw new ValidationError("Cannot evaluate", [{ path: "options", message: "must be an object" }]);
  }
  const checks = new Map(Object.entries(CHECKS));
  const issues: ValidationIssue[] = [];
  for (const [path, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const check = checks.get(path);
    const message = check === undefined ? `is no option: ${suggestion(path, [...checks.keys()])}` : check(value);
    if (message !== undefined) issues.push({ path, message });
  }
  for (const path of ["data", "scorers"]) {
    if (given[path] === undefined) issues.push({ path, message: "is missing" });
  }
  const { concurrency = 4, retries = 2, retryDelay = 500, rowTimeout = 300_000, seed, user, params = {} } = options;
  if (user === undefined && options.maxTurns !== undefined) {
    issues.push({ path: "maxTurns", message: 'is of no use without "user"' });
  }
  if (options.retryFailed === true && options.resume === undefined) {
    issues.push({ path: "retryFailed", message: 'is of no use without "resume"' });
  }
  if (options.tracing !== undefined && !isLogged(options)) {
    issues.push({ path: "tracing", message: 'is of no use without "trackingStore", "experiment" or "runName"' });
  }
  const kept: { [name: string]: JsonValue } = {};
  if (isRecord(params)) {
    for (const [name, value] of Object.entries(params)) {
      if (name === "messages") issues.push({ path: "params.messages", message: "belongs to the rows" });
      else if (value !== undefined && value !== null) kept[name] = json(value, `params.${name}`, issues);
    }
  }
  if (issues.length > 0) throw new ValidationError("Cannot evaluate", issues);
  const maxTurns = user === undefined ? Infinity : options.maxTurns ?? MOST_TURNS;
  return { concurrency, retries, retryDelay, rowTimeout, seed, params: kept, maxTurns };
}

/**
 * Checks parameters that go to a chat model: else every row would fail.
 *
 * @param params The parameters.
 * @throws {ValidationError} If one cannot be.
 */
export function checkChatParams(params: CheckedOptions["params"]): void {
  try {
    parseChatParams(params);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    throw new ValidationError(
      "Cannot evaluate",
      error.issues.map(({ path, message }) => ({ path: `params.${path}`, message })),
    );
  }
}

/** Whether a run is logged. */
export function isLogged({ trackingStore, experiment, runName }: EvaluateOptions): boolean {
  return trackingStore !== undefined || experiment !== undefined || runName !== undefined;
}

function json(value: unknown, path: string, issues: ValidationIssue[]): JsonValue {
  const found = Symbol("found");
  try {
    return toJsonValue(value, (place, message) => {
      issues.push({ path: place === "" ? path : `${path}.${place}`, message });
      throw found;
    });
  } catch (error) {
    if (error !== found) throw error;
    return null;
  }
}

function anything(): undefined {}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? undefined : "must be a text that is not empty";
}

function callback(value: unknown): string | undefined {
  return typeof value === "function" ? undefined : "must be a function";
}

function whole(least: number, most: number): Check {
  return (value) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}${typeof value === "number" ? `, but is ${value}` : ""}`;
}
