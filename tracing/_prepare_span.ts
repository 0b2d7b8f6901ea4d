import type { Attributes, Span } from "./_api.ts";
import type { ReadableSpan } from "./_sdk_types.ts";
import type { RedactableSpan } from "./tracing_options.ts";

/** What is done to spans before they go. */
export interface PrepareOptions {
  /** Called when a span begins. */
  readonly onStart?: (span: Span) => void;
  /** Changes a span, or drops it. */
  readonly redact?: ((span: RedactableSpan) => void) | undefined;
  /** Whether spans of callers elsewhere stay the parents of ours. */
  readonly keepsRemoteParents: boolean;
}

/** The span as it goes, a copy where it is to be another; `undefined` if it is not to go. */
export function prepareSpan(span: ReadableSpan, options: PrepareOptions): ReadableSpan | undefined {
  const { redact, keepsRemoteParents } = options;
  const isCut = !keepsRemoteParents && span.parentSpanContext?.isRemote === true;
  if (redact === undefined && !isCut) return span;
  const attributes: Attributes = { ...span.attributes };
  const events = span.events.map((event) => ({ ...event, attributes: { ...event.attributes } }));
  let isDropped = false;
  const redactable: RedactableSpan = {
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    name: span.name,
    attributes,
    events,
    statusMessage: span.status.message,
    drop: () => void (isDropped = true),
  };
  redact?.(redactable);
  if (isDropped) return undefined;
  const { message: _, ...status } = span.status;
  const { statusMessage } = redactable;
  return {
    name: redactable.name,
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanContext !== undefined && !isCut && { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    status: { ...status, ...(statusMessage !== undefined && { message: statusMessage }) },
    attributes: redactable.attributes,
    links: span.links,
    events: [...redactable.events],
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}
