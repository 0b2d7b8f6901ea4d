/** A value of an attribute: as OpenTelemetry has them. */
export type SpanAttributeValue =
  | string
  | number
  | boolean
  | readonly (string | null | undefined)[]
  | readonly (number | null | undefined)[]
  | readonly (boolean | null | undefined)[];

/** Attributes by name. */
export interface SpanAttributes {
  /** The value of one. */
  [name: string]: SpanAttributeValue | undefined;
}

/** Which span it is. */
export interface SpanPlace {
  /** Id of the trace, 32 hexadecimal digits. */
  readonly traceId: string;
  /** Id of the span, 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether it is another program's. */
  readonly isRemote?: boolean | undefined;
}

/** A time: seconds since 1970, and nanoseconds. */
export type SpanTime = readonly [seconds: number, nanoseconds: number];

/** Something that happened in a span. */
export interface SpanEvent {
  /** What happened; `exception` for a failure. */
  readonly name: string;
  /** When. */
  readonly time: SpanTime;
  /** What is known of it. */
  readonly attributes?: SpanAttributes | undefined;
}

/**
 * A span that has ended. The same as OpenTelemetry's `ReadableSpan`, as far as sinks need it.
 *
 * Inputs, outputs, tools and usage are in the attributes `mlflow.spanInputs`, `mlflow.spanOutputs`, `mlflow.chat.tools`
 * and `mlflow.chat.tokenUsage` as JSON text; all other texts are plain.
 */
export interface FinishedSpan {
  /** Its name. */
  readonly name: string;
  /** OpenTelemetry's kind: 0 internal, 2 client. */
  readonly kind: number;
  /** Which span it is. */
  spanContext(): SpanPlace;
  /** Which span it is below; absent for the first of a trace. */
  readonly parentSpanContext?: SpanPlace;
  /** When it began. */
  readonly startTime: SpanTime;
  /** When it ended. */
  readonly endTime: SpanTime;
  /** How it ended: 0 unset, 1 ok, 2 error, and what went wrong. */
  readonly status: { readonly code: number; readonly message?: string };
  /** What is known of it. */
  readonly attributes: SpanAttributes;
  /** What happened in it. */
  readonly events: readonly SpanEvent[];
  /** What is known of the program: `service.name`. */
  readonly resource: { readonly attributes: { readonly [name: string]: unknown } };
}

/** Where spans are kept: a store, a server, a console. */
export interface TraceSink {
  /** What it is, for messages, such as `MLflow at "http://127.0.0.1:5000"`. */
  readonly name: string;
  /**
   * Takes spans that have ended. Those of one trace may come in several calls, a child before its parent; a span comes
   * again if an earlier call failed in a way that does not tell whether it was kept. Not called again before it has
   * settled, unless its time was over.
   *
   * @param spans The spans; at least one.
   * @param signal Fires when the time for it is over.
   * @returns When they are kept.
   * @throws {ChatModelError} With `retryable` if another try may help. After any other failure these spans are lost.
   */
  write(spans: readonly FinishedSpan[], signal: AbortSignal): Promise<void>;
  /** Lets go of what it holds; nothing is written after. */
  close?(): void | Promise<void>;
}

/** An exporter of OpenTelemetry's SDK, as far as it is used. */
export interface SpanExporterLike {
  /**
   * Exports spans.
   *
   * @param spans The spans.
   * @param done Called once, with code 0 if they were exported.
   */
  export(spans: FinishedSpan[], done: (result: { readonly code: number; readonly error?: Error }) => void): void;
  /**
   * Lets go of what it holds.
   *
   * @returns When that is done.
   */
  shutdown(): Promise<void>;
}
