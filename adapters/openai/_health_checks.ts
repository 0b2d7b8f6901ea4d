import type { Upstream } from "./_upstream.ts";

/** Milliseconds to the first check after a failure; each further one takes twice as long. */
const FIRST_CHECK = 250;
const LATER_CHECKS = 5_000;
/** Milliseconds in which a server has to show that it is alive. */
const CHECK_TIMEOUT = 2_000;

/**
 * Looks after the servers that are left out: asks them for their models, never for an answer, and only as long as one
 * is left out. Does not keep the program alive.
 */
export class HealthChecks {
  readonly #upstreams: readonly Upstream[];
  readonly #ended = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;
  #isChecking = false;

  constructor(upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
  }

  /** One has failed. */
  start(): void {
    if (this.#timer !== undefined || this.#isChecking) return;
    this.#round = 0;
    this.#schedule();
  }

  /** Stops for good. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ended.abort();
  }

  #schedule(): void {
    if (this.#ended.signal.aborted) return;
    if (this.#failing().length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#isChecking = true;
      this.#check().finally(() => {
        this.#isChecking = false;
        this.#schedule();
      });
    }, this.#delay() * (0.75 + Math.random() / 4));
    Deno.unrefTimer(this.#timer);
  }

  /** Those that are out, but for those that asked for it: they said when there is something to ask. */
  #failing(): Upstream[] {
    return this.#upstreams.filter((upstream) => upstream.outFor > 0 && !upstream.askedForPatience);
  }

  #delay(): number {
    return Math.min(LATER_CHECKS, FIRST_CHECK * 2 ** this.#round);
  }

  async #check(): Promise<void> {
    this.#round++;
    await Promise.all(
      this.#failing().map(async (upstream) => {
        const isAlive = await upstream.transport.isAlive(CHECK_TIMEOUT, this.#ended.signal);
        if (isAlive) upstream.foundAlive();
        else upstream.foundDead(this.#delay() + CHECK_TIMEOUT);
      }),
    );
  }
}
