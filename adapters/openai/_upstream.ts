import type { Transport } from "./_transport.ts";

/** Milliseconds that an upstream is left out after its first failure. */
const FIRST_TIME_OUT = 1_000;
/** The longest, however often it failed. */
const LONGEST_TIME_OUT = 60_000;
/** By how much of what an upstream asks for its time out may be longer. */
const LATER = 0.25;

/** One of several servers: what it has to do, and whether it is well. */
export class Upstream {
  /** Speaks to it. */
  readonly transport: Transport;
  readonly weight: number;
  /** Calls that are under way. */
  running = 0;
  /** Its turn among equals: the greatest is next. */
  turn = 0;
  /** Failures since its last good answer. */
  #failures = 0;
  /** By `performance.now()`. */
  #outUntil = 0;
  #asked = false;

  constructor(transport: Transport, weight: number) {
    this.transport = transport;
    this.weight = weight;
  }

  /** Milliseconds that it will be left out for; 0 if it is not. */
  get outFor(): number {
    return Math.max(0, this.#outUntil - performance.now());
  }

  /** Whether it is left out because it said for how long. */
  get askedForPatience(): boolean {
    return this.#asked && this.outFor > 0;
  }

  /** It answered. */
  succeeded(): void {
    this.#failures = 0;
    // What it asked for holds, though calls that were under way may still end well.
    if (!this.askedForPatience) this.#outUntil = 0;
  }

  /**
   * It failed.
   *
   * @param retryAfter Milliseconds for which it wants to be left alone.
   */
  failed(retryAfter: number | undefined): void {
    const now = performance.now();
    if (retryAfter !== undefined) {
      const until = now + retryAfter * (1 + LATER * Math.random());
      this.#asked = true;
      this.#outUntil = Math.max(this.#outUntil, until);
      return;
    }
    // Calls that fail together are one failure.
    if (this.outFor > 0) return;
    this.#asked = false;
    const time = Math.min(LONGEST_TIME_OUT, FIRST_TIME_OUT * 2 ** this.#failures++);
    this.#outUntil = now + time * (0.5 + Math.random() / 2);
  }

  /** A check found it alive: it is tried again, and left out for longer if it fails again. */
  foundAlive(): void {
    if (!this.askedForPatience) this.#outUntil = 0;
  }

  /**
   * A check found it dead.
   *
   * @param nextCheck Milliseconds until the next check, for which it stays out.
   */
  foundDead(nextCheck: number): void {
    this.#outUntil = Math.max(this.#outUntil, performance.now() + nextCheck);
  }
}
