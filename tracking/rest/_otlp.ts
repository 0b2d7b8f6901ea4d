import { parseAttribute } from "../_trace_spans.ts";
import type { CheckedSpan } from "../_trace_spans.ts";

const STATUS_CODES = { UNSET: 0, OK: 1, ERROR: 2 } as const;

/** Whole numbers from here on do not fit into 64 bits. */
const TOO_LARGE = 2 ** 63;

/**
 * Spans as OpenTelemetry's protocol has them in JSON.
 *
 * @param spans The spans.
 * @returns The body of a request.
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function toOtlp(spans: readonly CheckedSpan[]): object {
  const scopeSpans = [{ scope: { name: "chatmodel" }, spans: spans.map(toSpan) }];
  return { resourceSpans: [{ resource: { attributes: [] }, scopeSpans }] };
}

function toSpan(span: CheckedSpan): object {
  const { status, parentId, endTime } = span;
  return {
    traceId: toDigits(span.traceId),
    spanId: span.spanId,
    ...(parentId !== undefined && { parentSpanId: parentId }),
    name: span.name,
    kind: 1,
    startTimeUnixNano: String(span.startTime),
    ...(endTime !== undefined && { endTimeUnixNano: String(endTime) }),
    attributes: Object.entries(span.attributes).map(([key, text]) => ({ key, value: toDumpedValue(text) })),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      timeUnixNano: String(time),
      attributes: toPairs(attributes),
    })),
    // MLflow's server does not turn the ids of links from digits into what it reads, and would keep wrong ones.
    links: span.links.map((link) => ({
      traceId: Uint8Array.fromHex(toDigits(link.traceId)).toBase64(),
      spanId: Uint8Array.fromHex(link.spanId).toBase64(),
      attributes: toPairs(link.attributes),
    })),
    status: { code: STATUS_CODES[status.code], ...(status.message !== "" && { message: status.message }) },
  };
}

function toDigits(traceId: string): string {
  return traceId.replace(/^tr-/, "");
}

function toPairs(attributes: { readonly [key: string]: unknown }): object[] {
  return Object.entries(attributes).filter(([, value]) => value !== undefined).map(([key, value]) => ({
    key,
    value: toAnyValue(value),
  }));
}

/** Objects and lists go as the text that they are: MLflow's server makes objects and lists of it again. */
function toDumpedValue(text: string): object {
  const value = parseAttribute(text);
  return typeof value === "object" && value !== null ? { stringValue: text } : toAnyValue(value);
}

function toAnyValue(value: unknown): object {
  if (value === null || value === undefined) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "bigint") return { intValue: String(value) };
  if (typeof value === "number") {
    if (Number.isInteger(value) && Math.abs(value) < TOO_LARGE) return { intValue: BigInt(value).toString() };
    return { doubleValue: Number.isFinite(value) ? value : String(value) };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toAnyValue) } };
  return { kvlistValue: { values: toPairs({ ...value }) } };
}
