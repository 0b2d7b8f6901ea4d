import type {
  ChatCompletionChunk,
  ChatCompletionResponse,
  ChatRequest,
  EmbeddingRequest,
  EmbeddingResponse,
} from "./types/mod.ts";
import type { JsonValue } from "./model_config.ts";

/** Where a loaded model comes from, as far as that is known: what traces of its calls are linked to. */
export interface ModelOrigin {
  /** URI that it was loaded by, such as `models:/assistant@champion`. */
  readonly uri?: string;
  /** Id of MLflow's logged model: `m-…`. */
  readonly modelId?: string;
  /** Name that it is registered under. */
  readonly registeredName?: string;
  /** Version that it is registered as. */
  readonly registeredVersion?: string;
}

/** What a model is about to be asked. */
export type CallStart =
  & {
    /** Name of the model, as the request has it; else the model's own. */
    readonly model: string;
    /** What the model says that it is, such as `AGENT`; absent if it says nothing. */
    readonly spanType?: string | undefined;
  }
  & (
    | { readonly operation: "chat"; readonly request: ChatRequest; readonly stream: boolean }
    | { readonly operation: "embeddings"; readonly request: EmbeddingRequest }
    | {
      readonly operation: "invoke";
      readonly input: unknown;
      readonly params: { readonly [name: string]: unknown };
    }
  );

/** A call of a model that begins. */
export type StartedCall = CallStart & {
  /** Id of the request. */
  readonly requestId: string;
  /** Where the model comes from; absent if that is not known. */
  readonly origin?: ModelOrigin | undefined;
  /** What its headers say of where the call comes from, if anything. */
  readonly requestContext?: RequestContext | undefined;
};

/**
 * What surrounds a request, as its headers say: the trace that it belongs to, and for whom it is. Nothing of it is
 * checked: it comes from the client.
 */
export interface RequestContext {
  /** Trace and span of the caller, in the form of W3C's Trace Context. */
  readonly traceparent?: string;
  /** What other systems keep with the trace, in the form of W3C's Trace Context. */
  readonly tracestate?: string;
  /** The conversation that the request is part of. */
  readonly session?: string;
  /** Who asks. */
  readonly user?: string;
}

/**
 * The part of a trace that stands for one call of a model. Where no one traces, it does nothing.
 *
 * What is written to it is seen by whoever reads traces: no secrets.
 */
export interface ModelSpan {
  /** Whether anyone takes note of what is written. */
  readonly isRecording: boolean;
  /** Id of the trace, 32 hexadecimal digits; `undefined` where no one traces. */
  readonly traceId: string | undefined;
  /** Id of the span, 16 hexadecimal digits; `undefined` where no one traces. */
  readonly spanId: string | undefined;
  /**
   * Writes something down about the whole span.
   *
   * @param name Its name, such as `cache.hit`; what had that name before is replaced.
   * @param value Its value. Lists and objects are written as JSON.
   */
  setAttribute(name: string, value: JsonValue): void;
  /**
   * Writes down that something happened, with the time.
   *
   * @param name What happened.
   * @param attributes What is known of it.
   */
  addEvent(name: string, attributes?: { readonly [name: string]: JsonValue }): void;
}

/** The span of a call that no one traces. */
export const NO_SPAN: ModelSpan = Object.freeze({
  isRecording: false,
  traceId: undefined,
  spanId: undefined,
  setAttribute() {},
  addEvent() {},
});

/** What a call gave in one piece. */
export type CallResult =
  | { readonly operation: "chat"; readonly response: ChatCompletionResponse }
  | { readonly operation: "embeddings"; readonly response: EmbeddingResponse }
  | { readonly operation: "invoke"; readonly response: unknown };

/** How a call came to its end. */
export type CallEnd =
  /** The model gave all it had. */
  | { readonly outcome: "completed" }
  /** It failed, or gave what cannot be understood, or a time limit passed, or the caller's signal fired. */
  | { readonly outcome: "failed"; readonly reason: unknown }
  /** The reader of its stream left before the end. */
  | { readonly outcome: "cancelled" };

/** Is told what becomes of one call. None of its methods may throw. */
export interface CallObservation {
  /** What the model gets as `context.span`, if the observer traces. */
  readonly span?: ModelSpan | undefined;
  /**
   * Runs a step of the model: its method, or the next step of its stream. For those who keep a context around it.
   *
   * @param step The step.
   * @returns What the step returns.
   */
  run?<T>(step: () => T): T;
  /**
   * Whether `run` does no more than enter an asynchronous context, which is kept by what waits for a promise in it. It is
   * then called once for all steps of an asynchronous stream, which is much quicker. @default {false}
   */
  readonly runsOnce?: boolean;
  /**
   * A stream has given something.
   *
   * @param chunks The chunks, in canonical form; at least one.
   */
  chunks?(chunks: readonly ChatCompletionChunk[]): void;
  /**
   * The model has answered in one piece.
   *
   * @param result The answer, completed.
   */
  result?(result: CallResult): void;
  /**
   * Nothing follows. Called exactly once.
   *
   * @param end How it ended.
   */
  end(end: CallEnd): void;
}

/** Is told of the calls of models: what traces, logs or counts them. */
export interface CallObserver {
  /**
   * A call begins. Must not throw.
   *
   * @param call The call.
   * @returns What is told the rest; `undefined` if it is of no interest.
   */
  begin(call: StartedCall): CallObservation | undefined;
}

/** Those who are told of every call in this process. */
const everywhere = new Set<CallObserver>();

/**
 * Has an observer be told of every call of every model in this process.
 *
 * @param observer The observer.
 * @returns Ends that.
 */
export function observeEveryCall(observer: CallObserver): () => void {
  everywhere.add(observer);
  return () => void everywhere.delete(observer);
}

/** Whether anyone is to be told of a call. */
export function isObserved(observer: CallObserver | undefined): boolean {
  return observer !== undefined || everywhere.size > 0;
}

/** Tells all who want to know that a call begins. */
export function beginObservation(call: StartedCall, observer: CallObserver | undefined): CallObservation | undefined {
  // One, most often: no list is made for it.
  if (observer === undefined && everywhere.size === 1) {
    for (const each of everywhere) return each.begin(call);
  }
  const observations: CallObservation[] = [];
  for (const each of observer === undefined ? everywhere : [...everywhere, observer]) {
    const observation = each.begin(call);
    if (observation !== undefined) observations.push(observation);
  }
  const [first, second] = observations;
  return second === undefined ? first : new SeveralObservations(observations);
}

function run<T>(observation: CallObservation, step: () => T): T {
  return observation.run === undefined ? step() : observation.run(step);
}

class SeveralObservations implements CallObservation {
  /** That of the last who has one, as its context is the innermost. */
  readonly span: ModelSpan | undefined;
  readonly runsOnce: boolean;
  readonly #all: readonly CallObservation[];

  constructor(all: readonly CallObservation[]) {
    this.#all = all;
    this.runsOnce = all.every(({ run, runsOnce }) => run === undefined || runsOnce === true);
    this.span = all.find(({ span }) => span !== undefined)?.span;
  }

  run<T>(step: () => T): T {
    let wrapped = step;
    for (const each of this.#all) {
      const inner = wrapped;
      if (each.run !== undefined) wrapped = () => run(each, inner);
    }
    return wrapped();
  }

  chunks(chunks: readonly ChatCompletionChunk[]): void {
    for (const each of this.#all) each.chunks?.(chunks);
  }

  result(result: CallResult): void {
    for (const each of this.#all) each.result?.(result);
  }

  end(end: CallEnd): void {
    for (const each of this.#all) each.end(end);
  }
}
