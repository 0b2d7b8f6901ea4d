import { KeyCounts } from "./_key_counts.ts";
import { Lane, type QueueOptions } from "./_lane.ts";
import type { LimitDecision, Limits, LimitStore } from "./_limit_store.ts";
import { MemoryLimitStore } from "./_memory_limit_store.ts";
import { keyBusy, rateLimited, retryIn, storeFailed } from "./_refusals.ts";
import { AdmittedTicket, type Ticket, type TicketContext } from "./_ticket.ts";

/** Options for {@linkcode Admission}. What is set for all models counts for each of them, not for them together. */
export interface AdmissionOptions extends QueueOptions {
  /** What is different for single models, by their names. @default {{}} */
  readonly models?: { readonly [model: string]: QueueOptions };
  /** Counts requests and tokens of each key. Default: in the memory of this process. */
  readonly store?: LimitStore;
  /**
   * Told when the store fails to settle or refund, where the request has ended already.
   * Default: writes it to the console.
   */
  readonly onError?: (error: unknown) => void;
}

/** A key, as far as its limits go. */
export interface LimitedKey extends Limits {
  /** Its name: limits are counted by it, and messages tell it. */
  readonly name: string;
  /** Most requests that run or wait at once, whichever model they ask. @default {Infinity} */
  readonly maxConcurrency?: number;
}

/** A request that wants to run. */
export interface AdmissionRequest {
  /** Name of the model; one that is served. */
  readonly model: string;
  /** Who asks. Absent: nobody's limits. */
  readonly key?: LimitedKey | undefined;
  /** Tokens that it will use, as estimated; see {@linkcode estimateTokens}. */
  readonly tokens: number;
  /** Gets the signal that fires when the client leaves; called only if the request must wait for a place. */
  readonly signal: () => AbortSignal;
}

/** How busy a model is. */
export interface ModelLoad {
  /** Name of the model. */
  readonly model: string;
  /** Requests that run. */
  readonly running: number;
  /** Requests that wait. */
  readonly queued: number;
}

/** From so many models on, those that nobody asks are forgotten. */
const MAX_IDLE_LANES = 1000;

/**
 * Decides which requests run, which wait and which are refused: by the requests that a key has at once, by its requests
 * and tokens in a minute, and by the places of the model, for which those that come first wait first.
 */
export class Admission {
  readonly #options: Required<QueueOptions>;
  readonly #models: { readonly [model: string]: QueueOptions };
  readonly #lanes = new Map<string, Lane>();
  readonly #context: TicketContext;

