import type { Attributes } from "./_api.ts";
import { deferredOf } from "./_deferred.ts";
import type { ReadableSpan } from "./_sdk_types.ts";
import type { SpanAttributes, SpanAttributeValue, SpanEvent } from "./trace_sink.ts";
import type { RedactableSpan } from "./tracing_options.ts";

/** What is done to spans before they go. */
export interface PrepareOptions {
  /** Attributes that each span gets. */
  readonly added?: ((span: ReadableSpan) => Attributes) | undefined;
  /** Changes a span, or drops it. */
  readonly redact?: ((span: RedactableSpan) => void) | undefined;
  /** Whether spans of callers elsewhere stay the parents of ours. */
  readonly keepsRemoteParents: boolean;
}

/** The span as it goes, a copy where it is to be another than it was; `undefined` if it is not to go. */
export function prepareSpan(span: ReadableSpan, options: PrepareOptions): ReadableSpan | undefined {
  const { redact, added, keepsRemoteParents } = options;
  const isCut = !keepsRemoteParents && span.parentSpanContext?.isRemote === true;
  const deferred = deferredOf(span);
  if (redact === undefined && added === undefined && deferred === undefined && !isCut) return span;
  // What an author wrote by the same name wins.
  const attributes: Attributes = { ...added?.(span), ...deferred?.attributes(), ...span.attributes };
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
    attributes: toAttributes(redactable.attributes),
    links: span.links,
    events: redactable.events.map(toTimedEvent),
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

function toTimedEvent(
  { name, time: [seconds, nanoseconds], attributes = {} }: SpanEvent,
): ReadableSpan["events"][number] {
  return { name, time: [seconds, nanoseconds], attributes: toAttributes(attributes) };
}

/** Lists are copied: OpenTelemetry's are not read-only. */
function toAttributes(attributes: SpanAttributes): Attributes {
  const copy: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    copy[name] = typeof value === "object" ? toList(value) : value;
  }
  return copy;
}

function toList(list: Extract<SpanAttributeValue, object>): string[] | number[] | boolean[] {
  const [first] = list;
  if (typeof first === "number") return list.filter((item) => typeof item === "number");
  if (typeof first === "boolean") return list.filter((item) => typeof item === "boolean");
  return list.filter((item) => typeof item === "string");
}
