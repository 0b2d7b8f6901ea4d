import type { Page, Tags } from "./entities.ts";
import type {
  Assessment,
  AssessmentError,
  AssessmentSource,
  AssessmentValue,
  Trace,
  TraceInfo,
  TraceSpanInput,
} from "./trace_entities.ts";

/** Options for {@linkcode TraceStore.logSpans}: they are for each trace of which the first span is among the spans. */
export interface LogSpansOptions {
  /** Run that the traces belong to. Default: what the first span says in `mlflow.sourceRun`. */
  readonly runId?: string | undefined;
  /** Logged model that made them. Default: what the first span says in `mlflow.modelId`. */
  readonly modelId?: string | undefined;
  /** Tags. Those that the first span has in `mlflow.traceTag.…` win. @default {{}} */
  readonly tags?: Tags;
  /** Facts that stay, values of at most 250 characters. @default {{}} */
  readonly metadata?: Tags;
  /** Gives up: before anything is written, or while a request to a server is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** Options for {@linkcode TraceStore.searchTraces}. */
export interface SearchTracesOptions {
  /** Experiments to look in; at least one. */
  readonly experimentIds: readonly string[];
  /**
   * MLflow's filter, such as `status = 'ERROR' AND timestamp_ms > 1700000000000`, `tags.env = 'dev'`,
   * `metadata.\`mlflow.trace.session\` = 's1'`, `span.type = 'TOOL'`, `feedback.good = 'true'`, `run_id = '…'`.
   * Default: all.
   */
  readonly filter?: string;
  /** Such as `["execution_time_ms DESC"]`. Default: the newest first. */
  readonly orderBy?: readonly string[];
  /** Most traces on one page, up to 500. @default {100} */
  readonly maxResults?: number;
  /** What the page before gave as `nextPageToken`. */
  readonly pageToken?: string;
}

/** Options for {@linkcode TraceStore.deleteTraces}: which ones. One of `traceIds` and `maxRequestTime` must be given. */
export interface DeleteTracesOptions {
  /** Experiment that they belong to. */
  readonly experimentId: string;
  /** Ids. */
  readonly traceIds?: readonly string[];
  /** Those that began then or earlier, in ms since 1970. */
  readonly maxRequestTime?: number;
  /** Most traces to delete, the oldest first. Only with `maxRequestTime`. */
  readonly maxTraces?: number;
}

/** What {@linkcode TraceStore.logExpectation} logs. */
export interface LogExpectationOptions {
  /** What was expected, such as `expected_response`. */
  readonly name: string;
  /** What would have been right. */
  readonly value: AssessmentValue;
  /** Who says so. @default {{ type: "HUMAN", id: "default" }} */
  readonly source?: AssessmentSource;
  /** Facts about it. @default {{}} */
  readonly metadata?: Tags;
  /** Span that it is about. Default: the whole trace. */
  readonly spanId?: string;
}

/** What {@linkcode TraceStore.logFeedback} logs. */
export interface LogFeedbackOptions extends Omit<LogExpectationOptions, "value"> {
  /** The judgement. Default: `null`, which needs an `error`. */
  readonly value?: AssessmentValue;
  /** Who or what judged. @default {{ type: "CODE", id: "default" }} */
  readonly source?: AssessmentSource;
  /** Why it was judged so. */
  readonly rationale?: string;
  /** Why it could not be judged. */
  readonly error?: AssessmentError;
  /** Id of an assessment whose place it takes: that one is no longer valid. */
  readonly overrides?: string;
}

/** Where traces are kept, and what is said of their quality: a part of a tracking store. */
export interface TraceStore {
  /**
   * Logs spans, of any number of traces. Those of one trace may come in several calls, in any order; one that comes
   * again takes the place of the one before. All that MLflow shows of a trace follows from them: its state, times,
   * previews, tokens, session (`session.id`, `gen_ai.conversation.id`) and user (`user.id`).
   *
   * A server takes them by OTLP; it must be of MLflow 3.12 or newer. What is longer than MLflow's columns take (a
   * session of over 250 characters, a preview of over 1000) stays whole in its span.
   */
  logSpans(experimentId: string, spans: readonly TraceSpanInput[], options?: LogSpansOptions): Promise<void>;
  /** The trace of an id. */
  getTrace(traceId: string): Promise<Trace>;
  /** Looks for traces. Their spans are read by {@linkcode TraceStore.getTrace}. */
  searchTraces(options: SearchTracesOptions): Promise<Page<TraceInfo>>;
  /** Sets a tag of a trace. */
  setTraceTag(traceId: string, tag: { readonly key: string; readonly value: string }): Promise<void>;
  /** Removes a tag of a trace. Rejects with `RESOURCE_DOES_NOT_EXIST` if it has none such. */
  deleteTraceTag(traceId: string, key: string): Promise<void>;
  /** Deletes traces for good, and tells how many it were. Ids that there are not are passed over. */
  deleteTraces(options: DeleteTracesOptions): Promise<number>;
  /** Notes that traces belong to a run. */
  linkTracesToRun(runId: string, traceIds: readonly string[]): Promise<void>;
  /** Logs a judgement of a trace. */
  logFeedback(traceId: string, feedback: LogFeedbackOptions): Promise<Assessment>;
  /** Logs what would have been right. */
  logExpectation(traceId: string, expectation: LogExpectationOptions): Promise<Assessment>;
  /** What was said of a trace's quality, the oldest first. */
  getAssessments(traceId: string): Promise<readonly Assessment[]>;
  /** Deletes an assessment; the one that it took the place of is valid again. One that there is not is passed over. */
  deleteAssessment(traceId: string, assessmentId: string): Promise<void>;
}