  /**
   * Makes an admission in which nothing runs yet.
   *
   * @param options Its limits.
   * @throws {RangeError} If a limit is none.
   */
  constructor(options: AdmissionOptions = {}) {
    const { maxConcurrency = Infinity, maxQueue = 100, queueTimeout = 30_000, models = {}, onError = logError } =
      options;
    const { store = new MemoryLimitStore() } = options;
    this.#options = { maxConcurrency, maxQueue, queueTimeout };
    this.#models = Object.fromEntries(Object.entries(models).map(([name, own]) => [laneName(name), own]));
    this.#context = { store, keys: new KeyCounts(), onError };
    checkOptions("", this.#options);
    for (const [model, own] of Object.entries(models)) checkOptions(`models.${model}.`, { ...this.#options, ...own });
  }

  /**
   * Asks for a request to run.
   *
   * @param request The request.
   * @returns Its ticket, to be released or refunded in the end; at once, unless it must wait for a place or the store.
   * @throws {ChatModelError} If it is refused, at once or by rejecting: with code `rate_limit_exceeded` (429) if the key
   * has used up what it may for now, `request_over_limit` (400) if it may never use so much, `limit_store_lost` (503) if
   * the store cannot decide.
   * @throws {OverloadedError} If the model has too many requests waiting, or it waited too long; in the same ways.
   * @throws The signal's reason, by rejecting or at once, if the client leaves while it waits.
   */
  enter(request: AdmissionRequest): Ticket | Promise<Ticket> {
    const { key } = request;
    const lane = this.#lane(request.model);
    if (key === undefined) return this.#takePlace(new AdmittedTicket(this.#context, lane), lane, request);
    const { name, maxConcurrency = Infinity } = key;
    if (!this.#context.keys.tryEnter(name, maxConcurrency)) {
      throw keyBusy(name, maxConcurrency, retryIn(lane.typicalTime));
    }
    if (key.requestsPerMinute === undefined && key.tokensPerMinute === undefined) {
      return this.#takePlace(new AdmittedTicket(this.#context, lane, key), lane, request);
    }
    let decision: LimitDecision | Promise<LimitDecision>;
    try {
      decision = this.#context.store.reserve(name, { requests: 1, tokens: request.tokens }, key);
    } catch (error) {
      this.#context.keys.leave(name);
      throw storeFailed(error);
    }
    return decision instanceof Promise
      ? this.#decideLater(decision, lane, key, request)
      : this.#decide(decision, lane, key, request);
  }

  /**
   * How busy the models are.
   *
   * @returns One entry for each model that was asked.
   */
  stats(): ModelLoad[] {
    return [...this.#lanes.values()].map(({ model, running, queued }) => ({ model, running, queued }));
  }

  #lane(name: string): Lane {
    const model = laneName(name);
    let lane = this.#lanes.get(model);
    if (lane === undefined) {
      if (this.#lanes.size >= MAX_IDLE_LANES) this.#forgetIdle();
      const own = Object.hasOwn(this.#models, model) ? this.#models[model] : undefined;
      this.#lanes.set(model, lane = new Lane(model, { ...this.#options, ...own }));
    }
    return lane;
  }

  #forgetIdle(): void {
    for (const [model, { running, queued }] of this.#lanes) if (running + queued === 0) this.#lanes.delete(model);
  }

  async #decideLater(
    pending: Promise<LimitDecision>,
    lane: Lane,
    key: LimitedKey,
    request: AdmissionRequest,
  ): Promise<Ticket> {
    let decision: LimitDecision;
    try {
      decision = await pending;
    } catch (error) {
      this.#context.keys.leave(key.name);
      throw storeFailed(error);
    }
    return await this.#decide(decision, lane, key, request);
  }

  #decide(
    decision: LimitDecision,
    lane: Lane,
    key: LimitedKey,
    request: AdmissionRequest,
  ): Ticket | Promise<Ticket> {
    if (!decision.granted) {
      this.#context.keys.leave(key.name);
      throw rateLimited(key.name, { requests: 1, tokens: request.tokens }, key, decision);
    }
    return this.#takePlace(new AdmittedTicket(this.#context, lane, key, decision), lane, request);
  }

  #takePlace(ticket: AdmittedTicket, lane: Lane, request: AdmissionRequest): Ticket | Promise<Ticket> {
    if (lane.tryEnter()) {
      ticket.start();
      return ticket;
    }
    try {
      return lane.wait(ticket, request.signal);
    } catch (error) {
      ticket.refund();
      throw error;
    }
  }
}

/** Ollama takes a model's name in any case, and with or without `:latest`: that makes no more places. */
function laneName(model: string): string {
  const name = model.toLowerCase();
  return name.endsWith(":latest") ? name.slice(0, -":latest".length) : name;
}

function checkOptions(path: string, { maxConcurrency, maxQueue, queueTimeout }: Required<QueueOptions>): void {
  check(`${path}maxConcurrency`, maxConcurrency, 1);
  check(`${path}maxQueue`, maxQueue, 0);
  if (!(queueTimeout >= 0)) {
    throw new RangeError(`Cannot limit requests as "${path}queueTimeout" must be at least 0: it is ${queueTimeout}`);
  }
}

function check(name: string, value: number, least: number): void {
  if (value >= least && (Number.isInteger(value) || value === Infinity)) return;
  throw new RangeError(
    `Cannot limit requests as "${name}" must be a whole number of at least ${least}, or Infinity: it is ${value}`,
  );
}

function logError(error: unknown): void {
  // deno-lint-ignore no-console -- a server's log; hand in `onError` to have it elsewhere.
  console.error("Cannot correct what was reserved:", error);
}
