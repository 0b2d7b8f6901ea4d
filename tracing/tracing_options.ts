import type { SpanAttributes, SpanEvent, SpanExporterLike, TraceSink } from "./trace_sink.ts";

/** What a `redact` function may change of a span before it goes. */
export interface RedactableSpan {
  /** Id of the trace, 32 hexadecimal digits. */
  readonly traceId: string;
  /** Id of the span, 16 hexadecimal digits. */
  readonly spanId: string;
  /** Its name. */
  name: string;
  /** Its attributes: what was said is in `mlflow.spanInputs`, `gen_ai.input.messages` and their like, as JSON text. */
  attributes: SpanAttributes;
  /** What happened in it; what failed is the event `exception`. */
  events: readonly SpanEvent[];
  /** What went wrong, if something did. */
  statusMessage: string | undefined;
  /** Has the span not be sent. Those below it are left where they are. */
  drop(): void;
}

/** Where traces go: one of the three. */
export interface TracingDestination {
  /**
   * A store of one's own: MLflow's database on this machine (`sqlite:///mlflow.db`), the address of an MLflow tracking
   * server, or any sink. What was said is written down, unless `captureContent` says otherwise. Default: where runs go,
   * if there is no other destination: see `getTrackingUri`.
   */
  readonly store?: string | TraceSink;
  /**
   * Where an OpenTelemetry collector, or whatever takes OTLP over HTTP, listens, such as `http://127.0.0.1:4318`. Without
   * a path, `/v1/traces` is added. What was said is not written down, unless `captureContent` says so.
   */
  readonly endpoint?: string;
  /** `console`, or an exporter of OpenTelemetry's SDK. Content as for `endpoint`. */
  readonly exporter?: "console" | SpanExporterLike;
}

/** Options for {@linkcode enableTracing}. */
export interface TracingOptions extends TracingDestination {
  /**
   * Name of MLflow's experiment that traces belong to; it is made if it does not exist. Default: the one that
   * `MLFLOW_EXPERIMENT_NAME` or `MLFLOW_EXPERIMENT_ID` says, else "Default".
   */
  readonly experiment?: string | { readonly experimentId: string };
  /** Id of MLflow's run that traces are linked to. Default: none. */
  readonly runId?: string;
  /** Headers for each request to the server. */
  readonly headers?: HeadersInit;
  /** Whether what was said is written down: messages, tools, answers. Default: only into a `store`. */
  readonly captureContent?: boolean;
  /**
   * Changes spans before they go, or drops them. One that it fails for is not sent either, and counted as lost.
   */
  readonly redact?: (span: RedactableSpan) => void;
  /** Tags of each trace, as MLflow shows them; resource attributes for others. @default {{}} */
  readonly tags?: { readonly [name: string]: string };
  /** Name of the program, as `service.name`. @default {"chatmodel"} */
  readonly serviceName?: string;
  /** Share of the traces that are kept, 0 to 1; a caller elsewhere that has decided already is obeyed. @default {1} */
  readonly sampleRatio?: number;
  /**
   * Whether a span whose parent is the caller's, elsewhere, keeps it. MLflow shows a trace as unfinished as long as its
   * first span is not there, so its own are cut there, which leaves them the trace's id. Default: only without `store`.
   */
  readonly keepRemoteParents?: boolean;
  /** Most spans that wait to be sent. @default {2048} */
  readonly maxQueueSpans?: number;
  /** Most bytes of what was said that wait to be sent, about. @default {67_108_864} */
  readonly maxQueueBytes?: number;
  /** Milliseconds that a span waits for others. @default {1000} */
  readonly interval?: number;
  /** Milliseconds that one try to send may take. @default {10_000} */
  readonly timeout?: number;
  /** Told once that traces cannot be sent, and once that some were dropped. Default: written to the console. */
  readonly onWarning?: (message: string) => void;
}
