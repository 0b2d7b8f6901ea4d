import { createId } from "../streaming/_ids.ts";
import type { Call, CallOwner } from "../_call.ts";

/** A client may name its request, as long as the name is fit for a header and a log. */
const REQUEST_ID_REGEXP = /^[\w.:-]{1,128}$/;

/**
 * What belongs to one request: its id, and what runs for it, which ends when the client leaves or the server stops.
 *
 * Deno makes a request's signal only when it is read, which takes about a tenth of a small request; so it is read only
 * when a model asks for the signal or lets one wait.
 */
export class RequestScope implements CallOwner {
  readonly requestId: string;
  /** Whether an answer goes on after its headers, and will let go of the request itself. */
  streaming = false;
  readonly #request: Request;
  readonly #running: Set<RequestScope>;
  #call: Call | undefined;
  #controller: AbortController | undefined;
  #watching: AbortSignal | undefined;

  constructor(request: Request, running: Set<RequestScope>) {
    const given = request.headers.get("x-request-id");
    this.requestId = given !== null && REQUEST_ID_REGEXP.test(given) ? given : createId("req_");
    this.#request = request;
    this.#running = running;
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
