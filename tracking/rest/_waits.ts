/** The longest wait between two tries, as for MLflow's client. */
const MAX_DELAY = 120_000;
/** The longest wait that a server may ask for. */
const MAX_RETRY_AFTER = 300_000;

/** How long to wait between tries. */
export interface BackOff {
  /** Seconds that are doubled from try to try. */
  readonly factor: number;
  /** Seconds of which a random part is added. */
  readonly jitter: number;
}

/**
 * How long to wait before another try, as MLflow's client does: the first comes at once, the others after doubling
 * times, and all with some chance, so that many callers do not come back at once.
 *
 * @param attempt How many tries there were before the one that failed.
 * @param backOff How long to wait.
 * @param retryAfter Milliseconds that the server asks for.
 * @returns Milliseconds; `undefined` if the server wants more patience than there is.
 */
export function retryDelay(attempt: number, backOff: BackOff, retryAfter: number | undefined): number | undefined {
  if (retryAfter !== undefined) return retryAfter <= MAX_RETRY_AFTER ? retryAfter : undefined;
  const seconds = (attempt === 0 ? 0 : backOff.factor * 2 ** attempt) + Math.random() * backOff.jitter;
  return Math.min(MAX_DELAY, seconds * 1000);
}

/** Reads `Retry-After`: seconds or a date; in milliseconds from now. */
export function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  const milliseconds = /^\d+(?:\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/** Stops a request when the caller says so, or when nothing has come or gone for too long. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeout: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onEnd: (() => void) | undefined;

  constructor(timeout: number, caller: AbortSignal | undefined) {
    this.#timeout = timeout;
    this.#caller = caller;
    if (caller?.aborted) this.#controller.abort(caller.reason);
    else caller?.addEventListener("abort", this.#stop, { once: true });
    this.touch();
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether too much time has passed. */
  get isLate(): boolean {
    return this.#controller.signal.aborted && this.#controller.signal.reason === LATE;
  }

  /** Something has come or gone: the time begins anew. */
  touch(): void {
    clearTimeout(this.#timer);
    if (this.#controller.signal.aborted) return;
    this.#timer = setTimeout(() => this.#controller.abort(LATE), this.#timeout);
  }

  /** Has something done when the request is over. */
  onEnd(action: () => void): void {
    this.#onEnd = action;
  }

  /** The request is over. */
  end(): void {
    clearTimeout(this.#timer);
    this.#onEnd?.();
    this.#onEnd = undefined;
    this.#caller?.removeEventListener("abort", this.#stop);
  }

  readonly #stop = (): void => {
    clearTimeout(this.#timer);
    this.#controller.abort(this.#caller?.reason);
  };
}

const LATE = new DOMException("Nothing came for too long", "TimeoutError");
