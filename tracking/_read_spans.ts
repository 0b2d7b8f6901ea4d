import { TrackingError } from "./errors.ts";
import { isObject } from "./_trace_json.ts";
import type { SpanEvent, SpanLink, SpanStatus, TraceSpan } from "./trace_entities.ts";
import { parseAttribute } from "./_trace_spans.ts";

type Json = { readonly [key: string]: unknown };

/**
 * Reads a span as MLflow writes it: in its database, in `traces.json`, or in an answer of its server.
 *
 * @param traceId Id of its trace.
 * @param value The span, parsed by `parseWithTimes`.
 * @returns The span.
 * @throws {TrackingError} `INTERNAL_ERROR` if it is none.
 */
export function readSpan(traceId: string, value: unknown): TraceSpan {
  const fail = (what: string) =>
    new TrackingError(
      "INTERNAL_ERROR",
      `Cannot read trace "${traceId}": one of its spans has no ${what} that is known`,
    );
  if (!isObject(value)) throw fail("object");
  const spanId = readId(value.span_id);
  const startTime = readTime(value.start_time_unix_nano);
  if (spanId === undefined) throw fail("span_id");
  if (startTime === undefined) throw fail("start_time_unix_nano");
  const parentId = readId(value.parent_span_id);
  const endTime = readTime(value.end_time_unix_nano);
  return {
    traceId,
    spanId,
    ...(parentId !== undefined && { parentId }),
    name: typeof value.name === "string" ? value.name : "",
    startTime,
    // 0 is what protocol buffers have for a time that is not set.
    ...(endTime !== undefined && endTime !== 0n && { endTime }),
    status: readStatus(value.status),
    attributes: readAttributes(value.attributes),
    events: listOf(value.events).map(readEvent),
    links: listOf(value.links).map(readLink),
  };
}

/** The first span, then the others in the order in which they began. */
export function sortSpans(spans: readonly TraceSpan[]): TraceSpan[] {
  const rank = (span: TraceSpan) => span.parentId === undefined ? 0 : 1;
  return spans.toSorted((a, b) => rank(a) - rank(b) || Number(a.startTime - b.startTime));
}

function readStatus(value: unknown): SpanStatus {
  const { code, message } = isObject(value) ? value : {};
  const word = String(code ?? "UNSET").replace(/^STATUS_CODE_/, "");
  return {
    code: word === "OK" || word === "ERROR" ? word : "UNSET",
    ...(typeof message === "string" && message !== "" && { message }),
  };
}

function readEvent(value: Json): SpanEvent {
  return {
    name: typeof value.name === "string" ? value.name : "",
    time: readTime(value.time_unix_nano) ?? 0n,
    attributes: readPlain(value.attributes),
  };
}

function readLink(value: Json): SpanLink {
  const traceId = readId(value.trace_id) ?? String(value.trace_id ?? "");
  return {
    traceId: /^[0-9a-f]{32}$/.test(traceId) ? `tr-${traceId}` : traceId,
    spanId: readId(value.span_id) ?? "",
    attributes: readPlain(value.attributes),
  };
}

/** Attributes of spans: each value is a text of JSON, but in answers of a server. */
function readAttributes(value: unknown): Json {
  if (Array.isArray(value)) return readPairs(value);
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, parseAttribute(text)]));
}

/** Attributes of events and links: values are as they are. */
function readPlain(value: unknown): Json {
  if (Array.isArray(value)) return readPairs(value);
  return isObject(value) ? value : {};
}

function readPairs(value: unknown): Json {
  return Object.fromEntries(listOf(value).map((pair) => [String(pair.key), readAnyValue(pair.value)]));
}

/**
 * A value as OpenTelemetry's protocol has it, in JSON by MLflow.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/
 */
function readAnyValue(value: unknown): unknown {
  if (!isObject(value)) return null;
  if ("string_value" in value) return value.string_value;
  if ("bool_value" in value) return value.bool_value;
  if ("int_value" in value) return Number(value.int_value);
  if ("double_value" in value) return Number(value.double_value);
  if ("bytes_value" in value) return value.bytes_value;
  if ("array_value" in value) {
    return (isObject(value.array_value) ? listOf(value.array_value.values) : []).map(readAnyValue);
  }
  if ("kvlist_value" in value) return isObject(value.kvlist_value) ? readPairs(value.kvlist_value.values ?? []) : {};
  return null;
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function readTime(value: unknown): bigint | undefined {
  if (typeof value === "string" && /^\d+$/.test(value)) return BigInt(value);
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : undefined;
}

/** The hexadecimal digits of an id: as such, or in Base64 as MLflow has them. */
function readId(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const digits = value.replace(/^(?:tr-|0x)/, "");
  if (/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/.test(digits)) return digits;
  try {
    return Uint8Array.fromBase64(value).toHex();
  } catch {
    return undefined;
  }
}
