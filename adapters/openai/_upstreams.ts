import { ChatModelError, OverloadedError, UpstreamError } from "../../types/mod.ts";
import type { OpenAIClientOptions, OpenAIUpstream } from "./client_options.ts";
import { HealthChecks } from "./_health_checks.ts";
import { HeldBatches } from "./_held_batches.ts";
import { type ChunkBatches, Transport } from "./_transport.ts";
import { Upstream } from "./_upstream.ts";
import type { OpenAIAnswer } from "./wire.ts";

/** How a call is made at one of the servers. */
export interface UpstreamCall<T> {
  /** What is to be done, as it stands behind "Cannot". */
  readonly action: string;
  readonly signal: AbortSignal | undefined;
  /** Makes it. */
  readonly run: (transport: Transport) => Promise<T>;
}

/** Codes of failures that are the server's alone, so that another one may do better. */
const FAULTS: ReadonlySet<string | null> = new Set([
  "upstream_unreachable",
  "upstream_unavailable",
  "upstream_lost",
  "upstream_incomplete",
  "overloaded",
  "rate_limit_exceeded",
]);

/** Where calls go: to the one server, or to one of several, and on to the next where it fails. */
export class Upstreams {
  readonly #only: Transport | undefined;
  readonly #all: readonly Upstream[];
  readonly #checks: HealthChecks;

  /** @throws {ChatModelError} If the upstreams cannot be used (code `invalid_option`). */
  constructor(options: OpenAIClientOptions) {
    const { upstreams, baseUrl: _, apiKey: __, headers: ___, ...rest } = options;
    checkUpstreams(options);
    this.#all = (upstreams ?? []).map(({ weight = 1, ...own }) =>
      new Upstream(new Transport({ ...rest, ...own, retries: 0 }), weight)
    );
    this.#only = upstreams === undefined ? new Transport(options) : undefined;
    this.#checks = new HealthChecks(this.#all);
  }

  /** Base URLs, as they may be shown. */
  get url(): string {
    return this.#only?.endpoint.url ?? this.#all.map(({ transport }) => transport.endpoint.url).join(", ");
  }

  /** Ends the health checks. */
  end(): void {
    this.#checks.end();
  }

  /** Makes a call whose answer comes as a whole. */
  read<T>(call: UpstreamCall<T>): Promise<T> {
    if (this.#only !== undefined) return call.run(this.#only);
    return this.#tryEach(call, async (upstream) => {
      upstream.running++;
      try {
        const answer = await call.run(upstream.transport);
        upstream.succeeded();
        return answer;
      } finally {
        upstream.running--;
      }
    });
  }

  /**
   * Makes a call whose answer comes in pieces.
   *
   * @param call The call.
   * @param hasBegun Whether a piece has something of the answer in it: no other server is asked after that.
   */
  stream(call: UpstreamCall<ChunkBatches>, hasBegun: (piece: OpenAIAnswer) => boolean): Promise<ChunkBatches> {
    if (this.#only !== undefined) return call.run(this.#only);
    return this.#tryEach(call, async (upstream) => {
      upstream.running++;
      try {
        const batches = new HeldBatches(await call.run(upstream.transport), {
          succeeded: () => upstream.succeeded(),
          failed: (error) => isFault(error) && this.#failed(upstream, error),
          ended: () => void upstream.running--,
        });
        await batches.hold(hasBegun);
        return batches;
      } catch (error) {
        upstream.running--;
        throw error;
      }
    });
  }

  async #tryEach<T>(
    { action, signal }: UpstreamCall<unknown>,
    attempt: (upstream: Upstream) => Promise<T>,
  ): Promise<T> {
    const failures = new Map<Upstream, ChatModelError>();
    for (;;) {
      signal?.throwIfAborted();
      const upstream = this.#choose(failures);
      if (upstream === undefined) throw this.#allFailed(action, failures);
      try {
        return await attempt(upstream);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isFault(error)) throw error;
        this.#failed(upstream, error);
        failures.set(upstream, error);
      }
    }
  }

  #failed(upstream: Upstream, { retryAfter }: ChatModelError): void {
    upstream.failed(retryAfter);
    this.#checks.start();
  }

  /** The one with the least to do for its weight; among equals, each as often as its weight says. */
  #choose(tried: ReadonlyMap<Upstream, unknown>): Upstream | undefined {
    const untried = this.#all.filter((upstream) => !tried.has(upstream));
    const well = untried.filter((upstream) => upstream.outFor === 0);
    if (well.length === 0) {
      // Better one that may be back than none; but not one that asked for patience.
      return untried.filter((upstream) => !upstream.askedForPatience).sort((a, b) => a.outFor - b.outFor)[0];
    }
    const least = Math.min(...well.map(loadOf));
    const equals = well.filter((upstream) => loadOf(upstream) === least);
    let next: Upstream | undefined;
    let weights = 0;
    for (const upstream of equals) {
      weights += upstream.weight;
      upstream.turn += upstream.weight;
      if (next === undefined || upstream.turn > next.turn) next = upstream;
    }
    if (next !== undefined) next.turn -= weights;
    return next;
  }

  #allFailed(action: string, failures: ReadonlyMap<Upstream, ChatModelError>): ChatModelError {
    const { length } = this.#all;
    const asked = this.#all.filter((upstream) => upstream.askedForPatience);
    const soonest = Math.ceil(Math.min(...asked.map((upstream) => upstream.outFor)));
    const reasons = [...new Set([...failures.values()].map(reasonOf))].join(", ");
    const message = `Cannot ${action}: none of ${length} upstreams answers (${failures.size} tried` +
      `${reasons === "" ? "" : `: ${reasons}`}${
        length === failures.size ? "" : `; ${length - failures.size} asked for patience`
      })`;
    const cause = new AggregateError([...failures.values()], "what each upstream said");
    // Busy ones are there: it is their word that counts.
    return asked.length > 0 || [...failures.values()].some(({ status }) => status === 503 || status === 429)
      ? new OverloadedError(`${message}. Try again later, or add an upstream`, {
        cause,
        ...(Number.isFinite(soonest) && { retryAfter: soonest }),
      })
      : new UpstreamError(`${message}. Start one of them, or check their base URLs`, {
        code: "upstream_unreachable",
        cause,
      });
  }
}

function loadOf({ running, weight }: Upstream): number {
  return running / weight;
}

function reasonOf({ code }: ChatModelError): string {
  return code ?? "failed";
}

function isFault(error: unknown): error is ChatModelError {
  return ChatModelError.isInstance(error) && FAULTS.has(error.code);
}

function checkUpstreams({ upstreams, baseUrl, apiKey, headers }: OpenAIClientOptions): void {
  if (upstreams === undefined) return;
  const beside = Object.entries({ baseUrl, apiKey, headers }).find(([, value]) => value !== undefined);
  if (beside !== undefined) throw invalid(beside[0], "must not stand beside 'upstreams', of which each has its own");
  if (!Array.isArray(upstreams) || upstreams.length === 0) throw invalid("upstreams", "must be at least one server");
  upstreams.forEach(({ weight = 1 }: OpenAIUpstream, i) => {
    if (!Number.isFinite(weight) || weight <= 0) throw invalid(`upstreams.${i}.weight`, "must be a number above 0");
  });
}

function invalid(param: string, fault: string): ChatModelError {
  return new ChatModelError(`Cannot make an OpenAIClient: "${param}" ${fault}`, { code: "invalid_option", param });
}
