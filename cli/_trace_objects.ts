import type { Assessment, Trace, TraceInfo, TraceSpan } from "../tracking/mod.ts";

/** What there is to know of a trace but its spans, as MLflow names it. */
export function infoObject(info: TraceInfo): object {
  const { tokenUsage } = info;
  return {
    trace_id: info.traceId,
    experiment_id: info.experimentId,
    name: info.name,
    state: info.state,
    request_time: info.requestTime,
    execution_duration: info.executionDuration,
    request_preview: info.requestPreview,
    response_preview: info.responsePreview,
    client_request_id: info.clientRequestId,
    token_usage: tokenUsage && {
      input_tokens: tokenUsage.inputTokens,
      output_tokens: tokenUsage.outputTokens,
      total_tokens: tokenUsage.totalTokens,
    },
    tags: info.tags,
    trace_metadata: info.metadata,
    assessments: info.assessments.map(assessmentObject),
  };
}

/** A trace with its spans. */
export function traceObject({ info, spans }: Trace): object {
  return { info: infoObject(info), data: { spans: spans.map(spanObject) } };
}

/** An assessment. */
export function assessmentObject(assessment: Assessment): object {
  const { error } = assessment;
  return {
    assessment_id: assessment.assessmentId,
    trace_id: assessment.traceId,
    span_id: assessment.spanId,
    assessment_name: assessment.name,
    kind: assessment.kind,
    value: assessment.value,
    error: error && { error_code: error.code, error_message: error.message },
    source: { source_type: assessment.source.type, source_id: assessment.source.id },
    rationale: assessment.rationale,
    metadata: assessment.metadata,
    create_time: assessment.createTime,
    last_update_time: assessment.lastUpdateTime,
    valid: assessment.valid,
    overrides: assessment.overrides,
  };
}

/** Times in ns are text: as numbers they would not be exact in JavaScript. */
function spanObject(span: TraceSpan): object {
  return {
    span_id: span.spanId,
    parent_span_id: span.parentId ?? null,
    name: span.name,
    start_time_unix_nano: String(span.startTime),
    end_time_unix_nano: span.endTime === undefined ? null : String(span.endTime),
    status: span.status,
    attributes: span.attributes,
    events: span.events.map(({ name, time, attributes }) => ({ name, time_unix_nano: String(time), attributes })),
    links: span.links.map(({ traceId, spanId, attributes }) => ({ trace_id: traceId, span_id: spanId, attributes })),
  };
}
