/** Whether the server is there, and whether it should be sent requests. */
import type { ModelDirectory } from "./directory.ts";
import { jsonResponse } from "./_respond.ts";
import type { Routes } from "./_router.ts";

/** Milliseconds for which an answer holds: probes come often, from several sides. */
const VALID_FOR = 5_000;

/** Milliseconds that what is behind the models gets to show that it is there. */
const LIMIT = 3_000;

/** Why no requests are wanted; `undefined` if they are. */
type Problem = "draining" | "unavailable" | undefined;

/** What {@linkcode Readiness} needs. */
export interface ReadinessOptions {
  readonly directory: ModelDirectory;
  /** Told when the models become unavailable, with the reason, and once more when they are back. */
  readonly onChange: (problem: { readonly reason: unknown } | undefined) => void;
}

/** Knows whether requests are wanted. */
export class Readiness {
  readonly #options: ReadinessOptions;
  #isDraining = false;
  #isAvailable = true;
  #checking: Promise<void> | undefined;
  #validUntil = -Infinity;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** From now on, no requests are wanted. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Why no requests are wanted. What is behind the models is asked once for all who want to know. */
  async problem(): Promise<Problem> {
    if (this.#isDraining) return "draining";
    if (performance.now() >= this.#validUntil) {
      this.#checking ??= this.#check();
      await this.#checking;
    }
    if (this.#isDraining) return "draining";
    return this.#isAvailable ? undefined : "unavailable";
  }

  async #check(): Promise<void> {
    const { directory, onChange } = this.#options;
    const before = this.#isAvailable;
    let reason: unknown;
    try {
      await withLimit((signal) => directory.checkHealth?.(signal));
      this.#isAvailable = true;
    } catch (error) {
      reason = error;
      this.#isAvailable = false;
    }
    this.#validUntil = performance.now() + VALID_FOR;
    this.#checking = undefined;
    if (this.#isAvailable !== before) onChange(this.#isAvailable ? undefined : { reason });
  }
}

/** Not by the signal alone: a model may not listen to it. */
async function withLimit(check: (signal: AbortSignal) => void | Promise<void>): Promise<void> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = new DOMException(`No answer within ${LIMIT} ms`, "TimeoutError");
      reject(reason);
      controller.abort(reason);
    }, LIMIT);
  });
  try {
    await Promise.race([check(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `/health/live` and `/health/ready`, as Kubernetes asks for them. */
export function healthRoutes(readiness: Readiness): Routes {
  return {
    "/health/live": {
      GET: (_request, _scope, headers) => jsonResponse(JSON.stringify({ status: "live" }), 200, headers),
    },
    "/health/ready": {
      async GET(_request, _scope, headers) {
        const problem = await readiness.problem();
        // Not the reason: whoever may ask this need not know what is behind the server.
        return jsonResponse(JSON.stringify({ status: problem ?? "ready" }), problem === undefined ? 200 : 503, headers);
      },
    },
  };
}
