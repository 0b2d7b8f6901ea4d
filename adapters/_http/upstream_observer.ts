/** A request to an upstream that is about to be sent. */
export interface UpstreamCall {
  /** Whose API it is, as OpenTelemetry's `gen_ai.provider.name` has it: `ollama`, `openai`. */
  readonly provider: string;
  readonly method: string;
  readonly url: string;
}

/** Is told what becomes of one request, tries again included. None of its methods may throw. */
export interface UpstreamObservation {
  /** Headers to send along. */
  readonly headers: { readonly [name: string]: string };
  /** Runs the sending. */
  run<T>(step: () => T): T;
  /** There is a good answer, after so many tries that were not. */
  answered(status: number, resends: number): void;
  /** It failed or was given up. What follows is of no interest. */
  fail(reason: unknown): void;
  /** Nothing follows. May be called again. */
  end(): void;
}

/** Is told of requests to upstreams. */
export interface UpstreamObserver {
  /** A request is about to be sent. Must not throw. Gives what is told the rest; `undefined` if it is of no interest. */
  begin(call: UpstreamCall): UpstreamObservation | undefined;
}

let observer: UpstreamObserver | undefined;

/** Has one be told of all requests to upstreams from now on, or no one. */
export function setUpstreamObserver(next: UpstreamObserver | undefined): void {
  observer = next;
}

/** Tells who wants to know that a request is about to be sent. */
export function beginUpstream(call: UpstreamCall): UpstreamObservation | undefined {
  return observer?.begin(call);
}
