import type { Tags } from "./entities.ts";

/** How far a trace has come, in MLflow's words. It is `IN_PROGRESS` until its first span has ended. */
export type TraceState = "OK" | "ERROR" | "IN_PROGRESS" | "STATE_UNSPECIFIED";

/** How a span ended. */
export interface SpanStatus {
  /** `UNSET` where no one said; it counts as well done. */
  readonly code: "UNSET" | "OK" | "ERROR";
  /** What went wrong. */
  readonly message?: string;
}

/** What happened at one moment of a span. */
export interface SpanEvent {
  /** Name, such as `exception`. */
  readonly name: string;
  /** When, in ns since 1970. */
  readonly time: bigint;
  /** Facts about it: values of JSON. */
  readonly attributes: { readonly [key: string]: unknown };
}

/** A span of another trace, or of this one, that a span has to do with. */
export interface SpanLink {
  /** Id of its trace. */
  readonly traceId: string;
  /** Id of the span. */
  readonly spanId: string;
  /** Facts about it: values of JSON. */
  readonly attributes: { readonly [key: string]: unknown };
}

/** One step of a trace, as it is read. */
export interface TraceSpan {
  /** Id of its trace: `tr-` and 32 hexadecimal digits. */
  readonly traceId: string;
  /** Id: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Id of the span that it is a part of; absent for the first one. */
  readonly parentId?: string;
  /** Name for people. */
  readonly name: string;
  /** When it began, in ns since 1970. */
  readonly startTime: bigint;
  /** When it ended, in ns since 1970; absent while it goes on. */
  readonly endTime?: bigint;
  /** How it ended. */
  readonly status: SpanStatus;
  /** Facts about it, values of JSON: `mlflow.spanType`, `mlflow.spanInputs`, `mlflow.spanOutputs`, … */
  readonly attributes: { readonly [key: string]: unknown };
  /** What happened in it. */
  readonly events: readonly SpanEvent[];
  /** Spans that it has to do with. */
  readonly links: readonly SpanLink[];
}

/** One step of a trace, as it is logged. */
export interface TraceSpanInput {
  /** Id of its trace: 32 hexadecimal digits, with `tr-` before them or without. */
  readonly traceId: string;
  /** Id: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Id of the span that it is a part of; none for the first one of the trace. */
  readonly parentId?: string | undefined;
  /** Name for people. */
  readonly name: string;
  /** When it began, in ns since 1970; text is digits. */
  readonly startTime: bigint | string;
  /** When it ended, in ns since 1970; text is digits. Default: it goes on. */
  readonly endTime?: bigint | string | undefined;
  /** How it ended. @default {{ code: "UNSET" }} */
  readonly status?: { readonly code: SpanStatus["code"]; readonly message?: string | undefined };
  /**
   * Facts about it, as OpenTelemetry or MLflow name them. Values are JSON; text that is an object, a list or a text in
   * JSON itself stands for that, as in `mlflow.spanInputs`. What is `undefined` is left out. @default {{}}
   */
  readonly attributes?: { readonly [key: string]: unknown };
  /** What happened in it. @default {[]} */
  readonly events?: readonly {
    readonly name: string;
    readonly time: bigint | string;
    readonly attributes?: { readonly [key: string]: unknown };
  }[];
  /** Spans that it has to do with. @default {[]} */
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes?: { readonly [key: string]: unknown };
  }[];
}

/** Tokens that a trace used. */
export interface TokenUsage {
  /** Tokens of what models were given. */
  readonly inputTokens: number;
  /** Tokens of what models answered. */
  readonly outputTokens: number;
  /** All of them. */
  readonly totalTokens: number;
}

/** What there is to know of a trace but its spans. */
export interface TraceInfo {
  /** Id: `tr-` and 32 hexadecimal digits. */
  readonly traceId: string;
  /** Experiment that it belongs to. */
  readonly experimentId: string;
  /** Name for people: its first span's, unless told otherwise. */
  readonly name?: string;
  /** How far it has come. */
  readonly state: TraceState;
  /** When it began, in ms since 1970. */
  readonly requestTime: number;
  /** How long it took, in ms; absent while that is not known. */
  readonly executionDuration?: number;
  /** Beginning of what came in, as a rule the user's last message. */
  readonly requestPreview?: string;
  /** Beginning of what went out. */
  readonly responsePreview?: string;
  /** Id that a client gave it. */
  readonly clientRequestId?: string;
  /** Tokens that it used; absent where that is not known. */
  readonly tokenUsage?: TokenUsage;
  /** Its tags, which may be changed. */
  readonly tags: Tags;
  /** Facts that stay: `mlflow.sourceRun`, `mlflow.modelId`, `mlflow.trace.session`, `mlflow.trace.user`, … */
  readonly metadata: Tags;
  /** What was said of its quality, the oldest first. */
  readonly assessments: readonly Assessment[];
}

/** A trace with its spans. */
export interface Trace {
  /** What it is. */
  readonly info: TraceInfo;
  /** Its spans: the first one, then the others in the order in which they began. */
  readonly spans: readonly TraceSpan[];
}

/** A value of JSON. */
export type AssessmentValue =
  | string
  | number
  | boolean
  | null
  | readonly AssessmentValue[]
  | { readonly [key: string]: AssessmentValue };

/** Who or what judged. */
export interface AssessmentSource {
  /** Kind. */
  readonly type: "HUMAN" | "CODE" | "LLM_JUDGE";
  /** Who it was: a person, the name of a scorer or of a model. @default {"default"} */
  readonly id?: string;
}

/** Why something could not be judged. */
export interface AssessmentError {
  /** Code, such as `SCORER_ERROR`. */
  readonly code: string;
  /** What went wrong. */
  readonly message?: string;
}

/** What was said of the quality of a trace, or of one of its spans. */
export interface Assessment {
  /** Id: `a-` and 32 hexadecimal digits. */
  readonly assessmentId: string;
  /** Trace that it is about. */
  readonly traceId: string;
  /** Span that it is about, where it is about one. */
  readonly spanId?: string;
  /** What was judged. */
  readonly name: string;
  /** A judgement of what was, what would have been right, or an issue that it belongs to. */
  readonly kind: "feedback" | "expectation" | "issue";
  /** The judgement; `null` where there was an error instead. */
  readonly value: AssessmentValue;
  /** Why it could not be judged. */
  readonly error?: AssessmentError;
  /** Who or what judged. */
  readonly source: { readonly type: string; readonly id: string };
  /** Why it was judged so. */
  readonly rationale?: string;
  /** Facts about it. */
  readonly metadata: Tags;
  /** When it was made, in ms since 1970. */
  readonly createTime: number;
  /** When it was last changed, in ms since 1970. */
  readonly lastUpdateTime: number;
  /** Whether no later one has taken its place. */
  readonly valid: boolean;
  /** Id of the one whose place it took. */
  readonly overrides?: string;
}
