import { LiveList } from "../_live_list.ts";
import type { RequestScope } from "./_request_scope.ts";

/** Milliseconds that a request runs at least before its client is watched; twice that at most. */
const WATCH_DELAY = 20;

/**
 * The requests for which something runs.
 *
 * Watching a client means to read its request's signal, which Deno makes only then, at the price of a tenth of a small
 * request. Most answers that need no waiting are there before it is worth that; the others are watched from a common
 * timer. A signal tells of a client that had left before, too.
 */
export class RunningRequests {
  readonly #scopes = new LiveList<RequestScope>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Takes up a request: its client is watched soon. */
  add(scope: RequestScope): void {
    this.#scopes.add(scope);
    this.#timer ??= setTimeout(this.#watch, WATCH_DELAY);
  }

  /** Lets go of a request. */
  delete(scope: RequestScope): void {
    this.#scopes.delete(scope);
    if (!this.#scopes.empty) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Ends all of them. */
  abort(reason: unknown): void {
    for (const scope of this.#scopes.members()) scope.abort(reason);
  }

  readonly #watch = (): void => {
    this.#timer = undefined;
    for (const scope of this.#scopes.members()) {
      // Under load there are always some that have just begun: they wait for the next time.
      if (scope.hasRun) scope.watch();
      else {
        scope.hasRun = true;
        this.#timer ??= setTimeout(this.#watch, WATCH_DELAY);
      }
    }
  };
}
