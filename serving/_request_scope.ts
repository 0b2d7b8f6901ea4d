import { createId } from "../streaming/_ids.ts";
import type { Call, CallOwner } from "../_call.ts";
import type { Listed, LiveList } from "../_live_list.ts";

/** A client may name its request, as long as the name is fit for a header and a log. */
const REQUEST_ID_REGEXP = /^[\w.:-]{1,128}$/;

/** The id of a request: what the client calls it, if fit, else a new one. */
export function requestIdOf(given: string | null | undefined): string {
  return given != null && REQUEST_ID_REGEXP.test(given) ? given : createId("req_");
}

/**
 * What belongs to one request: its id, and what runs for it, which ends when the client leaves or the server stops.
 *
 * Deno makes a request's signal only when it is read, which takes about a tenth of a small request; so it is read only
 * when a model asks for the signal or lets one wait.
 */
export class RequestScope implements CallOwner, Listed<RequestScope> {
  previous: RequestScope | undefined;
  next: RequestScope | undefined;
  listed = false;
  readonly requestId: string;
  /** Whether an answer goes on after its headers, and will let go of the request itself. */
  streaming = false;
  readonly #startedAt = performance.now();
  readonly #request: Request;
  readonly #running: LiveList<RequestScope>;
  #call: Call | undefined;
  #controller: AbortController | undefined;
  #watching: AbortSignal | undefined;

  constructor(request: Request, running: LiveList<RequestScope>) {
    this.requestId = requestIdOf(request.headers.get("x-request-id"));
    this.#request = request;
    this.#running = running;
  }

  /** Whole milliseconds since the request came in. */
  get elapsed(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  attach(call: Call): void {
    this.#call = call;
    this.#watch();
  }

  /** A signal for what runs for the request besides the call of a model. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#watch();
    }
    return this.#controller.signal;
  }

  /** Called when the client leaves. */
  handleEvent(): void {
    this.abort(new DOMException("The client closed the connection", "AbortError"));
  }

  /** Ends what runs for the request. */
  abort(reason: unknown): void {
    this.end();
    this.#controller?.abort(reason);
    this.#call?.abort(reason);
  }

  /** Lets go of the request; to be called when nothing runs for it any more. */
  end(): void {
    if (this.#watching === undefined) return;
    this.#running.delete(this);
    this.#watching.removeEventListener("abort", this);
    this.#watching = undefined;
  }

  #watch(): void {
    if (this.#watching !== undefined) return;
    this.#running.add(this);
    this.#watching = this.#request.signal;
    // Itself, not a closure: one object less for each request.
    this.#watching.addEventListener("abort", this);
    if (this.#watching.aborted) this.handleEvent();
  }
}
