import * as v from "valibot";
import type { Tags } from "../entities.ts";
import { derivedFacts, stateOf } from "../_trace_info.ts";
import { toAssessmentValue } from "../_assessment_values.ts";
import { tryParse } from "../_trace_json.ts";
import type { Assessment, TraceInfo } from "../trace_entities.ts";

const text = v.nullish(v.string());
const id = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const tags = v.nullish(v.record(v.string(), v.nullish(v.string())));

const assessment = v.object({
  assessment_id: v.string(),
  assessment_name: text,
  trace_id: text,
  span_id: text,
  source: v.nullish(v.object({ source_type: text, source_id: text })),
  create_time: text,
  last_update_time: text,
  feedback: v.nullish(v.object({
    value: v.optional(v.unknown()),
    error: v.nullish(v.object({ error_code: text, error_message: text })),
  })),
  expectation: v.nullish(v.object({
    value: v.optional(v.unknown()),
    serialized_value: v.nullish(v.object({ value: text })),
  })),
  issue: v.nullish(v.object({ issue_name: text })),
  rationale: text,
  metadata: tags,
  overrides: text,
  valid: v.nullish(v.boolean()),
});

const traceInfo = v.object({
  trace_id: v.string(),
  trace_location: v.nullish(v.object({ mlflow_experiment: v.nullish(v.object({ experiment_id: id })) })),
  request_time: text,
  execution_duration: text,
  state: text,
  request_preview: text,
  response_preview: text,
  client_request_id: text,
  trace_metadata: tags,
  tags,
  assessments: v.nullish(v.array(assessment)),
});

/** What there is to know of a trace but its spans. */
export type WireTraceInfo = v.InferOutput<typeof traceInfo>;
/** An assessment. */
export type WireAssessment = v.InferOutput<typeof assessment>;

/** Answer of `traces/{id}`. */
export const traceInfoSchema = v.object({ trace: v.object({ trace_info: traceInfo }) });
/** Answer of `traces/get`. */
export const traceSchema = v.object({
  trace: v.object({ trace_info: traceInfo, spans: v.nullish(v.array(v.unknown())) }),
});
/** Answer of `traces/search`. */
export const tracesSchema = v.object({ traces: v.nullish(v.array(traceInfo)), next_page_token: text });
/** Answer of `traces/delete-traces`. */
export const deletedSchema = v.object({
  traces_deleted: v.nullish(v.pipe(v.union([v.number(), v.string()]), v.transform(Number))),
});
/** Answer of `traces/{id}/assessments`. */
export const assessmentSchema = v.object({ assessment });

/** What there is to know of a trace but its spans. */
export function toTraceInfo(wire: WireTraceInfo): TraceInfo {
  const traceTags = toTags(wire.tags);
  const metadata = toTags(wire.trace_metadata);
  const duration = /^(-?[\d.]+)s$/.exec(wire.execution_duration ?? "")?.[1];
  const assessments = (wire.assessments ?? []).map((one) => toAssessment(wire.trace_id, one));
  return {
    traceId: wire.trace_id,
    experimentId: wire.trace_location?.mlflow_experiment?.experiment_id ?? "",
    ...derivedFacts(traceTags, metadata),
    state: stateOf(wire.state),
    requestTime: toTime(wire.request_time),
    ...(duration !== undefined && { executionDuration: Math.round(Number(duration) * 1000) }),
    ...(isText(wire.request_preview) && { requestPreview: wire.request_preview }),
    ...(isText(wire.response_preview) && { responsePreview: wire.response_preview }),
    ...(wire.client_request_id && { clientRequestId: wire.client_request_id }),
    tags: traceTags,
    metadata,
    assessments: assessments.toSorted((a, b) => a.createTime - b.createTime),
  };
}

/** An assessment. */
export function toAssessment(traceId: string, wire: WireAssessment): Assessment {
  const { feedback, expectation, issue } = wire;
  const serialized = expectation?.serialized_value?.value;
  const value = isText(serialized) ? tryParse(serialized) : feedback?.value ?? expectation?.value ?? issue;
  const error = feedback?.error;
  return {
    assessmentId: wire.assessment_id,
    traceId,
    ...(wire.span_id && { spanId: wire.span_id }),
    name: wire.assessment_name ?? "",
    kind: expectation ? "expectation" : issue ? "issue" : "feedback",
    value: toAssessmentValue(value),
    ...(error && {
      error: { code: error.error_code ?? "", ...(isText(error.error_message) && { message: error.error_message }) },
    }),
    source: { type: wire.source?.source_type ?? "", id: wire.source?.source_id ?? "" },
    ...(isText(wire.rationale) && { rationale: wire.rationale }),
    metadata: toTags(wire.metadata),
    createTime: toTime(wire.create_time),
    lastUpdateTime: toTime(wire.last_update_time),
    valid: wire.valid ?? true,
    ...(wire.overrides && { overrides: wire.overrides }),
  };
}

function toTags(pairs: v.InferOutput<typeof tags>): Tags {
  return Object.fromEntries(Object.entries(pairs ?? {}).map(([key, value]) => [key, value ?? ""]));
}

function toTime(time: string | null | undefined): number {
  const ms = Date.parse(time ?? "");
  return Number.isFinite(ms) ? ms : 0;
}

function isText(value: string | null | undefined): value is string {
  return typeof value === "string";
}
