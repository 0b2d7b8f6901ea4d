import type { JsonValue } from "../model_config.ts";
import { type ModelSpan, NO_SPAN } from "../call_observer.ts";
import { type Attributes, isSpanContextValid, type Span, trace, type Tracer } from "./_api.ts";
import { toJson } from "./_json.ts";

/** Name that all spans and figures of this package are under. */
export const SCOPE = "@chatmodel/chat-model";

/** In which forms what was said is written down. */
export interface ContentForms {
  /** As `mlflow.spanInputs` and `mlflow.spanOutputs`. */
  readonly mlflow: boolean;
  /** As `gen_ai.input.messages` and `gen_ai.output.messages`. */
  readonly genAi: boolean;
}

/** Neither: what was said stays here. */
export const NO_CONTENT: ContentForms = { mlflow: false, genAi: false };

/** Where spans go, by a provider of this package's own. */
export interface OwnProvider {
  tracer(): Tracer;
  /** Whether there is room for one more trace. If not, it counts as lost. */
  admits(): boolean;
}

/** One who traces: where spans go, and what is written into them. */
export class Instrumentation {
  readonly content: ContentForms;
  /** Whether what is written into spans of calls may be put off until they go: see {@linkcode defer}. */
  readonly defers: boolean;
  readonly #own: OwnProvider | undefined;

  /**
   * @param content In which forms what was said is written down.
   * @param own Where spans go. Default: to whatever provider the program has registered.
   */
  constructor(content: ContentForms, own?: OwnProvider) {
    this.content = content;
    // Others' processors want a span complete at its end.
    this.defers = own !== undefined;
    this.#own = own;
  }

  /** Whether there is room for one more trace. If not, it counts as lost. */
  admits(): boolean {
    return this.#own === undefined || this.#own.admits();
  }

  get tracer(): Tracer {
    // Asked for anew each time: a program may register its provider after it has begun to use models.
    return this.#own === undefined ? trace.getTracer(SCOPE) : this.#own.tracer();
  }
}

/** Those who trace now; the last one is asked where nothing surrounds the code that wants a span. */
const installed: Instrumentation[] = [];
const fallback = new Instrumentation(NO_CONTENT);

/** Makes one known. */
export function install(instrumentation: Instrumentation): () => void {
  installed.push(instrumentation);
  return () => {
    const index = installed.indexOf(instrumentation);
    if (index >= 0) installed.splice(index, 1);
  };
}

/** The one to ask where nothing surrounds the code. */
export function lastInstalled(): Instrumentation {
  return installed.at(-1) ?? fallback;
}

/** What an author sees of a span. */
export function authorSpan(span: Span): ModelSpan {
  // Without a provider there is no span at all.
  return isSpanContextValid(span.spanContext()) ? new AuthorSpan(span) : NO_SPAN;
}

class AuthorSpan implements ModelSpan {
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  get isRecording(): boolean {
    return this.#span.isRecording();
  }

  get traceId(): string {
    return this.#span.spanContext().traceId;
  }

  get spanId(): string {
    return this.#span.spanContext().spanId;
  }

  setAttribute(name: string, value: JsonValue): void {
    this.#span.setAttribute(name, toAttribute(value));
  }

  addEvent(name: string, attributes: { readonly [name: string]: JsonValue } = {}): void {
    this.#span.addEvent(name, toAttributes(attributes));
  }
}

/** Values as attributes: texts, numbers and booleans as they are, others as JSON. */
export function toAttributes(values: { readonly [name: string]: JsonValue }): Attributes {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toAttribute(value)]));
}

function toAttribute(value: JsonValue): string | number | boolean {
  return typeof value === "object" ? toJson(value) : value;
}
