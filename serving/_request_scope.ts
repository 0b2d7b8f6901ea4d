import { createId } from "../streaming/_ids.ts";
import type { PredictOptions } from "../loaded_chat_model.ts";

/** A client may name its request, as long as the name is fit for a header and a log. */
const REQUEST_ID_REGEXP = /^[\w.:-]{1,128}$/;

/**
 * What belongs to one request: its id, and a signal that fires when the client leaves or the server stops.
 *
 * Deno makes a request's signal only when it is read, which costs a quarter of a small request; so it is read only
 * when a model asks for the signal or lets one wait.
 */
export class RequestScope implements PredictOptions {
  readonly requestId: string;
  /** Whether an answer goes on after its headers, and will let go of the request itself. */
  streaming = false;
  readonly #request: Request;
  readonly #running: Set<RequestScope>;
  #controller: AbortController | undefined;

  constructor(request: Request, running: Set<RequestScope>) {
    const given = request.headers.get("x-request-id");
    this.requestId = given !== null && REQUEST_ID_REGEXP.test(given) ? given : createId("req_");
    this.#request = request;
    this.#running = running;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#running.add(this);
      const { signal } = this.#request;
      if (signal.aborted) this.abort(signal.reason);
      else signal.addEventListener("abort", this.#onClientGone);
    }
    return this.#controller.signal;
  }

  readonly #onClientGone = (): void => {
    this.abort(new DOMException("The client closed the connection", "AbortError"));
  };

  /** Ends what runs for the request. */
  abort(reason: unknown): void {
    this.#controller?.abort(reason);
    this.end();
  }

  /** Lets go of the request; to be called when nothing runs for it any more. */
  end(): void {
    if (this.#controller === undefined) return;
    this.#running.delete(this);
    this.#request.signal.removeEventListener("abort", this.#onClientGone);
  }
}
