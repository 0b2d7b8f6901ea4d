import { createId } from "../streaming/_ids.ts";
import type { Call, CallOwner } from "../_call.ts";
import type { Listed } from "../_live_list.ts";
import type { RunningRequests } from "./_running_requests.ts";

/** A client may name its request, as long as the name is fit for a header and a log. */
const REQUEST_ID_REGEXP = /^[\w.:-]{1,128}$/;

/** The id of a request: what the client calls it, if fit, else a new one. */
export function requestIdOf(given: string | null | undefined): string {
  return given != null && REQUEST_ID_REGEXP.test(given) ? given : createId("req_");
}

/** What belongs to one request: its id, and what runs for it, which ends when the client leaves or the server stops. */
export class RequestScope implements CallOwner, Listed<RequestScope> {
  previous: RequestScope | undefined;
  next: RequestScope | undefined;
  listed = false;
  /** Whether it has run for a while; for {@linkcode RunningRequests}. */
  hasRun = false;
  readonly requestId: string;
  /** Whether an answer goes on after its headers, and will let go of the request itself. */
  streaming = false;
  readonly #request: Request;
  readonly #running: RunningRequests;
  #call: Call | undefined;
  #controller: AbortController | undefined;
  #watching: AbortSignal | undefined;

  constructor(request: Request, running: RunningRequests) {
    this.requestId = requestIdOf(request.headers.get("x-request-id"));
    this.#request = request;
    this.#running = running;
  }

  attach(call: Call): void {
    this.#call = call;
    this.#running.add(this);
  }

  /** A signal for what runs for the request besides the call of a model. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#running.add(this);
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
    if (!this.listed) return;
    this.#running.delete(this);
    this.#watching?.removeEventListener("abort", this);
    this.#watching = undefined;
  }

  /** Watches the client, if it is not watched yet. */
  watch(): void {
    if (this.#watching !== undefined || !this.listed) return;
    this.#watching = this.#request.signal;
    // Itself, not a closure: one object less for each request.
    this.#watching.addEventListener("abort", this);
    if (this.#watching.aborted) this.handleEvent();
  }
}
