import { invalid } from "./limits.ts";
import { translateAttributes } from "./_span_translation.ts";
import { dumpJson, tryParse } from "./_trace_json.ts";
import type { SpanStatus, TraceSpanInput } from "./trace_entities.ts";

/** Attributes as MLflow keeps them: each value is a text of JSON. */
export type DumpedAttributes = { readonly [key: string]: string };

/** A span that may be logged. */
export interface CheckedSpan {
  /** `tr-` and 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** 16 hexadecimal digits. */
  readonly parentId: string | undefined;
  readonly name: string;
  /** In ns since 1970. */
  readonly startTime: bigint;
  /** In ns since 1970. */
  readonly endTime: bigint | undefined;
  readonly status: { readonly code: SpanStatus["code"]; readonly message: string };
  readonly attributes: DumpedAttributes;
  readonly events: readonly {
    readonly name: string;
    readonly time: bigint;
    readonly attributes: { readonly [key: string]: unknown };
  }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: { readonly [key: string]: unknown };
  }[];
}

/** What MLflow keeps times in: 64 bits. */
const LATEST = 2n ** 63n - 1n;

/**
 * Makes sure that spans may be logged, all or none, and brings their attributes into MLflow's form.
 *
 * @param action What is being done.
 * @param spans The spans.
 * @returns The spans.
 * @throws {TrackingError} `INVALID_PARAMETER_VALUE` with which of them is wrong, and how.
 */
export function checkSpans(action: string, spans: readonly TraceSpanInput[]): CheckedSpan[] {
  return spans.map((span, index) => checkSpan(action, span, `span ${index}`));
}

function checkSpan(action: string, span: TraceSpanInput, where: string): CheckedSpan {
  const { name, parentId, status = { code: "UNSET" }, attributes = {}, events = [], links = [] } = span;
  const traceId = checkTraceId(action, span.traceId, `${where}: traceId`);
  const spanId = checkSpanId(action, span.spanId, `${where}: spanId`);
  const startTime = checkTime(action, span.startTime, `${where}: startTime`);
  const endTime = span.endTime === undefined ? undefined : checkTime(action, span.endTime, `${where}: endTime`);
  if (endTime !== undefined && endTime < startTime) {
    throw invalid(action, `${where}: endTime must not be before startTime`);
  }
  if (!["UNSET", "OK", "ERROR"].includes(status.code)) {
    throw invalid(action, `${where}: status.code must be "UNSET", "OK" or "ERROR", but is "${status.code}"`);
  }
  return {
    traceId,
    spanId,
    parentId: parentId === undefined ? undefined : checkSpanId(action, parentId, `${where}: parentId`),
    name,
    startTime,
    endTime,
    status: { code: status.code, message: status.message ?? "" },
    attributes: {
      ...translateAttributes(dumpAttributes(action, attributes, where)),
      "mlflow.traceRequestId": JSON.stringify(traceId),
    },
    events: events.map((event, place) => ({
      name: event.name,
      time: checkTime(action, event.time, `${where}: events[${place}].time`),
      attributes: event.attributes ?? {},
    })),
    links: links.map((link, place) => ({
      traceId: checkTraceId(action, link.traceId, `${where}: links[${place}].traceId`),
      spanId: checkSpanId(action, link.spanId, `${where}: links[${place}].spanId`),
      attributes: link.attributes ?? {},
    })),
  };
}

/**
 * The id of a trace as MLflow has it.
 *
 * @param action What is being done.
 * @param id 32 hexadecimal digits, with `tr-` before them or without.
 * @param where What the id is.
 */
export function checkTraceId(action: string, id: string, where: string): string {
  const digits = id.replace(/^tr-/, "").toLowerCase();
  if (/^[0-9a-f]{32}$/.test(digits) && !/^0+$/.test(digits)) return `tr-${digits}`;
  throw invalid(action, `${where} must be 32 hexadecimal digits, not all 0, but is "${shorten(id)}"`);
}

function checkSpanId(action: string, id: string, where: string): string {
  const digits = id.toLowerCase();
  if (/^[0-9a-f]{16}$/.test(digits) && !/^0+$/.test(digits)) return digits;
  throw invalid(action, `${where} must be 16 hexadecimal digits, not all 0, but is "${shorten(id)}"`);
}

function checkTime(action: string, time: bigint | string, where: string): bigint {
  if (typeof time === "bigint" ? time >= 0n : /^\d{1,19}$/.test(time)) {
    const value = BigInt(time);
    if (value <= LATEST) return value;
  }
  throw invalid(action, `${where} must be ns since 1970, as a bigint or as digits, but is "${shorten(String(time))}"`);
}

function dumpAttributes(
  action: string,
  attributes: { readonly [key: string]: unknown },
  where: string,
): { [key: string]: string } {
  const dumped: { [key: string]: string } = {};
  for (const [key, value] of Object.entries(attributes)) {
    const text = dumpAttribute(action, value, () => `${where}: attribute "${shorten(key)}"`);
    if (text !== undefined) dumped[key] = text;
  }
  return dumped;
}

function dumpAttribute(action: string, value: unknown, where: () => string): string | undefined {
  // OpenTelemetry has no objects: they come as text, and are to be objects again.
  if (typeof value === "string") return isJsonText(value) ? value : JSON.stringify(value);
  // As Python writes them, and reads them.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value === "bigint") return String(value);
  try {
    return dumpJson(value);
  } catch {
    throw invalid(action, `${where()} is no value of JSON. Leave it out, or make it text`);
  }
}

/** Whether a text is an object, a list or a text in JSON; numbers and their like may be meant as text. */
function isJsonText(text: string): boolean {
  return /^\s*[{["]/.test(text) && tryParse(text) !== undefined;
}

/** The value of an attribute as MLflow keeps it. */
export function parseAttribute(text: unknown): unknown {
  if (typeof text !== "string") return text;
  const special = { NaN, Infinity, "-Infinity": -Infinity };
  if (text === "NaN" || text === "Infinity" || text === "-Infinity") return special[text];
  const value = tryParse(text);
  return value === undefined ? text : value;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
