import { createId } from "../streaming/_ids.ts";
import type { Call, CallOwner } from "../_call.ts";
import type { RequestContext } from "../call_observer.ts";
import { requestContext } from "../request_context.ts";
import type { Listed } from "../_live_list.ts";
import type { ApiKey } from "./access/mod.ts";
import type { Ticket } from "./limits/mod.ts";
import type { RequestMeter } from "./_request_meter.ts";
import type { RunningRequests } from "./_running_requests.ts";

/** A client may name its request, as long as the name is fit for a header and a log. */
const REQUEST_ID_REGEXP = /^[\w.:-]{1,128}$/;

/** The id of a request: what the client calls it, if fit, else a new one. */
export function requestIdOf(given: string | null | undefined): string {
  return given != null && REQUEST_ID_REGEXP.test(given) ? given : createId("req_");
}

/** Who watches a request. */
export interface RequestWatcher {
  readonly meter: RequestMeter;
  readonly onEnd?: ((scope: RequestScope) => void) | undefined;
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
  /** The key it came with, where keys are asked for. */
  key: ApiKey | undefined;
  /** Its place among the requests of its model, where these are limited. */
  ticket: Ticket | undefined;
  /** Measures it, if anyone wants to know. */
  readonly observer: RequestMeter | undefined;
  /** Whether the client left before the end. */
  hasLeft = false;
  readonly #onEnd: ((scope: RequestScope) => void) | undefined;
  #hasEnded = false;
  readonly #request: Request;
  readonly #running: RunningRequests;
  #call: Call | undefined;
  #controller: AbortController | undefined;
  #watching: AbortSignal | undefined;

  /**
   * Takes up a request.
   *
   * @param request The request.
   * @param running Where it is listed as long as something runs for it.
   * @param watcher What measures it, and what is called when it is over.
   */
  constructor(request: Request, running: RunningRequests, watcher?: RequestWatcher) {
    this.requestId = requestIdOf(request.headers.get("x-request-id"));
    this.#request = request;
    this.#running = running;
    this.observer = watcher?.meter;
    this.#onEnd = watcher?.onEnd;
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
    this.hasLeft = true;
    this.abort(new DOMException("The client closed the connection", "AbortError"));
  }

  /** Ends what runs for the request. */
  abort(reason: unknown): void {
    this.#letGo();
    this.#controller?.abort(reason);
    this.#call?.abort(reason);
  }

  /** The request is over: nothing runs for it any more, and its answer has been handed on. */
  end(): void {
    this.#letGo();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#giveBack();
    this.#onEnd?.(this);
  }

  /**
   * What no model has answered is not counted; but for who leaves while a model works, what was estimated stands: else
   * leaving just before the answer would be free.
   */
  #giveBack(): void {
    const { ticket, observer } = this;
    if (ticket === undefined || observer === undefined) return ticket?.refund();
    const { tokens, hasAsked, hasAnswered, isCancelled } = observer;
    if (tokens !== undefined) ticket.release({ totalTokens: tokens.promptTokens + tokens.completionTokens });
    else if (hasAnswered || (hasAsked && (this.hasLeft || isCancelled))) ticket.release();
    else ticket.refund();
  }

  #letGo(): void {
    if (!this.listed) return;
    this.#running.delete(this);
    this.#watching?.removeEventListener("abort", this);
    this.#watching = undefined;
  }

  /** What its headers say of where it comes from; read by those who trace calls. */
  get requestContext(): RequestContext {
    return requestContext(this.#request.headers);
  }

  /** Name of the key it came with. */
  get keyName(): string | undefined {
    return this.key?.name;
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
